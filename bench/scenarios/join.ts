import { atMost, seconds, timed, type Figure, type Scenario } from '../figure.ts';
import { withServer } from '../server-process.ts';
import { withSimulator } from '../simulated.ts';

const KEYS = 1_000;
const LATENCY_MS = 100;
const CONCURRENCY = 16;
/** Every sixteenth made-up event is a CreateUser, each from another address. */
const EVENTS = 16 * KEYS;

const STATEMENT = `
  select e.event_time, e.username, e.source_ip_address, a.abuse_confidence_score, a.country_code
    from cloudtrail_trail_event e
    join abuseipdb_check_ip a on a.ip_address = e.source_ip_address
   where e.event_name = 'CreateUser'`;

/** The main job: the join that asks for each distinct address once, and does not ask again. */
export const join: Scenario = {
  name: 'join',
  run: () =>
    withSimulator(
      EVENTS,
      (simulator) =>
        withServer({ url: simulator.url }, async (server): Promise<readonly Figure[]> => {
          const client = await server.connect();
          try {
            await client.query(`set trailhound.max_lookups = ${KEYS}`);
            await client.query(`set trailhound.concurrency = ${CONCURRENCY}`);
            const run = async () => {
              await simulator.reset();
              const ms = await timed(async () => {
                const { rows } = await client.query(STATEMENT);
                if (rows.length !== KEYS) throw new Error(`the join has ${rows.length} rows, not ${KEYS}`);
              });
              const { services } = await simulator.calls();
              return { ms, calls: services.abuseipdb?.calls ?? 0 };
            };
            // The first statement of a process also loads the AWS SDK and finds the log groups: not what is measured here.
            await client.query(`select from cloudtrail_trail_event where event_name = 'nothing is called so'`);
            const first = await run();
            const again = await run();
            if (first.calls !== KEYS) throw new Error(`${first.calls} calls were made for ${KEYS} keys`);
            const ideal = (KEYS / CONCURRENCY) * LATENCY_MS;
            const ratio = first.ms / ideal;
            return [
              {
                name: `join: ${KEYS} keys, ${LATENCY_MS} ms a call, ${CONCURRENCY} at once`,
                measured: seconds(first.ms),
                baseline: `${seconds(ideal)} ideal`,
                result: ratio.toFixed(2),
                bound: atMost(ratio, 1.15),
              },
              {
                name: 'join: the same again',
                measured: seconds(again.ms),
                baseline: `${first.calls} calls at first`,
                result: `${again.calls} calls`,
                bound: atMost(again.calls, 0),
              },
            ];
          } finally {
            await client.end();
          }
        }),
      { latency: { abuseipdb: LATENCY_MS } },
    ),
};
