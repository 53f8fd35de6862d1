import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TrailhoundError } from '../../src/kernel/errors.ts';
import { openBench, sorted, type Bench } from './support/bench.ts';

const CHECK = 'abuseipdb_check_ip';
const ONE = `'34.1.1.1'`;

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  // The table of all values: those that are asked for here.
  await bench.pool.query(`
    insert into plain.abuseipdb_check_ip (ip_address, max_age_in_days, abuse_confidence_score, country_code, is_tor, is_public)
      select ip_address, days, abuse_confidence_score, country_code, is_tor, is_public
        from plain.abuseipdb_check_ip, unnest(array[7, 30]) as days;
    create table public.window_of (address inet, days bigint, note text);
    insert into public.window_of values ('34.1.1.1', 30, 'one'), ('34.1.1.2', 90, 'two'), ('34.1.1.2', null, 'none');
    grant select on public.window_of to public;`);
});
afterAll(async () => {
  await bench.close();
});

/** Rows as PostgreSQL has them of the whole table; and what was asked. */
async function asked(
  text: string,
  ...more: [values?: readonly string[], types?: readonly number[]]
): Promise<string[]> {
  const { rows } = await bench.ask(text, ...more);
  const keys = bench.checks.asked.map(({ key, inputs }) => `${key} ${inputs['max_age_in_days'] ?? '-'}`).sort();
  if (more.length === 0) expect(sorted(rows)).toEqual(sorted(await bench.oracle(text)));
  return keys;
}

