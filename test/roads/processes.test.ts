import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.ts';
import { encodeCancelRequest } from '../../src/wire/frontend/cancel-request.ts';
import { startForeignServer, type ForeignServer } from '../engine/support/foreign-server.ts';
import { openProcesses, type Processes } from './support/processes.ts';
import { openProxy } from './support/proxy.ts';
import { failure, textRows } from './support/road.ts';
import { until } from './support/until.ts';

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
    startSimulator({
      world: { accounts: [], abuseipdb: { check, dailyLimit: { check: 100_000 }, blacklist: { made: 8_000 } } },
    }),
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

test('what one has asked the other knows, until either forgets it; grants count in both', async () => {
  const [here, there] = [await processes.connect(first.port), await processes.connect(second.port)];
  const one = `select abuse_confidence_score from abuseipdb_check_ip where ip_address = '${address(1)}'`;
  await here.query('select trailhound.cache_clear()');
  expect(await textRows(here, one)).toEqual([[`${score(1)}`]]);
  expect(await textRows(there, one)).toEqual([[`${score(1)}`]]);
  expect(simulator.calls.count({ operation: 'check' })).toBe(1);
  await there.query('select trailhound.cache_clear()');
  expect(await textRows(here, one)).toEqual([[`${score(1)}`]]);
  expect(simulator.calls.count({ operation: 'check' })).toBe(2);

  await here.query('create role reads_nothing');
  await there.query('set role reads_nothing');
  expect(await failure(there.query(one))).toMatchObject({ code: '42501' });
  await here.query('grant select on abuseipdb_check_ip to reads_nothing');
  expect(await textRows(there, one)).toEqual([[`${score(1)}`]]);
  await here.query('revoke select on abuseipdb_check_ip from reads_nothing');
  expect(await failure(there.query(one))).toMatchObject({ code: '42501' });
  await there.query('reset role');
  await here.query('drop role reads_nothing');
  expect(simulator.calls.count({ operation: 'check' })).toBe(2);
});

test('a table that is made by SQL at one process is there at the others, which ask for each key once', async () => {
  const [maker, other] = [await processes.connect(first.port), await processes.connect(second.port)];
  const text = `select score from made_check where ip in ('${address(1)}', '${address(2)}') order by 1`;
  await maker.query(`select trailhound.create_lookup('made_check', '${simulator.abuseipdbUrl}/check?ipAddress={ip}',
    '[{"name": "ip", "type": "inet", "key": true}, {"name": "score", "type": "integer", "path": "$.data.abuseConfidenceScore"}]', 'made')`);
  await until(async () => (await textRows(other, text).catch(() => [])).length > 0);
  const rows = await Promise.all([textRows(other, text), textRows(maker, text)]);
  expect(rows).toEqual([
    [['7'], ['14']],
    [['7'], ['14']],
  ]);
  expect([...simulator.calls.byKey({ operation: 'check' }).values()]).toEqual([1, 1]);
  await other.query("select trailhound.drop_lookup('made_check')");
  expect(await failure(maker.query(text))).toMatchObject({ code: '42P01' });
  await maker.end();
  await other.end();
});

/** The keys of a user's view are those of the statement that reads it, which the process of its client alone knows. */
const OVER_VIEW = `select s.n, s.score from scored s where s.n < 3 order by 1`;
const overView = async (port: number) => {
  const client = await processes.connect(port);
  return textRows(client, OVER_VIEW).finally(() => client.end());
};
const OF_VIEW = EXPECTED.slice(0, 3).map(([n, points]) => [n, points]);

test('what is below views is read by the process whose client asks', async () => {
  const client = await processes.connect(first.port);
  await client.query(
    `create view scored as select k.n, a.abuse_confidence_score as score
       from ${NUMBERED} join abuseipdb_check_ip a on a.ip_address = k.ip where k.n < 5`,
  );
  await until(async () => JSON.stringify(await overView(second.port).catch(() => [])) === JSON.stringify(OF_VIEW));
  for (const { port } of [first, second, first, second]) expect(await overView(port)).toEqual(OF_VIEW);
  const begun = new Date().toISOString();
  const third = await processes.start();
  try {
    expect(await overView(third.port)).toEqual(OF_VIEW);
    expect(await overView(first.port)).toEqual(OF_VIEW);
  } finally {
    // The tests that follow count who lives.
    await third.stop();
  }
  expect(await overView(first.port)).toEqual(OF_VIEW);
  expect(await overView(second.port)).toEqual(OF_VIEW);
  const served = await textRows(client, 'select distinct statement from trailhound.scan where started_at > $1', [
    begun,
  ]);
  expect(served).toEqual([[OVER_VIEW]]);
});

