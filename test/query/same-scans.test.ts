import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openBench, sorted, type Bench } from './support/bench.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());
beforeEach(() => {
  bench.events.requests.length = 0;
});

const CREATED = `event_name = 'CreateUser' and event_time > '2020-01-01'`;

it.each([
  [
    'mentions of one table with the same conditions, in any order, whatever columns each needs',
    `select a.event_id, (select count(distinct b.user_agent) from cloudtrail_trail_event b
       where b.event_time > '2020-01-01' and b.event_name = 'CreateUser')
     from cloudtrail_trail_event a where ${CREATED}`,
    1,
  ],
  [
    'mentions without conditions',
    'select count(*), (select max(event_id) from cloudtrail_trail_event) from cloudtrail_trail_event',
    1,
  ],
  [
    'a CTE and the branches of a union',
    `with a as (select username from cloudtrail_trail_event where ${CREATED})
     select username from a union all select event_id from cloudtrail_trail_event where ${CREATED}
     union all select error_code from cloudtrail_trail_event where ${CREATED}`,
    1,
  ],
  [
    'a whole row beside a column',
    `select a.event_id, to_jsonb(b) ->> 'event_name' from cloudtrail_trail_event a join cloudtrail_trail_event b using (event_id)`,
    1,
  ],
  [
    'other conditions',
    `select event_id from cloudtrail_trail_event where ${CREATED}
     union all select event_id from cloudtrail_trail_event where event_name = 'DeleteUser'`,
    2,
  ],
  [
    'an equality beside its opposite',
    `select event_id from cloudtrail_trail_event where username = 'a' union all select event_id from cloudtrail_trail_event where username <> 'a'`,
    2,
  ],
  [
    'one that has no row beside one that has',
    `select event_id from cloudtrail_trail_event where ${CREATED} union all select event_id from cloudtrail_trail_event where ${CREATED} and false`,
    1,
  ],
])('%s: rows are as over plain tables, and each scan is asked for once', async (_, text, scans) => {
  const answer = await bench.ask(text);
  expect(sorted(answer.rows)).toEqual(sorted(await bench.oracle(text)));
  expect(answer.scans).toBe(scans);
});

it('asks for the columns of all mentions, each once', async () => {
  await bench.ask(
    `select username from cloudtrail_trail_event where ${CREATED} union all select error_code from cloudtrail_trail_event where ${CREATED}`,
  );
  const [request] = bench.events.requests;
  expect(request?.columns.map(({ name }) => name).sort()).toEqual([
    'error_code',
    'event_name',
    'event_time',
    'username',
  ]);
});

it('counts the calls of a shared scan once', async () => {
  const { rows } = await bench.ask(
    `explain analyze select username from cloudtrail_trail_event where ${CREATED} union all select error_code from cloudtrail_trail_event where ${CREATED}`,
  );
  const calls = rows.flatMap(([line]) => / calls=(\d+)/.exec(String(line))?.slice(1) ?? []);
  expect(calls.map(Number).sort()).toEqual([0, 1]);
});
