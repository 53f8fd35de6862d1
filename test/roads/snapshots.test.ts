import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { incident } from './support/incident.ts';
import { openRoad, textRows, type Road } from './support/road.ts';

/** Few rows travel as parameters, many in a relation that COPY fills: a statement must not be able to tell. */

const START = Date.UTC(2026, 10, 20);
const EVENTS = Array.from({ length: 3_000 }, (_, index) => ({
  eventID: `event-${String(index).padStart(4, '0')}`,
  eventName: index < 10 ? 'CreateUser' : 'ListBuckets',
  eventTime: new Date(START + index * 1_000).toISOString(),
  sourceIPAddress: `45.83.12.${String(index % 4)}`,
  userAgent: index % 7 === 0 ? 'tab\there, line\nbreak, back\\slash, \\N, ü€𐍈 \u0000 \udc01' : null,
  requestParameters: { list: [1, null, { deep: 'ä' }], text: '{"not": "parsed"}' },
}));

let road: Road;
let client: Client;

beforeAll(async () => {
  road = await openRoad({ simulator: { world: incident(EVENTS) } });
  client = await road.connect();
});

afterAll(async () => {
  await road.close();
});

describe('a snapshot that is older than the rows', () => {
  test.each([
    'repeatable read, read only',
    'serializable, read only',
    'serializable, read only, deferrable',
    'repeatable read',
  ])('%s', async (mode) => {
    await client.query(`begin transaction isolation level ${mode}`);
    expect(await textRows(client, 'select count(*) from pg_class where false')).toEqual([['0']]);
    expect(await textRows(client, 'select count(*) from cloudtrail_trail_event')).toEqual([['3000']]);
    expect(
      await textRows(
        client,
        `select count(*) from cloudtrail_trail_event e join abuseipdb_check_ip a on a.ip_address = e.source_ip_address where e.event_name = 'CreateUser'`,
      ),
    ).toEqual([['10']]);
    await client.query('commit');
  });

  test('a cursor that outlives its transaction', async () => {
    await client.query('begin');
    await client.query(
      'declare events scroll cursor with hold for select event_id from cloudtrail_trail_event order by 1',
    );
    await client.query('commit');
    expect(await textRows(client, 'fetch last from events')).toEqual([['event-2999']]);
    expect(await textRows(client, 'fetch first from events')).toEqual([['event-0000']]);
    await client.query('close events');
  });
});

describe('every value arrives the same by either way', () => {
  const columns = `event_id, event_time, user_agent, request_parameters, request_parameters->>'text', cloudtrail_event->>'eventName'`;
  const expected = (count: number) =>
    EVENTS.slice(0, count).map((event) => [
      event.eventID,
      event.eventTime.replace('T', ' ').replace('.000Z', '+00'),
      event.userAgent?.replace('\u0000', '\ufffd').replace('\udc01', '\ufffd') ?? '',
      '{"list": [1, null, {"deep": "ä"}], "text": "{\\"not\\": \\"parsed\\"}"}',
      '{"not": "parsed"}',
      event.eventName,
    ]);

  test.each([
    ['as parameters', `where event_name = 'CreateUser'`, 10],
    ['in a relation', '', 3_000],
  ])('%s', async (_, where, count) => {
    await client.query(`set timezone = 'UTC'`);
    const rows = await textRows(client, `select ${columns} from cloudtrail_trail_event ${where} order by event_id`);
    expect(rows).toEqual(expected(count));
  });

  test('what PostgreSQL cannot store is replaced, and counted', async () => {
    const notices: string[] = [];
    client.on('notice', ({ message }) => notices.push(message ?? ''));
    await client.query('select user_agent from cloudtrail_trail_event');
    expect(notices.join('\n')).toMatch(/858 characters of cloudtrail_trail_event .*U\+FFFD/);
  });
});

describe('bounds of time', () => {
  const iso = (index: number) => new Date(START + index * 1_000).toISOString();

  test.each([
    ['closed', `event_time >= '${iso(5)}' and event_time <= '${iso(14)}'`, 10],
    ['open', `event_time > '${iso(5)}' and event_time < '${iso(14)}'`, 8],
    ['between', `event_time between '${iso(5)}' and '${iso(14)}'`, 10],
    ['equal', `event_time = '${iso(5)}'`, 1],
    ['in another zone', `event_time >= '2026-11-20 01:00:00+01' and event_time < '2026-11-20 00:00:07.5+00'`, 8],
    ['by an expression', `event_time < timestamptz '${iso(0)}' + interval '1 minute'`, 60],
    ['a day', `event_time::date = '2026-11-20'`, 3_000],
    ['the wrong way around', `event_time > '${iso(9)}' and event_time < '${iso(3)}'`, 0],
  ])('%s: %s', async (_, where, count) => {
    await client.query(`set timezone = 'UTC'`);
    expect(await textRows(client, `select count(*) from cloudtrail_trail_event where ${where}`)).toEqual([
      [String(count)],
    ]);
  });

  test('the log event has a time of its own, to the millisecond', async () => {
    const [[first = '', last = ''] = []] = await textRows(
      client,
      'select min(timestamp_ms), max(timestamp_ms) from cloudtrail_trail_event',
    );
    for (const [where, count] of [
      [`timestamp_ms = ${first}`, 1],
      [`timestamp_ms < ${first}`, 0],
      [`timestamp_ms > ${last}`, 0],
      [`timestamp >= to_timestamp(${first} / 1000.0)`, 3_000],
    ] as const) {
      const [[found] = []] = await textRows(client, `select count(*) from cloudtrail_trail_event where ${where}`);
      expect(Number(found), where).toBeGreaterThanOrEqual(count);
      if (count !== 1) expect(Number(found), where).toBe(count);
    }
  });
});