test('a statement that names what its process has not heard of yet is to be run again, not said to be unbounded', async () => {
  const superuser = await processes.engine();
  const client = await processes.connect(second.port);
  await superuser.query('set session_replication_role = replica');
  // Nobody is told of it; but whoever looks every few seconds may see it at once.
  let refused: unknown;
  for (let n = 1; refused === undefined; n += 1) {
    const text = OVER_VIEW.replace('from scored', `from unheard_${n}`);
    expect(await textRows(client, OVER_VIEW)).toEqual(OF_VIEW);
    await superuser.query(
      `create view workspace.unheard_${n} as select * from workspace.scored; alter view workspace.unheard_${n} owner to trailhound`,
    );
    refused = await client.query(text).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(await textRows(client, text)).toEqual(OF_VIEW);
    await client.query(`drop view unheard_${n}`);
  }
  expect(refused).toMatchObject({ code: '40001', hint: 'Run the statement again.' });
  await client.end();
});

test('what scans for a statement that nobody knows of is never chosen from rows of a default', async () => {
  const superuser = await processes.engine();
  const one = `select abuse_confidence_score from abuseipdb_check_ip where ip_address = '${address(1)}'`;
  expect(await textRows(superuser, one)).toEqual([[`${score(1)}`]]);
  expect(await textRows(superuser, `${one} and max_age_in_days = 30`)).toEqual([[`${score(1)}`]]);
  expect(await failure(superuser.query(`${one} and max_age_in_days::text = '30'`))).toMatchObject({ code: 'HV002' });
  const row = `select a from abuseipdb_check_ip a where ip_address = '${address(1)}' and max_age_in_days::text = '30'`;
  expect(await failure(superuser.query(row))).toMatchObject({ code: 'HV002' });
});

test('one with another password does not start, and changes nothing', async () => {
  await expect(processes.start({ password: 'another password' })).rejects.toMatchObject({
    code: 'configuration',
    message: 'another Trailhound serves that engine with another password',
  });
  expect(await overView(first.port)).toEqual(OF_VIEW);
});

test('a cancel that reaches another process ends the statement, whatever it waits for', async () => {
  const client = await processes.connect(first.port);
  const cancel = async (key: number) => {
    const { processID } = client as unknown as { processID: number };
    const secret = Buffer.alloc(4);
    secret.writeInt32BE(key);
    const socket = connect(second.port, '127.0.0.1');
    socket.end(encodeCancelRequest({ pid: processID, key: secret }));
    socket.resume();
    await once(socket, 'close');
  };
  const { secretKey } = client as unknown as { secretKey: number };
  const fetched = { isOver: false };
  await client.query(`select trailhound.cache_clear('abuseipdb_check_ip')`);
  simulator.fault({ service: 'abuseipdb', times: 1, effect: { kind: 'hang' } });
  const fetching = failure(client.query(`select * from abuseipdb_check_ip where ip_address = '${address(0)}'`));
  await simulator.calls.until((calls) => calls.count({ operation: 'check' }) === 1);
  await cancel(secretKey + 1);
  expect(simulator.calls.count({ state: 'open' })).toBe(1);
  // What the other process has not taken within a second is lost, as it is where a signal meets no statement.
  void fetching.then(() => (fetched.isOver = true));
  while (!fetched.isOver) await cancel(secretKey);
  expect(await fetching).toMatchObject({ code: '57014', message: 'canceling statement due to user request' });
  await simulator.calls.until((calls) => calls.count({ state: 'aborted' }) === 1);

  const sleeping = failure(client.query('select pg_sleep(600)'));
  const superuser = await processes.engine();
  await until(async () => (await superuser.query(ASLEEP)).rowCount === 1);
  await cancel(secretKey);
  expect(await sleeping).toMatchObject({ code: '57014' });
  expect((await superuser.query('select from trailhound.cancel_request')).rowCount).toBe(0);
});

