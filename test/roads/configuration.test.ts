import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { incident } from './support/incident.ts';
import { failure, openRoad, textRows, type Road } from './support/road.ts';

/** What the server says of its own configuration. */

let road: Road;
let client: Client;

beforeAll(async () => {
  road = await openRoad({ simulator: { world: incident() } });
  client = await road.connect();
});
afterAll(() => road.close());

const states = () => textRows(client, 'select name, kind, state, error from trailhound.connection');

test('trailhound.connection says whether each connection answers, and what it failed with', async () => {
  expect(await states()).toEqual([
    ['abuseipdb', 'abuseipdb', 'unused', ''],
    ['aws', 'aws', 'unused', ''],
  ]);
  await client.query(`select count(*) from cloudtrail_trail_event where event_time > now() - interval '1 hour'`);
  road.simulator.fault({ service: 'abuseipdb', times: 1, effect: { kind: 'error', status: 401 } });
  const statement = `select * from abuseipdb_check_ip where ip_address = '193.7.1.1'`;
  const { message } = await failure(client.query(statement));
  expect(await states()).toEqual([
    ['abuseipdb', 'abuseipdb', 'failed', message],
    ['aws', 'aws', 'ready', ''],
  ]);
  await client.query(statement);
  expect(await states()).toContainEqual(['abuseipdb', 'abuseipdb', 'ready', '']);
});

test('what is wrong with a statement alone says nothing of the connection', async () => {
  await failure(
    client.query(`select * from abuseipdb_check_ip where ip_address = '193.7.1.2' and max_age_in_days = 400`),
  );
  expect(await states()).toContainEqual(['abuseipdb', 'abuseipdb', 'ready', '']);
});

test('trailhound.hunt lists the saved hunts, whose statements run as they stand', async () => {
  const [hunt] = await textRows(
    client,
    `select severity, 'cloudtrail_trail_event' = any (tables), parameters -> 0 ->> 'name', sql
       from trailhound.hunt where name = 'cloudtrail/create-user-by-abusers'`,
  );
  expect(hunt?.slice(0, 3)).toEqual([expect.any(String), 't', 'since']);
  await client.query(hunt?.[3] ?? '');
});

test('trailhound.hunt tells what a hunt cannot do without', async () => {
  const rows = await textRows(
    client,
    `select p ->> 'name', p ->> 'required'
       from trailhound.hunt, jsonb_array_elements(parameters) as p
       where hunt.name = 'contain/user' and p ->> 'name' in ('until', 'user_name') order by 1`,
  );
  expect(rows).toEqual([
    ['until', 'false'],
    ['user_name', 'true'],
  ]);
});
