import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.ts';
import { startForeignServer, type ForeignServer } from '../engine/support/foreign-server.ts';
import { openProcesses, type Processes } from './support/processes.ts';
import { textRows } from './support/road.ts';

/** Several Trailhounds on one PostgreSQL: what they share, and what becomes of it when one of them dies. */

const KEYS = 500;
const address = (n: number) => `33.${1 + Math.floor(n / 250)}.7.${1 + (n % 250)}`;
const score = (n: number) => (n * 7) % 101;

let simulator: Simulator;
let engine: ForeignServer;
let processes: Processes;
let first: Awaited<ReturnType<Processes['start']>>;
let second: Awaited<ReturnType<Processes['start']>>;

beforeAll(async () => {
  const check = Object.fromEntries(
    Array.from({ length: KEYS }, (_, n) => [address(n), { abuseConfidenceScore: score(n), totalReports: n }]),
  );
  [simulator, engine] = await Promise.all([
    startSimulator({ world: { accounts: [], abuseipdb: { check, dailyLimit: { check: 100_000 } } } }),
    startForeignServer({ maxConnections: 250 }),
  ]);
  processes = await openProcesses(engine, simulator);
  first = await processes.start();
  second = await processes.start();
});

afterAll(async () => {
  await processes.close();
  await engine.stop();
  await simulator.close();
});

beforeEach(() => {
  simulator.calls.reset();
  simulator.setLatency('abuseipdb', 0);
});

const NUMBERED = `(select n, ('33.' || 1 + n / 250 || '.7.' || 1 + n % 250)::inet as ip from generate_series(0, ${KEYS - 1}) n) k`;
const STATEMENT = `select k.n, a.abuse_confidence_score, a.total_reports
  from ${NUMBERED} join abuseipdb_check_ip a on a.ip_address = k.ip order by 1`;
const EXPECTED = Array.from({ length: KEYS }, (_, n) => [`${n}`, `${score(n)}`, `${n}`]);

test('two processes with 25 sessions each ask for each of 500 keys once', async () => {
  simulator.setLatency('abuseipdb', 20);
  const ask = async (port: number) => {
    const client = await processes.connect(port);
    await client.query('set trailhound.max_lookups = 500');
    const rows = await textRows(client, STATEMENT);
    await client.end();
    return rows;
  };
  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => ask(n % 2 === 0 ? first.port : second.port)));
  for (const rows of answers) expect(rows).toEqual(EXPECTED);
  const asked = simulator.calls.byKey({ operation: 'check' });
  expect([...asked].filter(([, count]) => count !== 1)).toEqual([]);
  expect(asked.size).toBe(KEYS);
});
