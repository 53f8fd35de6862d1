import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBench, sorted, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench({ exactness: 'exact' });
});
afterAll(async () => {
  await bench.close();
});

const E = 'cloudtrail_trail_event';
const F = 'guardduty_finding';

/** A statement, and the rows after which each scan of events may end. */
type Case = readonly [name: string, text: string, limits: readonly (number | undefined)[]];

const CASES: readonly Case[] = [
  ['its own level', `select event_id from ${E} limit 3 offset 2`, [5]],
  ['a projection', `select x.n from (select event_name as n from ${E}) x limit 10`, [10]],
  ['projections of projections', `select * from (select * from (select event_id from ${E}) x) y limit 4`, [4]],
  [
    'conditions on every level',
    `select * from (select event_id, event_name from ${E} where error_code is null) x where event_name = 'GetObject' limit 3`,
    [3],
  ],
  ["a derived table's own", `select * from (select event_id from ${E} limit 5) x order by 1`, [5]],
  ['the smaller of two', `select * from (select event_id from ${E} limit 5) x limit 9`, [5]],
  [
    'the smaller of two, and what each skips',
    `select * from (select event_id from ${E} limit 8 offset 4) x limit 3 offset 1`,
    [8],
  ],
  ['a CTE that is mentioned once', `with e as (select event_id from ${E}) select * from e limit 6`, [6]],
  ['each branch of UNION ALL', `select event_id from ${E} union all select event_id from ${E} limit 7`, [7, 7]],
  [
    'not a CTE that is mentioned twice',
    `with e as (select event_id from ${E}) select * from e limit (select count(*) from e)`,
    [undefined],
  ],
  ['not UNION', `select username from ${E} union select username from ${E} limit 2`, [undefined]],
  ['not a sorted level', `select * from (select event_id from ${E}) x order by 1 limit 2`, [undefined]],
  ['not DISTINCT', `select * from (select distinct event_name from ${E}) x limit 2`, [undefined]],
  ['not a join', `select event_id, id from (select event_id from ${E}) x, ${F} limit 2`, [undefined]],
  ['not an aggregate', `select * from (select count(*) from ${E}) x limit 2`, [undefined]],
  ['not a window', `select * from (select sum(1) over () from ${E}) x limit 2`, [undefined]],
  ['not set-returning targets', `select generate_series(1, 2) from ${E} limit 2`, [undefined]],
  [
    'not a condition that is not pushed',
    `select * from (select event_id from ${E}) x where event_id > 'e01' limit 2`,
    [undefined],
  ],
  ['not a volatile condition', `select * from (select event_id from ${E}) x where random() >= 0 limit 2`, [undefined]],
  [
    'not FETCH WITH TIES',
    `select * from (select event_name from ${E}) x order by 1 fetch first 1 rows with ties`,
    [undefined],
  ],
  [
    'not past a level that drops rows',
    `select * from (select event_id from ${E} where length(event_id) = 3) x limit 2`,
    [undefined],
  ],
];

describe('LIMIT ends a scan through', () => {
  test.each(CASES)('%s', async (_name, text, limits) => {
    const expected = await bench.oracle(text);
    bench.events.requests.length = 0;
    const { rows } = await bench.ask(text);
    expect(bench.events.requests.map(({ limit }) => limit)).toEqual(limits);
    expect(rows.length).toBe(expected.length);
    const all = sorted(await bench.oracle(text.replaceAll(/(limit \d+( offset \d+)?)/g, '')));
    for (const row of sorted(rows)) expect(all).toContain(row);
  });
});

test('LIMIT in parameters', async () => {
  bench.events.requests.length = 0;
  const text = `select * from (select event_id from ${E}) x limit $1 offset $2`;
  expect((await bench.ask(text, ['3', '1'], [20, 20])).rows.length).toBe(3);
  expect((await bench.ask(text, [null, '58'], [20, 20])).rows.length).toBe(2);
  expect((await bench.ask(text, ['0', null], [20, 20])).scans).toBe(0);
  expect(bench.events.requests.map(({ limit }) => limit)).toEqual([4, undefined]);
});
