import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
