import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { incident } from './support/incident.ts';
import { failure, openRoad, textRows, type Road } from './support/road.ts';
import { timeOut } from './support/time-out.ts';

let road: Road;
let client: Client;
let network = 0;

beforeAll(async () => {
  road = await openRoad({ simulator: { world: incident() } });
});
afterAll(async () => {
  await road.close();
});
beforeEach(async () => {
  network += 1;
  road.simulator.calls.reset();
  client = await road.connect();
});
afterEach(async () => {
  road.simulator.clearFaults();
  await client.end();
});

/** Addresses that no other test asks for. */
const lookup = (count: number, from = 0) => {
  const keys = Array.from({ length: count }, (_, index) => `'193.4.${String(network)}.${String(from + index)}'`);
  return `select ip_address from abuseipdb_check_ip where ip_address in (${keys.join(', ')})`;
};

const last = async (columns: string, count = 1, reader = client) =>
  textRows(
    reader,
    `select ${columns} from (select * from trailhound.scan order by started_at desc limit ${count}) s order by started_at`,
  );

test('a look-up shows what it asked and what that cost, at once', async () => {
  await client.query(lookup(2));
  const statement = lookup(4);
  await client.query(statement);
  expect(await last('role, table_name, kind, pushed, keys, calls, rows, cache_hits, sqlstate, error')).toEqual([
    [
      'trailhound',
      'abuseipdb_check_ip',
      'lookup',
      '{"ip_address: 4 values of the list in the statement"}',
      '4',
      '2',
      '4',
      '2',
      '',
      '',
    ],
  ]);
  expect(await last(`statement, duration >= waited and waited >= interval '0'`)).toEqual([[statement, 't']]);
});

test('a scan shows what it told the service, its pages and bytes', async () => {
  await client.query(
    `select event_id from cloudtrail_trail_event where event_name = 'CreateUser' and user_agent is not null`,
  );
  const [[table, kind, pushed = '', keys, ...counts] = []] = await last(
    'table_name, kind, pushed, keys, calls > 0, pages > 0, rows > 0, bytes > 0',
  );
  expect([table, kind, keys]).toEqual(['cloudtrail_trail_event', 'scan', '']);
  expect(pushed).toContain('$.eventName = ');
  expect(counts).toEqual(['t', 't', 't', 't']);
});

test('each reference of a statement is a scan of its own', async () => {
  await client.query(`select count(*) from cloudtrail_trail_event e join abuseipdb_check_ip a on a.ip_address = e.source_ip_address
    where e.event_name = 'CreateUser'`);
  expect(await last('table_name, statement ~ $$^select count$$', 2)).toEqual([
    ['cloudtrail_trail_event', 't'],
    ['abuseipdb_check_ip', 't'],
  ]);
});

test('what fails and what is cancelled is there, with why', async () => {
  await client.query('set trailhound.max_lookups = 1');
  await failure(client.query(lookup(2)));
  expect(await last('calls, sqlstate, error')).toEqual([
    ['0', '53400', '2 lookups needed, 1 allowed by trailhound.max_lookups'],
  ]);
  await client.query('reset trailhound.max_lookups');
  road.simulator.fault({ service: 'abuseipdb', times: Infinity, effect: { kind: 'hang' } });
  await timeOut(road, client, lookup(3), 3);
  expect(await last('calls, rows, sqlstate, error')).toEqual([
    ['3', '0', '57014', 'canceling statement due to statement timeout'],
  ]);
});

test('others see that something was read, and only members of pg_read_all_stats what', async () => {
  await client.query(`create role onlooker login password 'onlooker'`);
  await client.query(lookup(1));
  const columns = 'role, table_name, calls, statement, pushed, error';
  await road.with(
    async (onlooker) => {
      expect(await last(columns, 1, onlooker)).toEqual([
        ['trailhound', 'abuseipdb_check_ip', '1', '<insufficient privilege>', '', ''],
      ]);
      expect(await failure(onlooker.query('select * from trailhound.scan_entry'))).toMatchObject({ code: '42501' });
      expect(await failure(onlooker.query(`select trailhound.record_scans('[]', 0)`))).toMatchObject({ code: '42501' });
      expect(await failure(onlooker.query('delete from trailhound.scan'))).toMatchObject({ code: '55000' });
    },
    { user: 'onlooker', password: 'onlooker' },
  );
  expect(await textRows(client, `select statement <> '' from trailhound.scan where pushed is null`)).toEqual([]);
});

test('trailhound.cache counts what is kept and how often it was of use', async () => {
  const before = await cached();
  await client.query(lookup(3));
  await client.query(lookup(4));
  const after = await cached();
  expect([after.entries - before.entries, after.hits - before.hits]).toEqual([4, 3]);
  expect(after.bytes).toBeGreaterThan(before.bytes);
});

async function cached(): Promise<{ entries: number; bytes: number; hits: number }> {
  const [row = []] = await textRows(client, 'select entries, bytes, hits from trailhound.cache');
  const [entries = 0, bytes = 0, hits = 0] = row.map(Number);
  return { entries, bytes, hits };
}