test('one that is killed leaves its keys to the others, and nothing in the engine', async () => {
  const owner = await processes.connect(first.port);
  await owner.query('select trailhound.cache_clear()');
  await owner.query('set trailhound.max_lookups = 500');
  const killed = await processes.spawn();
  const doomed = await processes.connect(killed.port);
  // Its rows stand in a relation until the transaction ends.
  await doomed.query(
    'begin; declare listed cursor for select * from abuseipdb_blacklist where abuse_confidence_score >= 25; set trailhound.max_lookups = 500',
  );
  const superuser = await processes.engine();
  const left = async () => {
    const { rows } = await superuser.query(LEFT);
    return rows[0] as Record<string, string>;
  };
  expect(Number((await left()).relations)).toBeGreaterThan(0);

  simulator.setLatency('abuseipdb', 100);
  const lost = doomed.query(STATEMENT).catch((error: unknown) => error);
  await simulator.calls.until((calls) => calls.count({ operation: 'check' }) >= 16);
  const answered = textRows(owner, STATEMENT);
  await simulator.calls.until((calls) => calls.count({ operation: 'check' }) >= 100);
  await killed.child.stop('SIGKILL');
  expect(await lost).toBeInstanceOf(Error);
  simulator.setLatency('abuseipdb', 0);
  expect(await answered).toEqual(EXPECTED);
  const asked = simulator.calls.byKey({ operation: 'check' });
  expect(asked.size).toBe(KEYS);
  // Those on their way, and those that had come and were not written down yet.
  expect([...asked.values()].filter((count) => count > 1).length).toBeLessThanOrEqual(32);

  const third = await processes.start();
  await until(
    async () => JSON.stringify(await left()) === JSON.stringify({ relations: '0', claims: '0', rows: '0', locks: '3' }),
  );
  await third.stop();
  await until(async () => (await left()).locks === '2');
});

test('one that is stopped holds up nobody, and goes on where it was', async () => {
  const superuser = await processes.engine();
  const stopped = await processes.spawn();
  // Tried after the one that is stopped.
  const later = await processes.start();
  const [held, well] = [await processes.connect(stopped.port), await processes.connect(later.port)];
  await well.query('select trailhound.cache_clear()');
  for (const client of [held, well]) await client.query('set trailhound.max_lookups = 500');
  await well.query(`create function told(address text) returns integer language plpgsql as
    $$ declare found integer; begin execute format('select abuse_confidence_score from abuseipdb_check_ip where ip_address = %L', address) into found; return found; end $$`);
  simulator.setLatency('abuseipdb', 50);
  const waiting = textRows(held, STATEMENT);
  await simulator.calls.until((calls) => calls.count({ operation: 'check' }) >= 32);
  stopped.child.child.kill('SIGSTOP');
  try {
    // What it was asking for is taken over, ten seconds after it was last seen to work.
    await superuser.query(`update trailhound.key_claim set renewed_at = renewed_at - interval '1 minute'`);
    expect(await textRows(well, STATEMENT)).toEqual(EXPECTED);
    expect(await overView(later.port)).toEqual(OF_VIEW);
    await well.query('select trailhound.cache_clear()');
    expect(await textRows(well, `select told('${address(8)}')`)).toEqual([[`${score(8)}`]]);
    expect(await overView(later.port)).toEqual(OF_VIEW);
    const fourth = await processes.start();
    expect(await overView(fourth.port)).toEqual(OF_VIEW);
    await fourth.stop();
  } finally {
    stopped.child.child.kill('SIGCONT');
  }
  expect(await waiting).toEqual(EXPECTED);
  expect(await overView(stopped.port)).toEqual(OF_VIEW);
  expect(await textRows(held, `select told('${address(9)}')`)).toEqual([[`${score(9)}`]]);
  await well.query('drop function told');
  await stopped.child.stop('SIGTERM');
  await later.stop();
  await until(async () => (await superuser.query<{ locks: string }>(LEFT)).rows[0]?.locks === '2');
  expect((await superuser.query(LEFT)).rows).toMatchObject([{ relations: '0', claims: '0' }]);
});

