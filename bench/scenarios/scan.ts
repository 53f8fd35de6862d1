import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { atMost, median, seconds, spread, timed, type Figure, type Scenario } from '../figure.ts';
import { processorMs } from '../processes.ts';
import type { SdkScan } from '../sdk-scan.ts';
import { withServer } from '../server-process.ts';
import { withSimulator } from '../simulated.ts';

const EVENTS = 200_000;
const RUNS = 5;

const STATEMENT = {
  text: 'select event_time, event_name, user_arn, source_ip_address, aws_region from cloudtrail_trail_event',
  rowMode: 'array' as const,
  // The client's own reading of values is not what is measured.
  types: { getTypeParser: () => (text: string) => text },
};

/** All events to five columns at the client, against reading and parsing the same pages with the SDK. */
export const scan: Scenario = {
  name: 'scan',
  run: () =>
    withSimulator(EVENTS, (simulator) =>
      withServer({ url: simulator.url }, async (server): Promise<readonly Figure[]> => {
        const sdk = fork(fileURLToPath(new URL('../sdk-scan.ts', import.meta.url)), {
          execArgv: ['--import', import.meta.resolve('tsx')],
        });
        const client = await server.connect();
        try {
          const ours: Cost[] = [];
          const theirs: Cost[] = [];
          // The first round warms both up.
          for (let run = 0; run <= RUNS; run += 1) {
            const alone = await cost(sdk.pid!, async () => {
              sdk.send(simulator.url);
              const [read] = (await once(sdk, 'message')) as [SdkScan];
              if (read.events !== EVENTS) throw new Error(`the SDK read ${read.events} events, not ${EVENTS}`);
            });
            const whole = await cost(server.pid, async () => {
              const { rows } = await client.query(STATEMENT);
              if (rows.length !== EVENTS) throw new Error(`the scan has ${rows.length} rows, not ${EVENTS}`);
            });
            if (run === 0) continue;
            theirs.push(alone);
            ours.push(whole);
          }
          const ratio = median(ours.map(({ ms }, run) => ms / theirs[run]!.ms));
          const processorRatio = median(ours.map(({ processor }, run) => processor / theirs[run]!.processor));
          const of = (costs: readonly Cost[], which: keyof Cost) =>
            spread(
              costs.map((one) => one[which]),
              seconds,
            );
          return [
            {
              name: `scan: ${EVENTS} events to five columns`,
              measured: of(ours, 'ms'),
              baseline: `${of(theirs, 'ms')} SDK and JSON.parse`,
              result: ratio.toFixed(2),
              bound: atMost(ratio, 1.5),
            },
            {
              name: 'scan: processor time of the server',
              measured: of(ours, 'processor'),
              baseline: `${of(theirs, 'processor')} SDK and JSON.parse`,
              result: processorRatio.toFixed(2),
            },
          ];
        } finally {
          sdk.disconnect();
          await client.end();
        }
      }),
    ),
};

interface Cost {
  readonly ms: number;
  /** Milliseconds, of all threads of the process. */
  readonly processor: number;
}

async function cost(pid: number, work: () => Promise<void>): Promise<Cost> {
  const before = await processorMs(pid);
  const ms = await timed(work);
  return { ms, processor: (await processorMs(pid)) - before };
}
