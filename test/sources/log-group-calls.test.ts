import { afterEach, expect, test } from 'vitest';
import type { FilterLogEventsOptions } from '../../src/simulator/logs/filter-log-events.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { type LogEvents, singleLogGroup } from '../../src/simulator/world.ts';
import { cloudwatchLogsSource } from '../../src/sources/aws/cloudwatch-logs/source.ts';
import type { AwsConnection } from '../../src/sources/aws/connection.ts';
import type { Order } from '../../src/sources/source.ts';
import { connectTo } from '../support/connect-to.ts';
import { allRecords, column, predicate, scanRequest } from '../support/source-harness.ts';

/** What reading one log group costs: five requests a second are all that AWS allows for all of them. */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 10, 1);
const END = START + 7 * DAY;
const TIMESTAMP = column('timestamp', '@timestamp', 'timestamp with time zone');
const EVENT_NAME = column('event_name', 'eventName');
const WEEK = [predicate(TIMESTAMP, '>=', String(START)), predicate(TIMESTAMP, '<=', String(END))];
const NEWEST_FIRST: Order = { column: TIMESTAMP, direction: 'desc', nulls: 'first' };
/** Of the synthetic events' 1.2 KB. */
const EVENTS_A_PAGE = 750;

let simulator: Simulator;
let connection: AwsConnection;

afterEach(async () => {
  await simulator.close();
});
const connect = connectTo(() => simulator);

async function open(events: LogEvents, logs: Omit<FilterLogEventsOptions, 'notEqualMatchesMissing'> = {}) {
  simulator = await startSimulator({ world: singleLogGroup(events), logs });
  connection = connect({ regions: ['us-east-1'], logGroups: ['CloudTrail/GlobalServiceEvents'] });
}

const spread = (count: number, from = START, to = END): LogEvents => ({ synthetic: { count, from, to } });
const wide = (count: number, from: number, to: number) =>
  Array.from({ length: count }, (_, index) => ({
    eventID: `${String(from)}-${String(index)}`,
    eventTime: new Date(from + Math.floor((index * (to - from)) / count)).toISOString(),
    requestParameters: 'x'.repeat(20_000),
  }));

async function read(predicates = WEEK, order?: Order): Promise<{ readonly events: number; readonly calls: number }> {
  simulator.calls.reset();
  const records = await allRecords(cloudwatchLogsSource([connection]), scanRequest(predicates, order && { order }));
  const ids = new Set(records.map(({ value }) => (value as { eventID: string }).eventID));
  expect(ids.size).toBe(records.length);
  return { events: records.length, calls: simulator.calls.count({ operation: 'FilterLogEvents' }) };
}

test('without an event in the range: one', async () => {
  await open(spread(1_000, START - 30 * DAY, START - 20 * DAY));
  expect(await read()).toEqual({ events: 0, calls: 1 });
  expect(await read(WEEK, NEWEST_FIRST)).toEqual({ events: 0, calls: 1 });
});

test('of a few events, where the service answers every other request with an empty page: one more', async () => {
  await open(spread(50, START, END), { emptyPageEvery: 2 });
  for (const order of [undefined, NEWEST_FIRST]) {
    const { events, calls } = await read(WEEK, order);
    expect(events).toBe(50);
    expect(calls).toBeLessThanOrEqual(2);
  }
});

test('of a few pages: as many', async () => {
  await open(spread(3 * EVENTS_A_PAGE));
  expect((await read()).calls).toBeLessThanOrEqual(4);
});

test.each([0, 3, 6])(
  'of six pages that are all of one hour, %i days after the beginning: half as many more',
  async (day) => {
    await open(spread(6 * EVENTS_A_PAGE, START + day * DAY, START + day * DAY + HOUR));
    const { events, calls } = await read();
    expect(events).toBe(6 * EVENTS_A_PAGE);
    expect(calls).toBeLessThanOrEqual(11);
  },
);

test('of six pages of a year ago, in a range that nothing bounds: twice as many', async () => {
  await open(spread(6 * EVENTS_A_PAGE, START - 365 * DAY, START - 364 * DAY));
  expect((await read([])).calls).toBeLessThanOrEqual(13);
});

test.each(['CreateUser', 'NoSuchCall'])(
  'where a pattern (%s) is searched for in a few steps: one each',
  async (name) => {
    await open(spread(3_000), { eventsScannedPerPage: 500 });
    expect((await read([...WEEK, predicate(EVENT_NAME, '=', name)])).calls).toBe(6);
  },
);

test.each([
  ['CreateUser', 10_000 / 16],
  ['NoSuchCall', 0],
])('where a pattern (%s) is searched for in many steps: some more than those', async (name, found) => {
  await open(spread(10_000), { eventsScannedPerPage: 100 });
  const wanted = [...WEEK, predicate(EVENT_NAME, '=', name)];
  for (const order of [undefined, NEWEST_FIRST]) {
    const { events, calls } = await read(wanted, order);
    expect(Math.abs(events - found)).toBeLessThanOrEqual(1);
    expect(calls).toBeLessThanOrEqual(135);
  }
});

test('of a quiet week that ends in a flood: those of the flood, many at once', async () => {
  const flood = wide(2_000, END - 2 * HOUR, END);
  await open({ records: [...wide(120, START, END - 2 * HOUR), ...flood], delivery: { maxDelayMs: 0 } });
  simulator.setLatency('logs', 20);
  const { events, calls } = await read();
  expect(events).toBe(2_120);
  expect(calls).toBeLessThanOrEqual(75);
  expect(simulator.calls.maxConcurrency('logs')).toBeGreaterThan(1);
});
