import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aggregationText } from '../../src/sources/aggregation-text.ts';
import { openBench, sorted, type Bench } from './support/bench.ts';

let bench: Bench;
let inexact: Bench;
beforeAll(async () => {
  [bench, inexact] = [
    await openBench({ exactness: 'exact', aggregation: 'exact' }),
    await openBench({ exactness: 'inexact', aggregation: 'exact' }),
  ];
});
afterAll(async () => {
  await bench.close();
  await inexact.close();
});

const E = 'cloudtrail_trail_event';
const A = 'abuseipdb_check_ip';

/** What the events' source is asked for by a statement that gives PostgreSQL's rows. */
async function asksFor(text: string, on = bench): Promise<(string | undefined)[]> {
  const before = on.events.requests.length;
  const { rows } = await on.ask(text);
  expect(sorted(rows), text).toEqual(sorted(await on.oracle(text)));
  return on.events.requests
    .slice(before)
    .map(({ aggregation }) => (aggregation === undefined ? undefined : aggregationText(aggregation)));
}

const AGGREGATED: readonly (readonly [name: string, text: string, asked: string])[] = [
  ['all rows', `select count(*) from ${E}`, 'count(*)'],
  [
    'none of them',
    `select count(*), max(event_time) from ${E} where event_name = 'None'`,
    'count(*), max(event_time), count(event_time), count(event_name)',
  ],
  ['of values, with NULLs', `select count(username), count(1), count(*) + 1 from ${E}`, 'count(*), count(username)'],
  [
    'first and last',
    `select min(event_time), max(event_time) from ${E} e`,
    'count(*), min(event_time), max(event_time), count(event_time)',
  ],
  [
    'where conditions are exact',
    `select count(*), max(event_time) from ${E} where event_time > '2026-11-18' and event_name in ('CreateUser', 'GetObject') and error_code is null`,
    'count(*), max(event_time), count(event_time), count(event_name), count(error_code)',
  ],
  ['groups', `select event_name, count(*) from ${E} group by event_name`, 'count(*) by event_name'],
  [
    'groups with NULL',
    `select username, count(*), count(username) from ${E} group by 1`,
    'count(*), count(username) by username',
  ],
  [
    'groups of several, under other names',
    `select e.name, count(*) n, min(event_time) from ${E} e (name) group by name, e.event_source`,
    'count(*), min(event_time), count(event_time) by log_group_name, event_source',
  ],
  [
    'what is computed of groups',
    `select lower(event_name), count(*) * 2 n, rank() over (order by count(*), event_name), (select w.note from watchlist w where w.note < event_name order by 1 limit 1) from ${E} group by event_name having count(*) > 14 and max(event_time) > '2026-11-01' order by max(event_time) desc limit 3`,
    'count(*), max(event_time), count(event_time) by event_name',
  ],
  [
    'groups without an aggregate',
    `select event_name from ${E} where event_source = 'iam.amazonaws.com' group by event_name`,
    'count(*), count(event_source) by event_name',
  ],
  [
    'a condition on what is grouped',
    `select event_name, count(*) from ${E} where event_name <> 'ListBuckets' group by event_name`,
    'count(*) by event_name',
  ],
  [
    'a condition around it',
    `select * from (select event_name, count(*) n from ${E} group by event_name) x where event_name = 'CreateUser'`,
    'count(*) by event_name',
  ],
  [
    'grouping sets',
    `select event_name, username, count(*), grouping(username) from ${E} group by rollup (event_name, username)`,
    'count(*) by event_name, username',
  ],
  [
    'DISTINCT of groups',
    `select distinct count(*) from ${E} group by username, event_name`,
    'count(*) by username, event_name',
  ],
  [
    'a column that is compared and aggregated',
    `select count(event_time), min(event_time) from ${E} where event_time between '2026-11-18' and '2026-11-19'`,
    'count(*), count(event_time), min(event_time)',
  ],
  [
    'a subquery',
    `select note, (select count(*) from ${E} where event_name = 'CreateUser') from watchlist`,
    'count(*), count(event_name)',
  ],
  [
    'a CTE and a set operation',
    `with n as (select event_source, count(*) from ${E} group by 1) select * from n union all select note, 1 from watchlist`,
    'count(*) by event_source',
  ],
];

describe('a source that aggregates exactly is asked for', () => {
  test.each(AGGREGATED)('%s', async (_name, text, asked) => {
    expect(await asksFor(text)).toEqual([asked]);
  });
});

const READ: readonly (readonly [name: string, text: string])[] = [
  ['no aggregate', `select event_name from ${E}`],
  ['a window', `select count(*) over () from ${E}`],
  ['an aggregate of an expression', `select max(length(event_name)) from ${E}`],
  ['groups by an expression', `select date_trunc('day', event_time), count(*) from ${E} group by 1`],
  ['the order of texts, which is the collation of PostgreSQL', `select max(event_name) from ${E}`],
  ['sums', `select count(*), avg(length(username)) from ${E}`],
  ['FILTER', `select count(*) filter (where event_name = 'CreateUser') from ${E}`],
  ['DISTINCT in an aggregate', `select count(distinct username) from ${E}`],
  ['rows as values', `select count(e) from ${E} e`],
  ['a condition of which PostgreSQL drops rows', `select count(*) from ${E} where length(event_name) > 10`],
  ['alternatives', `select count(*) from ${E} where event_name = 'CreateUser' or username = 'user1'`],
  ['a column that PostgreSQL computes', `select source_ip, count(*) from ${E} group by source_ip`],
  ['a condition on a column that PostgreSQL computes', `select count(*) from ${E} where source_ip = '34.1.1.1'`],
  [
    'a condition that names a row around it',
    `select (select count(*) from ${E} where event_name = note) from watchlist`,
  ],
  ['a join', `select count(*) from ${E} cross join watchlist`],
  ['LIMIT below it', `select count(*) from (select * from ${E} limit 7) x`],
  [
    'an aggregate of it in a subquery',
    `select username, (select count(e.event_time) from watchlist limit 1) from ${E} e group by username`,
  ],
];

describe('rows are read where the statement takes more of them', () => {
  test.each(READ)('%s', async (_name, text) => {
    expect(await asksFor(text)).toEqual([undefined]);
  });

  test('or where a condition is not exact', async () => {
    expect(await asksFor(`select count(*) from ${E} where event_name = 'CreateUser'`, inexact)).toEqual([undefined]);
    expect(await asksFor(`select count(*) from ${E}`, inexact)).toEqual(['count(*)']);
  });
});

test('groups give keys', async () => {
  const text = `select x.source_ip_address, x.n, a.is_tor from (select source_ip_address, count(*) n from ${E} group by 1) x join ${A} a on a.ip_address = x.source_ip_address where x.n > 5`;
  expect(await asksFor(text)).toEqual(['count(*) by source_ip_address']);
  expect(bench.checks.asked.map(({ key }) => key).toSorted()).toEqual([
    '2600:1f18::7',
    '34.1.1.1',
    '34.1.1.2',
    '34.1.1.3',
  ]);
});

test('EXPLAIN says what is asked', async () => {
  const { rows } = await bench.ask(`explain select event_name, count(*) from ${E} group by 1`);
  expect(rows.flat()).toContain('  Aggregated (exact): count(*) by event_name');
});

test('a parameter is a condition, and NULL calls nothing', async () => {
  const text = `select count(*) from ${E} where event_name = $1`;
  expect((await bench.ask(text, ['CreateUser'], [25])).rows).toEqual([['15']]);
  const none = await bench.ask(text, [null], [25]);
  expect([none.rows, none.scans]).toEqual([[['0']], 0]);
});