async function refused(text: string): Promise<TrailhoundError> {
  const before = bench.events.requests.length;
  const error = await bench.ask(text).then(
    ({ rows }) => new Error(`answered: ${JSON.stringify(rows)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TrailhoundError)) throw error;
  expect(bench.checks.asked.length + bench.events.requests.length - before).toBe(0);
  return error;
}

describe('values that are known before anything is asked', () => {
  test.each([
    ['a constant', `max_age_in_days = 30`, ['30']],
    ['a list', `max_age_in_days in (30, 90, null)`, ['30', '90']],
    ['an array', `max_age_in_days = any ('{30,7}'::bigint[])`, ['30', '7']],
    ['an expression', `30.0 = max_age_in_days`, ['30']],
    ['a subquery of a value', `max_age_in_days = (select 3 * 10)`, ['30']],
    ['a setting', `max_age_in_days = coalesce(nullif(current_setting('hunt.days', true), ''), '30')::int`, ['30']],
    ['alternatives', `(max_age_in_days = 7 or max_age_in_days = 30 and is_tor is not null)`, ['30', '7']],
    ['what is not another', `not (max_age_in_days <> 30)`, ['30']],
    ['a list beside a range', `max_age_in_days in (7, 30) and max_age_in_days > 10`, ['30', '7']],
    ['a row', `(ip_address, max_age_in_days) = (${ONE}, 30)`, ['30']],
  ])('%s', async (_name, condition, days) => {
    const text = `select ip_address, max_age_in_days from ${CHECK} where ip_address = ${ONE} and ${condition}`;
    expect(await asked(text)).toEqual(days.map((each) => `34.1.1.1 ${each}`));
  });

  test('a parameter', async () => {
    const text = `select max_age_in_days from ${CHECK} where ip_address = ${ONE} and max_age_in_days = $1`;
    expect(await asked(text, ['30'], [23])).toEqual(['34.1.1.1 30']);
  });

  test.each([
    ['a CTE', `with given as (select 30 as days) select c.max_age_in_days from ${CHECK} c, given g`],
    ['a derived table', `select c.max_age_in_days from (select 10 + 20) g(days) cross join ${CHECK} c`],
    ['VALUES', `select c.max_age_in_days from ${CHECK} c join (values (30)) g(days) on true`],
    [
      'two levels of them',
      `with a as (select 30 as own), given as (select x.days from (select (select 30) as days) x) ` +
        `select c.max_age_in_days from ${CHECK} c, (select 30) g(days)`,
    ],
  ])('rows that are written out: %s', async (_name, text) => {
    expect(await asked(`${text} where c.ip_address = ${ONE} and c.max_age_in_days = g.days`)).toEqual(['34.1.1.1 30']);
  });

  test('a value that a level further out names', async () => {
    const inner = `select ip_address as ip, max_age_in_days as days from ${CHECK} where ip_address = ${ONE}`;
    expect(await asked(`select * from (${inner}) s where days = 30`)).toEqual(['34.1.1.1 30']);
    expect(
      await asked(`with s as (${inner}) select * from s a where days = 30 union all select * from s b where days = 7`),
    ).toEqual(['34.1.1.1 30', '34.1.1.1 7']);
  });
});

describe('values of rows', () => {
  test.each([
    [
      'stand beside the keys',
      `select c.ip_address, c.max_age_in_days, w.note from window_of w
        join ${CHECK} c on c.ip_address = w.address and c.max_age_in_days = w.days`,
      ['34.1.1.1 30', '34.1.1.2 90'],
    ],
    [
      'are outer-joined',
      `select w.note, c.max_age_in_days from window_of w
        left join ${CHECK} c on c.ip_address = w.address and w.days = c.max_age_in_days`,
      ['34.1.1.1 30', '34.1.1.2 90'],
    ],
    [
      'are computed',
      `select c.max_age_in_days from window_of w
        join ${CHECK} c on c.ip_address = w.address and c.max_age_in_days = (120 - coalesce(w.days, 113))::int where note <> 'two'`,
      ['34.1.1.1 90', '34.1.1.2 7'],
    ],
    [
      'are of another relation than the keys',
      `select e.event_id, c.max_age_in_days from cloudtrail_trail_event e, window_of w, ${CHECK} c
        where c.ip_address = e.source_ip and c.max_age_in_days = w.days and e.event_id in ('e02', 'e03')`,
      ['34.1.1.2 30', '34.1.1.2 90'],
    ],
    [
      'are a subquery’s',
      `select c.max_age_in_days from ${CHECK} c
        where c.ip_address in (select address from window_of) and c.max_age_in_days in (select days from window_of where days < 50)`,
      ['34.1.1.1 30', '34.1.1.2 30'],
    ],
    [
      'are one subquery’s value',
      `select c.max_age_in_days from ${CHECK} c
        where c.ip_address = ${ONE} and c.max_age_in_days = (select min(days) from window_of)`,
      ['34.1.1.1 30'],
    ],
    [
      'are of an alternative',
      `select c.max_age_in_days from window_of w join ${CHECK} c on c.ip_address = w.address
        where c.max_age_in_days = w.days or c.max_age_in_days = 7 and w.note = 'one'`,
      ['34.1.1.1 30', '34.1.1.1 7', '34.1.1.1 90', '34.1.1.2 30', '34.1.1.2 7', '34.1.1.2 90'],
    ],
    [
      'are another look-up’s constant',
      `select a.ip_address, b.max_age_in_days from ${CHECK} a join ${CHECK} b using (ip_address, max_age_in_days)
        where a.ip_address = ${ONE} and a.max_age_in_days = 30`,
      ['34.1.1.1 30'],
    ],
    [
      'are another look-up’s, of another address',
      `select b.ip_address, b.max_age_in_days from ${CHECK} a, ${CHECK} b
        where b.max_age_in_days = a.max_age_in_days and a.max_age_in_days = 30 and a.ip_address = ${ONE} and b.ip_address = '34.1.1.2'`,
      ['34.1.1.1 30', '34.1.1.2 30'],
    ],
    [
      'are no integers',
      `select c.max_age_in_days from (values (30.5), (30.0), (null)) w(days) join ${CHECK} c on c.max_age_in_days = w.days
        where c.ip_address = ${ONE}`,
      ['34.1.1.1 30'],
    ],
    [
      'are none',
      `select c.max_age_in_days from window_of w join ${CHECK} c on c.max_age_in_days = w.days
        where c.ip_address = ${ONE} and w.note = 'nobody'`,
      [],
    ],
    [
      'are of a join that may give NULL',
      `select c.max_age_in_days from (values (${ONE}::inet)) as own(ip)
        left join (select 30 as days) g on false
        join ${CHECK} c on c.ip_address = own.ip and c.max_age_in_days = coalesce(g.days, 7)`,
      ['34.1.1.1 7'],
    ],
    [
      'are of a level further in than the keys',
      `select s.* from (select c.ip_address, w.note from ${CHECK} c join window_of w on c.max_age_in_days = w.days) s
        where s.ip_address = ${ONE}`,
      ['34.1.1.1 30', '34.1.1.1 90'],
    ],
    [
      'are correlated',
      `select w.note, (select c.max_age_in_days from ${CHECK} c where c.ip_address = w.address and c.max_age_in_days = w.days) from window_of w`,
      ['34.1.1.1 30', '34.1.1.2 90'],
    ],
    [
      'are what a subquery is searched for',
      `select w.note from window_of w where w.days in (select max_age_in_days from ${CHECK} c where c.ip_address = w.address)`,
      ['34.1.1.1 30', '34.1.1.1 90', '34.1.1.2 30', '34.1.1.2 90'],
    ],
    [
      'are lateral',
      `select w.note, c.* from window_of w left join lateral
        (select max_age_in_days, is_tor from ${CHECK} c where c.ip_address = w.address and c.max_age_in_days = w.days) c on true`,
      ['34.1.1.1 30', '34.1.1.2 90'],
    ],
  ])('%s', async (_name, text, keys) => {
    expect(await asked(text)).toEqual(keys);
  });

  test('EXPLAIN says so', async () => {
    const { rows } = await bench.ask(`explain select * from window_of w
      join ${CHECK} c on c.ip_address = w.address and c.max_age_in_days = w.days`);
    expect(rows.flat()).toContain('  Asked with: max_age_in_days of the same rows');
  });
});

describe('the default is asked where nothing chooses by the column', () => {
  test.each([
    [
      'it is shown',
      `select max_age_in_days + 1, count(*) from ${CHECK} where ip_address = ${ONE} group by 1 order by 1`,
    ],
    ['all is shown', `select * from (select * from ${CHECK} c where ip_address = ${ONE}) s order by max_age_in_days`],
    [
      'a row is tested',
      `select e.event_id from cloudtrail_trail_event e left join ${CHECK} c on c.ip_address = e.source_ip where c is null`,
    ],
    ['a whole row’s other column', `select (c).is_tor from ${CHECK} c where ip_address = ${ONE} and not (c).is_tor`],
    ['it is not NULL', `select is_tor from ${CHECK} where ip_address = ${ONE} and max_age_in_days is not null`],
    ['it exists', `select 1 where exists (select max_age_in_days from ${CHECK} where ip_address = ${ONE})`],
    ['CASE', `select case when max_age_in_days = 90 then 'usual' end from ${CHECK} where ip_address = ${ONE}`],
    ['an aggregate of it', `select max(max_age_in_days + 1) from ${CHECK} where ip_address = ${ONE}`],
    ['a comparison of each row', `select is_tor, max_age_in_days = 30 from ${CHECK} where ip_address = ${ONE}`],
  ])('%s', async (_name, text) => {
    await bench.ask(text);
    expect(new Set(bench.checks.asked.map(({ inputs }) => inputs['max_age_in_days']))).toEqual(new Set(['90']));
  });

  test('a filter that nobody gave is NULL', async () => {
    const text = `select count(*) from cloudtrail_trail_event where filter is null`;
    expect((await bench.ask(text)).rows).toEqual([['60']]);
  });
});

describe('what else chooses by the column is refused before any call', () => {
  const own = `${CHECK} c where c.ip_address = ${ONE}`;
  test.each([
    ['a range', `select * from ${own} and max_age_in_days > 30`],
    ['what it is not', `select * from ${own} and max_age_in_days <> 30`],
    ['an alternative of something else', `select * from ${own} and (max_age_in_days = 30 or is_tor)`],
    ['an expression of it', `select * from ${own} and max_age_in_days + 1 = 31`],
    ['another type', `select * from ${own} and max_age_in_days = 30::real`],
    ['an output of it', `select * from (select max_age_in_days * 2 as d from ${own}) s where d = 60`],
    [
      'an output of one mention',
      `with s as (select max_age_in_days as d from ${own}) select * from s where d = 30 union all select * from s`,
    ],
    [
      'a preserved side',
      `select * from ${CHECK} c left join window_of w on c.max_age_in_days = 30 where c.ip_address = ${ONE}`,
    ],
    ['HAVING', `select country_code from ${own} group by country_code having max(max_age_in_days) = 30`],
    ['FILTER', `select count(*) filter (where max_age_in_days = 30) from ${own}`],
    ['an aggregate of a comparison', `select bool_or(max_age_in_days = 30) from ${own}`],
    ['a count of what CASE leaves', `select count(case max_age_in_days when 30 then 1 end) from ${own}`],
    ['NULLIF in an aggregate', `select count(nullif(max_age_in_days, 90)) from ${own}`],
    ['a window of a comparison', `select is_tor, bool_or(max_age_in_days < 40) over () from ${own}`],
    [
      'a comparison that is summed up further out',
      `select bool_or(b) from (select max_age_in_days = 30 as b from ${own}) s`,
    ],
    ['INTERSECT', `select max_age_in_days from ${own} intersect select 30`],
    ['a subquery of it', `select 1 where 30 = (select max_age_in_days from ${own})`],
    ['a whole row', `select 1 from ${own} and to_jsonb(c) ->> 'max_age_in_days' = '30'`],
    ['a condition below EXISTS', `select 1 where exists (select 1 from ${own} and max_age_in_days < 40)`],
    ['a range of a scan', `select count(*) from cloudtrail_trail_event where filter like 'ERR%'`],
    ['a filter that somebody gave', `select count(*) from cloudtrail_trail_event where filter is not null`],
    ['rows for a scan', `select count(*) from cloudtrail_trail_event e join window_of w on w.note = e.filter`],
  ])('%s', async (_name, text) => {
    const error = await refused(text);
    expect(error).toMatchObject({ code: 'unbounded_key' });
    expect(error.message).toMatch(
      /^(abuseipdb_check_ip needs values for max_age_in_days|cloudtrail_trail_event needs values for filter)$/,
    );
    expect(error.hint).toMatch(/as in: /);
  });

  test('its hint is a condition that makes the statement run', async () => {
    const { hint = '' } = await refused(`select max_age_in_days from ${own} and max_age_in_days > 30`);
    const [, condition = ''] = /as in: (.*)\.$/.exec(hint) ?? [];
    expect(await asked(`select max_age_in_days from ${own} and max_age_in_days > 30 and ${condition}`)).toEqual([
      '34.1.1.1 30',
      '34.1.1.1 90',
    ]);
  });

  test('where no row can count, nothing is refused', async () => {
    expect(await asked(`select * from ${own} and max_age_in_days > 30 and 1 <> 1`)).toEqual([]);
  });

  test('EXPLAIN says so', async () => {
    const { rows } = await bench.ask(`explain select * from ${own} and max_age_in_days > 30`);
    expect(rows.flat()).toContain(`Trailhound: ${CHECK} c: ${CHECK} needs values for max_age_in_days`);
  });
});
