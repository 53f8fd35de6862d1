import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openBench, sorted, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});
beforeEach(() => {
  bench.events.order = 'exact';
  bench.events.requests.length = 0;
  bench.events.read = 0;
});

const E = 'cloudtrail_trail_event';
const F = 'guardduty_finding';
const CHECK = 'abuseipdb_check_ip';
const DAY = `event_time > '2026-01-01'`;

/** A statement, and how many of the 60 events are read for it. */
type Case = readonly [name: string, text: string, read: number];

const IN_ORDER: readonly Case[] = [
  ['newest first', `select event_id from ${E} where ${DAY} order by event_time desc limit 5`, 8],
  ['oldest first', `select event_id from ${E} order by event_time limit 3`, 4],
  ['NULLS LAST', `select event_id from ${E} order by event_time desc nulls last limit 3`, 4],
  ['NULLS FIRST, which come first', `select event_id from ${E} order by event_time desc, event_id limit 2`, 7],
  ['an ordinal', `select event_id, event_time from ${E} where ${DAY} order by 2 desc limit 1`, 4],
  ['the name of an output column', `select event_time as t from ${E} where ${DAY} order by t desc limit 1`, 4],
  ['OFFSET', `select event_id from ${E} where ${DAY} order by event_time desc limit 2 offset 9`, 12],
  ['more columns', `select event_id from ${E} where ${DAY} order by event_time desc, event_name limit 5`, 8],
  [
    'conditions that no source takes',
    `select event_id from ${E} where ${DAY} and length(event_name) > 10 order by event_time desc limit 3`,
    8,
  ],
  [
    'a derived table, and joins beyond it',
    `select x.event_id, f.id from (select * from ${E} where ${DAY} order by event_time desc limit 3) x
      left join ${F} f on f.remote_ip = x.source_ip order by 1, 2`,
    4,
  ],
  [
    'levels through which rows pass',
    `with e as (select event_id as id, event_time as at from ${E} where error_code is null)
      select id from (select * from e where at is not null) x where at > '2026-01-01' order by at desc limit 3`,
    4,
  ],
  [
    'FETCH WITH TIES',
    `select event_id from ${E} where ${DAY} order by event_time desc fetch first 2 rows with ties`,
    4,
  ],
  ['a LIMIT that nothing meets', `select event_id from ${E} where event_name = 'x' order by event_time limit 3`, 0],
];

describe('a scan in an order ends once its first rows have come, by', () => {
  test.each(IN_ORDER)('%s', async (_name, text, read) => {
    const { rows } = await bench.ask(text);
    expect(rows).toEqual(await bench.oracle(text));
    expect(bench.events.read).toBe(read);
    expect(bench.events.requests.map(({ order }) => order?.column.name)).toEqual(['event_time']);
  });
});

const NOT_IN_ORDER: readonly (readonly [name: string, text: string])[] = [
  ['a text', `select event_id from ${E} order by event_id limit 2`],
  ['an expression', `select event_id from ${E} where ${DAY} order by event_time + interval '1 hour' limit 2`],
  ['no LIMIT', `select event_id from ${E} where ${DAY} order by event_time desc`],
  ['LIMIT ALL', `select event_id from ${E} where ${DAY} order by event_time desc limit all`],
  ['groups', `select event_time, count(*) from ${E} where ${DAY} group by 1 order by 1 desc limit 2`],
  ['DISTINCT', `select distinct event_time from ${E} where ${DAY} order by 1 desc limit 2`],
  ['windows', `select rank() over (order by event_id) from ${E} where ${DAY} order by event_time desc limit 2`],
  ['set-returning targets', `select generate_series(2, 1) from ${E} where ${DAY} order by event_time desc limit 2`],
  ['a LIMIT below it', `select event_id from (select * from ${E} limit 70) x order by event_time limit 2`],
  [
    'an inner join',
    `select event_id from ${E} e join ${F} f on f.remote_ip = e.source_ip order by e.event_time, 1 limit 2`,
  ],
  [
    'a CTE that is read twice',
    `with e as (select * from ${E}) select event_id, (select count(*) from e) from e order by event_time limit 2`,
  ],
  [
    'conditions on other tables',
    `select event_id from ${E} where source_ip in (select remote_ip from ${F}) order by event_time, 1 limit 2`,
  ],
  [
    'an outer row',
    `select id, (select event_id from ${E} where source_ip = f.remote_ip order by event_time, 1 limit 1) from ${F} f order by 1`,
  ],
];

describe('all rows are read for', () => {
  test.each(NOT_IN_ORDER)('%s', async (_name, text) => {
    const { rows } = await bench.ask(text);
    expect(sorted(rows)).toEqual(sorted(await bench.oracle(text)));
    expect(bench.events.requests.map(({ order }) => order)).not.toContainEqual(expect.anything());
  });
});

test('a source that has no order is read whole', async () => {
  bench.events.order = 'none';
  const text = `select event_id from ${E} where ${DAY} order by event_time desc limit 5`;
  expect((await bench.ask(text)).rows).toEqual(await bench.oracle(text));
  expect(bench.events.requests.map(({ order }) => order)).toEqual([undefined]);
});

test('the first rows of what is read whole besides are read with it', async () => {
  const text = `select (select count(*) from ${E} where ${DAY} and error_code is null), event_id from ${E}
    where ${DAY} and error_code is null order by event_time desc limit 2`;
  expect((await bench.ask(text)).rows).toEqual(await bench.oracle(text));
  expect(bench.events.requests.map(({ order }) => order)).toEqual([undefined]);
});

test('LIMIT in parameters', async () => {
  const text = `select event_id from ${E} where ${DAY} order by event_time desc limit $1 offset $2`;
  expect((await bench.ask(text, ['3', '1'], [20, 20])).rows.length).toBe(3);
  expect((await bench.ask(text, [null, '55'], [20, 20])).rows.length).toBe(2);
  expect((await bench.ask(text, ['0', null], [20, 20])).rows.length).toBe(0);
  expect(bench.events.requests.map(({ order }) => order?.direction)).toEqual(['desc', undefined]);
});

describe('look-ups that leave no row out are asked for the first rows alone', () => {
  const texts: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'of a scan in an order',
      `select e.event_id, a.abuse_confidence_score from ${E} e left join ${CHECK} a on a.ip_address = e.source_ip
        where e.event_time > '2026-01-01' order by e.event_time desc limit 4`,
      ['34.1.1.1', '34.1.1.2'],
    ],
    [
      'of parentheses and more joins',
      `select e.event_id, a.abuse_confidence_score, f.id from (${E} e left join ${F} f on f.remote_ip = e.source_ip)
        left join lateral (select * from ${CHECK} where ip_address = e.source_ip) a on true
        where e.event_time > '2026-01-01' order by e.event_time desc, f.id limit 1`,
      ['34.1.1.1'],
    ],
  ];
  test.each(texts)('%s', async (_name, text, keys) => {
    for (const order of ['exact', 'none'] as const) {
      bench.events.order = order;
      const { rows, asked } = await bench.ask(text);
      expect(rows).toEqual(await bench.oracle(text));
      expect(asked).toEqual(keys);
    }
  });
});

test('EXPLAIN says in which order it is read', async () => {
  const { rows } = await bench.ask(`explain select event_id from ${E} where ${DAY} order by event_time desc limit 5`);
  expect(rows.flat()).toContain('  Read in order (exact): event_time desc, until the first 5 rows have come');
});