test('one that its engine does not answer for a while holds up nobody, and comes back', async () => {
  const proxy = await openProxy(engine.port);
  const cutOff = await processes.start({ enginePort: proxy.port });
  const later = await processes.start();
  const superuser = await processes.engine();
  try {
    const [here, there] = [await processes.connect(cutOff.port), await processes.connect(later.port)];
    await there.query('select trailhound.cache_clear()');
    await here.query('set trailhound.max_lookups = 500');
    simulator.setLatency('abuseipdb', 50);
    const waiting = textRows(here, STATEMENT);
    await simulator.calls.until((calls) => calls.count({ operation: 'check' }) >= 32);
    proxy.pause();
    await superuser.query(`update trailhound.key_claim set renewed_at = renewed_at - interval '1 minute'`);
    expect(await overView(later.port)).toEqual(OF_VIEW);
    proxy.resume();
    expect(await waiting).toEqual(EXPECTED);
    expect(await overView(cutOff.port)).toEqual(OF_VIEW);

    const lost = failure(here.query('select pg_sleep(600)'));
    await until(async () => (await superuser.query(ASLEEP)).rowCount === 1);
    proxy.reset();
    expect(await lost).toMatchObject({ message: 'Connection terminated unexpectedly' });
    await until(async () => JSON.stringify(await overView(cutOff.port).catch(() => [])) === JSON.stringify(OF_VIEW));
    expect(await overView(later.port)).toEqual(OF_VIEW);
  } finally {
    await later.stop();
    await cutOff.stop();
    await proxy.close();
  }
  await until(async () => (await superuser.query<{ locks: string }>(LEFT)).rows[0]?.locks === '2');
  expect((await superuser.query(LEFT)).rows).toMatchObject([{ relations: '0', claims: '0' }]);
});

test.each(['SIGINT', 'SIGQUIT'] as const)(
  'an engine that ends by %s and comes back finds both, and nothing is left of what was under way',
  async (signal) => {
    simulator.fault({ service: 'abuseipdb', times: Infinity, effect: { kind: 'hang' } });
    const clients = [await processes.connect(first.port), await processes.connect(second.port)];
    const ended = clients.map((client, n) =>
      failure(client.query(`select * from abuseipdb_check_ip where ip_address = '44.1.1.${n}'`)),
    );
    await simulator.calls.until((calls) => calls.count({ state: 'open' }) === 2);
    await engine.kill(signal);
    // Who is shut down at once has no time for last words.
    for (const end of ended) expect((await end).code).toBe(signal === 'SIGINT' ? '57P01' : undefined);
    await simulator.calls.until((calls) => calls.count({ state: 'open' }) === 0);
    simulator.clearFaults();
    await engine.restart();
    for (const { port } of [first, second])
      await until(async () => JSON.stringify(await overView(port).catch(() => [])) === JSON.stringify(OF_VIEW));
    const superuser = await processes.engine();
    await until(async () => (await superuser.query<{ locks: string }>(LEFT)).rows[0]?.locks === '2');
    expect((await superuser.query(LEFT)).rows).toMatchObject([{ relations: '0', claims: '0' }]);
    // Who comes back first removes the other's listener, which that then tells of anew.
    await until(async () => (await superuser.query('select from trailhound.loopback')).rowCount === 2);
  },
);

const ASLEEP = `select from pg_stat_activity where query = 'select pg_sleep(600)' and wait_event = 'PgSleep'`;
const LIVING = `select l.objid::bigint from pg_locks l where l.locktype = 'advisory' and l.objsubid = 2
  and l.classid = x'747268'::int::oid and l.granted`;
const LEFT = `select (select count(*) from pg_class where relnamespace = 'trailhound_rows'::regnamespace) as relations,
  (select count(*) from trailhound.key_claim) as claims,
  (select count(*) from (select process from trailhound.kept_scan union all select process from trailhound.quota_claim
      union all select process from trailhound.loopback) r
    where process not in (${LIVING})) as rows,
  (select count(*) from (${LIVING}) l) as locks`;
