import { startForeignServer } from '../../test/engine/support/foreign-server.ts';
import { removeTemporaryDirectories } from '../../test/engine/support/temporary-directory.ts';
import { atMost, median, seconds, timed, type Figure, type Scenario } from '../figure.ts';
import { startServer, withDirectory, type ServerProcess } from '../server-process.ts';
import { withSimulator } from '../simulated.ts';

const COUNTS = [1, 2, 4];
const SESSIONS = 50;
const KEYS = 500;
const LATENCY_MS = 100;
const ROUNDS = 3;
const STATEMENTS_A_SESSION = 10;

/** Each round has keys of its own: none of them is kept. */
const lookUp = (round: number) => `select count(a.abuse_confidence_score)
  from (select ('33.${round}.' || n / 250 || '.' || 1 + n % 250)::inet as ip from generate_series(0, ${KEYS - 1}) n) k
  join abuseipdb_check_ip a on a.ip_address = k.ip`;

/** 50 sessions over one, two and four processes on one engine, all on this machine, with the service and the clients. */
export const processes: Scenario = {
  name: 'processes',
  run: async () => {
    const engine = await startForeignServer({ maxConnections: 500 });
    const engineUrl = `postgres://postgres:${encodeURIComponent(engine.password)}@127.0.0.1:${engine.port}/postgres`;
    try {
      return await withSimulator(
        1,
        async (simulator) => {
          return await withServers(Math.max(...COUNTS), simulator.url, engineUrl, async (servers) => {
            const results = new Map<number, Times>(
              COUNTS.map((count) => [count, { keys: [], calls: [], kept: [], relayed: [] }]),
            );
            for (let round = 0; round <= ROUNDS; round += 1) {
              // In turns: what else the machine does meanwhile concerns all of them.
              for (const [count, times] of results) {
                await simulator.reset();
                await measure(servers.slice(0, count), count * 20 + round, round > 0 ? times : undefined);
                const { services } = await simulator.calls();
                times.calls.push(services.abuseipdb?.calls ?? 0);
              }
            }
            return figures(results);
          });
        },
        { latency: { abuseipdb: LATENCY_MS } },
      );
    } finally {
      await engine.stop();
      await removeTemporaryDirectories();
    }
  },
};

interface Times {
  readonly keys: number[];
  readonly calls: number[];
  readonly kept: number[];
  readonly relayed: number[];
}

/** Undefined: the first round warms up. */
async function measure(servers: readonly ServerProcess[], round: number, times: Times | undefined): Promise<void> {
  const sessions = await Promise.all(
    Array.from({ length: SESSIONS }, async (_, n) => {
      const client = await (servers[n % servers.length] as ServerProcess).connect();
      await client.query(`set trailhound.max_lookups = ${KEYS}`);
      return client;
    }),
  );
  const each = (text: string, times: number) =>
    timed(() =>
      Promise.all(
        sessions.map(async (client) => {
          for (let n = 0; n < times; n += 1) await client.query(text);
        }),
      ),
    );
  const keys = await each(lookUp(round), 1);
  const address = `33.${round}.0.7`;
  const kept = await each(
    `select country_code from abuseipdb_check_ip where ip_address = '${address}'`,
    STATEMENTS_A_SESSION,
  );
  const relayed = await each('select 1', 10 * STATEMENTS_A_SESSION);
  times?.keys.push(keys);
  times?.kept.push(kept);
  times?.relayed.push(relayed);
  await Promise.all(sessions.map((client) => client.end()));
}

async function withServers<T>(
  count: number,
  url: string,
  engineUrl: string,
  work: (servers: readonly ServerProcess[]) => Promise<T>,
  servers: readonly ServerProcess[] = [],
): Promise<T> {
  if (servers.length === count) return work(servers);
  return withDirectory(async (dataDir) => {
    const server = await startServer({ dataDir, url, engineUrl, password: 'made up for all' });
    try {
      return await withServers(count, url, engineUrl, work, [...servers, server]);
    } finally {
      await server.stop();
    }
  });
}

function figures(results: ReadonlyMap<number, Times>): readonly Figure[] {
  return [...results].flatMap(([count, times]): Figure[] => {
    const alone = results.get(1) ?? times;
    const perSecond = (list: readonly number[], statements: number) => (SESSIONS * statements * 1000) / median(list);
    const rate = (what: 'kept' | 'relayed', statements: number, name: string): Figure => {
      const own = perSecond(times[what], statements);
      const baseline = perSecond(alone[what], statements);
      return {
        name: `processes: ${name}, ${SESSIONS} sessions over ${count}`,
        measured: `${own.toFixed(0)} statements/s`,
        baseline: `${baseline.toFixed(0)} over 1`,
        result: (own / baseline).toFixed(2),
      };
    };
    const calls = Math.max(...times.calls);
    return [
      {
        name: `processes: the same ${KEYS} keys, ${SESSIONS} sessions over ${count}`,
        measured: `${seconds(median(times.keys))}, ${calls} calls`,
        baseline: `${seconds(median(alone.keys))} over 1`,
        result: (median(times.keys) / median(alone.keys)).toFixed(2),
        bound: atMost(calls, KEYS, ' calls'),
      },
      rate('kept', STATEMENTS_A_SESSION, 'a key that is kept'),
      rate('relayed', 10 * STATEMENTS_A_SESSION, 'select 1'),
    ];
  });
}
