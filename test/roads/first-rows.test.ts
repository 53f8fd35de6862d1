import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { EVENTS, incident } from './support/incident.ts';
import { openRoad, textRows, type Road } from './support/road.ts';

/** A second apart; more than twenty pages. */
const COUNT = 24_000;
const START = Date.UTC(2026, 10, 20);
const [FIRST] = EVENTS;
const MANY = Array.from({ length: COUNT }, (_, index) => ({
  ...FIRST,
  eventID: `event-${String(index)}`,
  eventTime: new Date(START + index * 1_000).toISOString().replace('.000Z', 'Z'),
  sourceIPAddress: `45.80.${String(Math.floor(index / 250) % 250)}.${String(index % 250)}`,
}));
const newest = (count: number) => Array.from({ length: count }, (_, index) => [`event-${String(COUNT - 1 - index)}`]);

let road: Road;
let client: Client;

beforeAll(async () => {
  road = await openRoad({ simulator: { world: incident(MANY, []) } });
  client = await road.connect();
});
afterAll(async () => {
  await road.close();
});
beforeEach(() => {
  road.simulator.calls.reset();
});

const pages = () => road.simulator.calls.count({ service: 'logs', operation: 'FilterLogEvents' });
const IN_RANGE = `event_time between '2026-11-19' and '2026-11-20 06:40'`;

test('the newest events of a range are read from its end on', async () => {
  const text = `select event_id from cloudtrail_trail_event where ${IN_RANGE} order by event_time desc limit 20`;
  expect(await textRows(client, text)).toEqual(newest(20));
  expect(pages()).toBeLessThanOrEqual(10);
});

test('the oldest events, of which no time is said, from its start on', async () => {
  const text = 'select event_id from cloudtrail_trail_event order by "timestamp", event_time limit 2';
  expect(await textRows(client, text)).toEqual(
    (
      await textRows(
        client,
        'select event_id from (select * from cloudtrail_trail_event) e order by "timestamp", event_time',
      )
    ).slice(0, 2),
  );
  road.simulator.calls.reset();
  await client.query(text);
  expect(pages()).toBeLessThanOrEqual(4);
});

test('of conditions that PostgreSQL alone knows so many are read as it takes', async () => {
  const rows = await textRows(
    client,
    `select event_id from cloudtrail_trail_event where ${IN_RANGE} and substr(event_id, 7)::int % 5000 = 0
     order by event_time desc, event_id limit 3`,
  );
  expect(rows).toEqual([['event-20000'], ['event-15000'], ['event-10000']]);
  const read = pages();
  road.simulator.calls.reset();
  await client.query(`select max(source_ip) from cloudtrail_trail_event where ${IN_RANGE}`);
  expect(read).toBeLessThan(pages() + 10);
});

test('and where they are too few, all of them', async () => {
  const rows = await textRows(
    client,
    `select event_id from cloudtrail_trail_event where ${IN_RANGE} and substr(event_id, 7)::int % 5000 = 0
     order by event_time desc limit 100`,
  );
  expect(rows.flat()).toEqual(['event-20000', 'event-15000', 'event-10000', 'event-5000', 'event-0']);
});

test('addresses of the newest events are looked up, and no others', async () => {
  const rows = await textRows(
    client,
    `select e.event_id from cloudtrail_trail_event e left join abuseipdb_check_ip a on a.ip_address = e.source_ip
     where ${IN_RANGE} order by e.event_time desc limit 5`,
  );
  expect(rows).toEqual(newest(5));
  expect(road.simulator.calls.count({ service: 'abuseipdb' })).toBe(5);
});
