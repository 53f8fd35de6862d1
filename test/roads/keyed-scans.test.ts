import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { EVENTS, incident } from './support/incident.ts';
import { openRoad, sorted, textRows, type Road } from './support/road.ts';

/** Far more than one page of AWS's 10,000 events; each address has as many as the next. */
const COUNT = 24_000;
const ADDRESSES = 2_000;
const addressOf = (index: number) => `45.${String(80 + Math.floor(index / 250))}.12.${String(index % 250)}`;
const [FIRST] = EVENTS;
const MANY = Array.from({ length: COUNT }, (_, index) => ({
  ...FIRST,
  eventID: `event-${String(index)}`,
  eventTime: new Date(Date.UTC(2026, 10, 20) + index * 1_000).toISOString().replace('.000Z', 'Z'),
  sourceIPAddress: addressOf(index % ADDRESSES),
}));
/** Ten, of eight addresses; one that no event has. */
const FINDINGS = Array.from({ length: 10 }, (_, index) => ({
  id: `f${String(index)}`,
  severity: 5,
  remote: index === 9 ? '185.220.101.34' : addressOf((index % 8) * 100),
}));

let road: Road;
let client: Client;

beforeAll(async () => {
  road = await openRoad({ simulator: { world: incident(MANY, FINDINGS) } });
  client = await road.connect();
});
afterAll(async () => {
  await road.close();
});
beforeEach(() => {
  road.simulator.calls.reset();
});

const pages = () => road.simulator.calls.count({ service: 'logs', operation: 'FilterLogEvents' });
/** What the last scan of events brought. */
const eventsRead = async () => {
  const [[rows = ''] = []] = await textRows(
    client,
    `select rows from trailhound.scan where table_name = 'cloudtrail_trail_event' order by started_at desc limit 1`,
  );
  return Number(rows);
};

test('findings joined to events on the address read the events of their addresses, not the log group', async () => {
  const rows = await textRows(
    client,
    `select f.id, e.event_id from guardduty_finding f
     join cloudtrail_trail_event e on e.source_ip = f.remote_ip where f.severity >= 5`,
  );
  const expected = FINDINGS.flatMap(({ id, remote }) =>
    MANY.filter(({ sourceIPAddress }) => sourceIPAddress === remote).map(({ eventID }) => [id, eventID]),
  );
  expect(sorted(rows)).toEqual(sorted(expected));
  expect(await eventsRead()).toBe((8 * COUNT) / ADDRESSES);
  const narrowed = pages();

  road.simulator.calls.reset();
  await client.query('select max(source_ip) from cloudtrail_trail_event');
  expect(await eventsRead()).toBe(COUNT);
  expect(narrowed).toBeLessThan(pages());
});
