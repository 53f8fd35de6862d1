import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { incident } from './support/incident.ts';
import { failure, openRoad, textRows, type Road } from './support/road.ts';

let road: Road;
let client: Client;

beforeAll(async () => {
  road = await openRoad({ simulator: { world: incident() } });
  client = await road.connect();
  await client.query(`
    create function checked(d int) returns table (ip inet, days int) stable begin atomic
      select ip_address, max_age_in_days from abuseipdb_check_ip where ip_address = '5.188.86.10' and max_age_in_days = d; end;
    create function checked_text(since text) returns setof int stable language sql
      as $$ select days from checked(since::int + 0) $$;
    create function created_since(since timestamptz, what text) returns setof text stable language sql
      as $$ select event_id from cloudtrail_trail_event where event_time > since and event_name = what $$;
    create function checked_variable(d int) returns setof int stable language plpgsql
      as $$ begin return query select max_age_in_days from abuseipdb_check_ip
        where ip_address = '5.188.86.10' and max_age_in_days = d; end $$;
    create function checked_setting() returns setof int stable language plpgsql
      as $$ begin return query select max_age_in_days from abuseipdb_check_ip
        where ip_address = '5.188.86.10' and max_age_in_days = current_setting('hunt.days')::int; end $$;
    create function checked_joined() returns setof int stable language plpgsql
      as $$ begin return query select c.max_age_in_days from abuseipdb_check_ip c, windows w
        where c.ip_address = '5.188.86.10' and c.max_age_in_days = w.days; end $$;
    create function shown() returns setof int stable language plpgsql
      as $$ begin return query select abuse_confidence_score from abuseipdb_check_ip where ip_address = '5.188.86.10'; end $$;
    create table windows (days int);
    insert into windows values (30);
    create view checked_thirty as select days from checked(30)`);
});
afterAll(async () => {
  await road.close();
});

test.each([
  ['select days from checked(30)'],
  [`select * from checked_text('30')`],
  ['select * from checked_thirty'],
  ['select * from checked_variable(30)'],
  ['select days from (select 30 as own) o, checked(o.own)'],
])('an argument of a function is asked for: %s', async (text) => {
  expect(await textRows(client, text)).toEqual([['30']]);
});

test('a parameter is', async () => {
  expect(await textRows(client, 'select days from checked($1)', [30])).toEqual([['30']]);
});

test('a setting that a function reads is', async () => {
  await client.query(`set hunt.days = '30'`);
  const text = `select * from checked(current_setting('hunt.days')::int)`;
  expect(await textRows(client, text)).toEqual([['5.188.86.10', '30']]);
});

test.each([['select * from checked_setting()'], ['select * from checked_joined()']])(
  'a condition that PostgreSQL computes itself, in PL/pgSQL, is refused: %s',
  async (text) => {
    await client.query(`set hunt.days = '30'`);
    expect(await failure(client.query(text))).toMatchObject({
      code: 'HV002',
      message: 'abuseipdb_check_ip needs values for max_age_in_days',
      hint: 'Name the values as well, as in: max_age_in_days in (30, 90).',
    });
  },
);

test('what reads no input column is asked with the default', async () => {
  expect(await textRows(client, 'select * from shown()')).toHaveLength(1);
});

test('rows below a view give values', async () => {
  await client.query(`create view joined as select c.ip_address, c.max_age_in_days as days from abuseipdb_check_ip c
    join windows w on c.max_age_in_days = w.days`);
  expect(await textRows(client, `select * from joined where ip_address = '5.188.86.10'`)).toEqual([
    ['5.188.86.10', '30'],
  ]);
});

test('arguments narrow a scan like constants', async () => {
  road.simulator.calls.reset();
  const rows = await textRows(client, `select * from created_since('2020-01-01', 'CreateUser')`);
  expect(rows.length).toBeGreaterThan(0);
  const explained = await textRows(
    client,
    `explain select * from cloudtrail_trail_event e, (select 'CreateUser' as what) g
    where e.event_name = g.what`,
  );
  expect(explained.flat().join('\n')).toMatch(/Pushed event_name \(exact\): \{ \$\.eventName = "CreateUser" \}/);
});
