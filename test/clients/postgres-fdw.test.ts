import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startForeignServer, type ForeignServer } from '../engine/support/foreign-server.ts';
import { startDemo, type RunningDemo } from './support/demo.ts';
import { pgxSimple } from './support/drivers.ts';

let demo: RunningDemo;
let foreign: ForeignServer;
let client: Client;
beforeAll(async () => {
  [demo, foreign] = await Promise.all([startDemo(), startForeignServer()]);
  const { port, password } = foreign;
  client = new Client({ host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres' });
  await client.connect();
  const { login } = demo;
  // As docs/clients/postgres-fdw.md has it.
  await client.query(`
    create extension postgres_fdw;
    create server trailhound foreign data wrapper postgres_fdw
      options (host '127.0.0.1', port '${login.port}', dbname '${login.database}', fetch_size '10000');
    create user mapping for current_user server trailhound options (user '${login.user}', password '${login.password}');
    import foreign schema public limit to (cloudtrail_trail_event, guardduty_finding, abuseipdb_check_ip)
      from server trailhound into public`);
});
afterAll(async () => {
  await client.end();
  await foreign.stop();
  await demo.close();
});

test.each([
  ['a condition and an aggregate', `select event_name, count(*) from cloudtrail_trail_event group by event_name`],
  ['ORDER BY and LIMIT', 'select id, type from guardduty_finding order by id limit 3'],
  [
    'a join on a key',
    `select e.event_id, a.abuse_confidence_score from cloudtrail_trail_event e
     join abuseipdb_check_ip a on a.ip_address = e.source_ip where e.event_name = 'CreateUser'`,
  ],
  [
    'conditions on a key',
    `select ip_address, abuse_confidence_score from abuseipdb_check_ip where ip_address in ('45.83.12.7', '8.8.8.8')`,
  ],
])('another PostgreSQL gets the rows of %s', async (_what, sql) => {
  const { rows } = await client.query<(string | null)[]>({
    text: sql,
    rowMode: 'array',
    types: { getTypeParser: () => (value: string) => value },
  });
  const sorted = (lists: readonly (readonly (string | null)[])[]) => lists.map(String).sort();
  const expected = sorted((await demo.ask(pgxSimple, sql)).rows);
  expect(expected.length).toBeGreaterThan(1);
  expect(sorted(rows)).toEqual(expected);
});

test('each row of a local table can give a key', async () => {
  await client.query(`create table suspect (ip inet); insert into suspect values ('45.83.12.7'), ('8.8.8.8')`);
  const { rows } = await client.query(
    `select host(ip) as ip, a.abuse_confidence_score from suspect s
     cross join lateral (select * from abuseipdb_check_ip a where a.ip_address = s.ip offset 0) as a order by 1`,
  );
  expect(rows).toMatchObject([{ ip: '45.83.12.7' }, { ip: '8.8.8.8' }]);
});

test('a table that needs a key is refused there as here', async () => {
  await expect(client.query('select * from abuseipdb_check_ip')).rejects.toMatchObject({
    code: 'HV002',
    message: 'abuseipdb_check_ip needs a value for ip_address',
  });
});

/** Rows as text, sorted. */
async function rowsThere(sql: string): Promise<string[]> {
  const { rows } = await client.query<(string | null)[]>({
    text: sql,
    rowMode: 'array',
    types: { getTypeParser: () => (value: string) => value },
  });
  return rows.map(String).sort();
}

async function planThere(sql: string): Promise<string> {
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (verbose) ${sql}`);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

const SUSPECTS = `select host(s.ip), a.abuse_confidence_score from suspect s join abuseipdb_check_ip a on a.ip_address = s.ip`;

test('all tables are imported with the types of their columns', async () => {
  await client.query('create schema everything; import foreign schema public from server trailhound into everything');
  const columns = (schema: string) => `select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnum
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = '${schema}'::regnamespace and c.relkind in ('v', 'f')`;
  const expected = (await demo.ask(pgxSimple, columns('public'))).rows.map(String).sort();
  expect(expected.length).toBeGreaterThan(100);
  expect(await rowsThere(columns('everything'))).toEqual(expected);
});

test('ANALYZE reads a table that needs no key, and is refused one that does', async () => {
  await client.query('analyze guardduty_finding');
  const [[count] = []] = (await demo.ask(pgxSimple, 'select count(*) from guardduty_finding')).rows;
  expect(await rowsThere(`select reltuples from pg_class where oid = 'guardduty_finding'::regclass`)).toEqual([count]);
  await expect(client.query('analyze abuseipdb_check_ip')).rejects.toMatchObject({
    code: 'HV002',
    message: 'abuseipdb_check_ip needs a value for ip_address',
  });
});

test('a join of tables that are both ours is sent as one statement, and its key with it', async () => {
  const plan = await planThere(`select e.event_id, a.country_code from cloudtrail_trail_event e
    join abuseipdb_check_ip a on a.ip_address = e.source_ip where e.event_name = 'CreateUser'`);
  expect(plan).toMatch(/Remote SQL: SELECT .* INNER JOIN .*r1\.source_ip = r2\.ip_address/u);
});

test('many small fetches give all rows', async () => {
  const all = await rowsThere('select event_id, event_name from cloudtrail_trail_event');
  await client.query(`alter foreign table cloudtrail_trail_event options (add fetch_size '7')`);
  expect(await rowsThere('select event_id, event_name from cloudtrail_trail_event')).toEqual(all);
  await client.query(`alter foreign table cloudtrail_trail_event options (drop fetch_size)`);
  expect(all.length).toBeGreaterThan(100);
});

test.each([
  `insert into guardduty_finding (id) values ('x')`,
  `update guardduty_finding set title = 'x'`,
  `delete from guardduty_finding where id = 'x'`,
])('what would change a table is refused: %s', async (sql) => {
  await expect(client.query(sql)).rejects.toMatchObject({
    code: '42501',
    message: 'permission denied for view guardduty_finding',
  });
});

describe('with use_remote_estimate', () => {
  beforeAll(async () => {
    await client.query(`alter server trailhound options (add use_remote_estimate 'true')`);
  });
  afterAll(async () => {
    await client.query('alter server trailhound options (drop use_remote_estimate)');
  });

  test('what needs a key can be planned, and a local table gives them one by one', async () => {
    await client.query('analyze suspect; begin; set local enable_hashjoin = off; set local enable_mergejoin = off');
    expect(await planThere(SUSPECTS)).toMatch(/Nested Loop[^]*Remote SQL: .*\$1::inet/u);
    expect((await rowsThere(SUSPECTS)).map((row) => row.split(',')[0])).toEqual(['45.83.12.7', '8.8.8.8']);
    await client.query('rollback');
  });

  test.each([
    'select event_name, count(*) from cloudtrail_trail_event group by event_name',
    'select id, type from guardduty_finding order by id limit 3',
    `select e.event_id, a.abuse_confidence_score from cloudtrail_trail_event e
     join abuseipdb_check_ip a on a.ip_address = e.source_ip where e.event_name = 'CreateUser'`,
  ])('the rows are the same: %s', async (sql) => {
    const expected = (await demo.ask(pgxSimple, sql)).rows.map(String).sort();
    expect(expected.length).toBeGreaterThan(1);
    expect(await rowsThere(sql)).toEqual(expected);
  });
});
