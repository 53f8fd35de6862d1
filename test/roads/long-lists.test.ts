import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { EVENTS, incident } from './support/incident.ts';
import { scoreOf } from './support/records.ts';
import { failure, openRoad, textRows, type Road } from './support/road.ts';

// Indicators come by the thousand, more than a select list of PostgreSQL may have entries (1,664).
const MANY = 3_000;

let road: Road;
let client: Client;

beforeAll(async () => {
  road = await openRoad({ simulator: { world: incident() } });
  client = await road.connect();
});

afterAll(async () => {
  await road.close();
});

const list = (value: (index: number) => string) =>
  Array.from({ length: MANY }, (_, index) => `'${value(index)}'`).join(', ');

test('an IN list of thousands over events finds what one of two finds', async () => {
  const [event] = EVENTS;
  const count = (names: string) => `select count(*) from cloudtrail_trail_event where event_name in (${names})`;
  const name = event?.eventName ?? '';
  expect(await textRows(client, count(`${list((index) => `Nothing${String(index)}`)}, '${name}'`))).toEqual([
    [String(EVENTS.filter(({ eventName }) => eventName === name).length)],
  ]);
});

test('an IN list of thousands of keys is looked up, or refused for their number', async () => {
  const scores = (addresses: string) =>
    `select abuse_confidence_score from abuseipdb_check_ip where ip_address in (${addresses}) and is_public`;
  const address = (first: string) => (index: number) => `${first}.${String(index >> 8)}.${String(index & 255)}`;
  expect(await textRows(client, scores(`${list(address('10.0'))}, '5.188.86.10'`))).toEqual([
    [String(scoreOf('5.188.86.10'))],
  ]);
  expect(await failure(client.query(scores(list(address('45.1')))))).toMatchObject({
    code: '53400',
    message: `${String(MANY)} lookups needed, 250 allowed by trailhound.max_lookups`,
  });
});
