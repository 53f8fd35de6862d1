import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { SyntheticEvents } from '../../src/simulator/logs/synthetic-events.ts';
import { atMost, mebibytes, seconds, timed, type Figure, type Scenario } from '../figure.ts';
import { mainThreadMs, processorMs, sampleMemory } from '../processes.ts';
import type { ParsedFiles } from '../parse-files.ts';
import { withDirectory, withServer } from '../server-process.ts';

const EVENTS = 1_000_000;
const EVENTS_A_FILE = 5_000;
const DAY_MS = 86_400_000;
const LIMIT_MIB = 250;

const STATEMENT = `select count(*)::int as n, count(distinct event_name) from
  (select event_time, event_name, user_arn, source_ip_address, aws_region from cloudtrail_file_event) as e`;

/** A million events in gzipped files to five columns, against decompressing and parsing the same files. */
export const files: Scenario = {
  name: 'files',
  run: () =>
    withDirectory(async (directory) => {
      const folder = path.join(directory, 'evidence');
      await writeFiles(folder);
      return withServer({ files: [folder] }, async (server): Promise<readonly Figure[]> => {
        const alone = fork(fileURLToPath(new URL('../parse-files.ts', import.meta.url)), {
          execArgv: ['--import', import.meta.resolve('tsx')],
        });
        const client = await server.connect();
        try {
          const theirs = await cost(alone.pid!, async () => {
            alone.send(folder);
            const [parsed] = (await once(alone, 'message')) as [ParsedFiles];
            if (parsed.records !== EVENTS) throw new Error(`${parsed.records} events were parsed, not ${EVENTS}`);
          });
          let resident: readonly number[] = [];
          const ours = await cost(server.pid, async () => {
            const work = client.query<{ readonly n: number }>(STATEMENT).then(({ rows: [row] }) => {
              if (row?.n !== EVENTS) throw new Error(`${row?.n} events were counted, not ${EVENTS}`);
            });
            resident = (await sampleMemory(server.pid, work)).own;
          });
          const peak = Math.max(...resident);
          const ratio = ours.ms / theirs.ms;
          return [
            {
              name: `files: ${EVENTS} events to five columns`,
              measured: seconds(ours.ms),
              baseline: `${seconds(theirs.ms)} gunzip and JSON.parse`,
              result: ratio.toFixed(2),
              bound: atMost(ratio, 1.5),
            },
            {
              name: 'files: processor time of the server',
              measured: seconds(ours.processor),
              baseline: `${seconds(theirs.processor)} gunzip and JSON.parse`,
              result: (ours.processor / theirs.processor).toFixed(2),
            },
            {
              name: 'files: of it the thread that answers clients',
              measured: seconds(ours.mainThread),
              baseline: `${seconds(theirs.processor)} gunzip and JSON.parse`,
              result: (ours.mainThread / theirs.processor).toFixed(2),
            },
            {
              name: 'files: memory',
              measured: `${mebibytes(peak)} peak`,
              baseline: `${mebibytes(resident[0]!)} before`,
              result: mebibytes(peak),
              bound: atMost(peak / 2 ** 20, LIMIT_MIB, ' MiB'),
            },
          ];
        } finally {
          alone.disconnect();
          await client.end();
        }
      });
    }),
};

async function writeFiles(folder: string): Promise<void> {
  await mkdir(folder);
  await chmod(folder, 0o755);
  const from = Date.UTC(2026, 0, 1);
  const events = new SyntheticEvents(
    { count: EVENTS, from, to: from + DAY_MS },
    0,
    '111122223333',
    'us-east-1',
    'stream',
  );
  for (let first = 0; first < EVENTS; first += EVENTS_A_FILE) {
    const records = Array.from({ length: EVENTS_A_FILE }, (_, index) => events.message(first + index));
    await writeFile(path.join(folder, `${first}.json.gz`), gzipSync(`{"Records":[${records.join(',')}]}`));
  }
}

/** In milliseconds; the processor's of all threads. */
interface Cost {
  readonly ms: number;
  readonly processor: number;
  readonly mainThread: number;
}

async function cost(pid: number, work: () => Promise<void>): Promise<Cost> {
  const processor = await processorMs(pid);
  const mainThread = await mainThreadMs(pid);
  const ms = await timed(work);
  return { ms, processor: (await processorMs(pid)) - processor, mainThread: (await mainThreadMs(pid)) - mainThread };
}
