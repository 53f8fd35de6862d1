import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { EVENTS, incident } from './support/incident.ts';
import { failure, openRoad, simulatedConnections, textRows, type Road } from './support/road.ts';
import { until } from './support/until.ts';

/** Enough that the rows do not travel as parameters. */
const MANY = Array.from({ length: 40 }, (_, round) =>
  EVENTS.map((event) => ({ ...event, eventID: `${String(round)}-${event.eventID}` })),
).flat();

let road: Road;
let client: Client;

beforeAll(async () => {
  road = await openRoad({
    simulator: { world: incident(MANY) },
    yaml: (simulator) => `${simulatedConnections(simulator)}\ncache: { tables: { cloudtrail_trail_event: 0s } }`,
  });
  client = await road.connect();
});

afterAll(async () => {
  await road.close();
});

const RELATIONS = `select relname from pg_class where relnamespace = 'trailhound_rows'::regnamespace`;
const ALL = 'select * from cloudtrail_trail_event';

/** Nothing of ours is left, in the session or beside it. */
async function expectNothingLeft(session = client): Promise<void> {
  await until(async () => (await textRows(session, RELATIONS)).length === 0);
  expect(await textRows(session, 'select name from pg_prepared_statements')).toEqual([]);
  expect(await textRows(session, 'select name from pg_cursors')).toEqual([]);
}

test('a statement keeps its relation while it runs, and no longer', async () => {
  await client.query('begin');
  await client.query(`declare events no scroll cursor for ${ALL}`);
  expect(await textRows(client, 'fetch 10 from events')).toHaveLength(10);
  expect(await textRows(client, RELATIONS)).not.toEqual([]);
  await client.query('commit');
  await expectNothingLeft();
});

test.each([
  ['a simple query', async () => client.query(ALL)],
  ['a prepared one', async () => client.query({ text: `${ALL} where event_name = $1`, values: ['CreateUser'] })],
  ['COPY', async () => client.query(`copy (${ALL}) to stdout`)],
  ['CREATE TABLE AS', async () => client.query(`create temp table copied as ${ALL}; drop table copied`)],
  ['EXPLAIN ANALYZE', async () => client.query(`explain analyze ${ALL}`)],
  ['an error while it runs', async () => failure(client.query(`select 1 / (count(*) - count(*)) from (${ALL}) e`))],
  [
    'an error before its look-up',
    async () => failure(client.query(`${ALL} e join abuseipdb_check_ip a on a.ip_address = e.event_id::inet`)),
  ],
  [
    'a transaction that is rolled back',
    async () => {
      await client.query('begin');
      await client.query(ALL);
      await client.query('rollback');
    },
  ],
])('after %s', async (_, work) => {
  await work();
  await expectNothingLeft();
});

test('after a client that went away in the middle of its cursor', async () => {
  const other = await road.connect();
  await other.query('begin');
  await other.query(`declare events cursor for ${ALL}`);
  await other.query('fetch 10 from events');
  (other as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  await expectNothingLeft();
});

test("a client's own prepared statements and cursors are the only ones that it sees", async () => {
  const other = await road.connect();
  await other.query({
    name: 'mine',
    text: `select count(*) from cloudtrail_trail_event where event_name = $1`,
    values: ['none'],
  });
  expect(await textRows(other, 'select name from pg_prepared_statements')).toEqual([['mine']]);
  await other.query('begin');
  await other.query(`declare mine cursor for ${ALL}`);
  expect(await textRows(other, 'select name from pg_cursors')).toEqual([['mine']]);
  await other.query('commit');
  await other.query('deallocate all');
  await expectNothingLeft(other);
  await other.end();
});

test('no backend stays behind its client', async () => {
  const others = await Promise.all(Array.from({ length: 5 }, () => road.connect()));
  await Promise.all(others.map((other) => other.query(`${ALL} limit 5`)));
  await Promise.all(others.map((other) => other.end()));
  const mine = `select count(*) from pg_stat_activity where usename = 'trailhound'`;
  await until(async () => (await textRows(client, mine))[0]?.[0] === '1');
});
