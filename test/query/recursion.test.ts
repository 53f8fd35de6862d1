import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBench, sorted, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  await bench.client.query(`
    create temp table hop (origin inet, target text);
    insert into hop values ('34.1.1.1', '34.1.1.2'), ('34.1.1.2', '34.1.1.3'), ('34.1.1.3', '34.1.1.1'),
      ('34.1.1.3', 'AWS Internal'), ('34.1.1.77', '34.1.1.9'), (null, '34.1.1.9')`);
});
afterAll(async () => {
  await bench.close();
});

const E = 'cloudtrail_trail_event';
const A = 'abuseipdb_check_ip';

/** A statement, and the addresses that it may cost a call each. */
type Case = readonly [name: string, text: string, asked: readonly string[]];

async function answersLikePostgreSQL(text: string, asked: readonly string[]): Promise<void> {
  const expected = sorted(await bench.oracle(text));
  const answer = await bench.ask(text);
  expect(sorted(answer.rows)).toEqual(expected);
  expect(answer.asked).toEqual(asked);
}

/** A circle of three, and a way into it. */
const HOPS = `with recursive hop(origin, target) as (values (inet '34.1.1.1', inet '34.1.1.2'), ('34.1.1.2', '34.1.1.3'), ('34.1.1.3', '34.1.1.1'), ('34.1.1.9', '34.1.1.1'))`;
const AROUND = ['34.1.1.1', '34.1.1.2', '34.1.1.3'];

const DRIVEN: readonly Case[] = [
  [
    'CYCLE ends where UNION ALL does not, and marks what it ends at',
    `${HOPS}, r(ip, n) as (
       select inet '34.1.1.1', 0
       union all
       select h.target, r.n + 1 from r join ${A} a on a.ip_address = r.ip join hop h on h.origin = a.ip_address)
     cycle ip set looped using way
     select ip, n, looped, way from r`,
    AROUND,
  ],
  [
    'SEARCH tells an order, with keys of rows that CYCLE has let pass',
    `${HOPS}, r(ip) as (
       select inet '34.1.1.9'
       union all
       select h.target from r left join ${A} a on a.ip_address = r.ip join hop h on h.origin = r.ip where a.is_tor is not true)
     search depth first by ip set place cycle ip set looped to 'yes' default 'no' using way
     select r.ip, r.looped, place, a.country_code from r left join ${A} a on a.ip_address = r.ip where r.looped = 'no'`,
    ['34.1.1.1', '34.1.1.2', '34.1.1.3', '34.1.1.9'],
  ],
  [
    'SEARCH alone, read twice, once under a LIMIT',
    `${HOPS}, r(ip, n) as (
       select inet '34.1.1.1', 0
       union
       select h.target, r.n + 1 from r, ${A} a, hop h where a.ip_address = r.ip and h.origin = r.ip and r.n < 2)
     search breadth first by n, ip set place
     select * from (select ip from r order by place limit 2) x union all select ip from r where n > 1`,
    ['34.1.1.1', '34.1.1.2'],
  ],
  [
    'the reputation of each hop decides whether the next one is followed',
    `with recursive r(ip, depth) as (
       select '34.1.1.1'::inet, 0
       union all
       select try_inet(h.target), r.depth + 1 from r join ${A} a on a.ip_address = r.ip join hop h on h.origin = r.ip
       where a.abuse_confidence_score < 30 and r.depth < 5)
     select * from r`,
    ['34.1.1.1', '34.1.1.2', '34.1.1.3'],
  ],
  [
    'from an address to what was done from it to other addresses that did the same',
    `with recursive seen as (
       select '34.1.1.3'::inet as ip
       union
       select o.source_ip from seen join ${A} a on a.ip_address = seen.ip join ${E} e on e.source_ip = a.ip_address
         join ${E} o on o.event_name = e.event_name where o.source_ip <> '10.0.0.1' and a.abuse_confidence_score > 20)
     select ip, a.country_code from seen left join ${A} a on a.ip_address = seen.ip`,
    ['2600:1f18::7', '34.1.1.1', '34.1.1.2', '34.1.1.3'],
  ],
  [
    'UNION ends where it goes in circles, and counts NULLs as equal',
    `with recursive r as (
       select inet '34.1.1.1' ip, null::text note
       union
       select case when a.is_tor then null else try_inet(h.target) end, null from r left join ${A} a on a.ip_address = r.ip
         left join hop h on h.origin = r.ip)
     select * from r`,
    ['34.1.1.1', '34.1.1.2', '34.1.1.3'],
  ],
  [
    'UNION leaves out equal rows of the non-recursive term',
    `with recursive r as (
       select ip from (values (inet '34.1.1.77'), ('34.1.1.77'), (null), (null)) v(ip)
       union
       select try_inet(h.target) from r join ${A} a on a.ip_address = r.ip join hop h on h.origin = a.ip_address)
     select ip, count(*) over () from r`,
    ['34.1.1.77'],
  ],
  [
    'UNION ALL keeps them',
    `with recursive r as (
       select ip from (values (inet '34.1.1.77'), ('34.1.1.77'), (null)) v(ip)
       union all
       select try_inet(h.target) from r join ${A} a on a.ip_address = r.ip join hop h on h.origin = a.ip_address)
     select ip, count(*) over () from r`,
    ['34.1.1.77'],
  ],
  [
    'a chain of look-ups in one level',
    `with recursive r(ip, n) as (
       select inet '34.1.1.1', 1
       union all
       select b.ip_address, n + 1 from r join ${A} a on a.ip_address = r.ip join hop h on h.origin = a.ip_address
         join ${A} b on b.ip_address = h.target and b.abuse_confidence_score > a.abuse_confidence_score where n < 7)
     select * from r`,
    ['34.1.1.1', '34.1.1.2', '34.1.1.3'],
  ],
  [
    'a look-up before the recursion',
    `with recursive r as (
       select ip_address ip, is_tor from ${A} where ip_address in ('34.1.1.2', '34.1.1.77')
       union
       select a.ip_address, a.is_tor from r join hop h on h.origin = r.ip join ${A} a on a.ip_address = h.target where not r.is_tor)
     select * from r`,
    ['34.1.1.2', '34.1.1.3', '34.1.1.77', '34.1.1.9'],
  ],
  [
    'a subquery over the look-up in the recursive term',
    `with recursive r(ip) as (
       select inet '34.1.1.1'
       union
       select try_inet(h.target) from r join hop h on h.origin = r.ip
       where exists (select from ${A} a where a.ip_address = r.ip and a.abuse_confidence_score < 20))
     select ip from r`,
    ['34.1.1.1', '34.1.1.2'],
  ],
  [
    'an anti-join in the recursive term',
    `with recursive r(ip) as (
       select inet '34.1.1.1'
       union
       select try_inet(h.target) from r join hop h on h.origin = r.ip
       where try_inet(h.target) is not null and try_inet(h.target) not in (select ip_address from ${A} where is_tor))
     select ip from r`,
    ['34.1.1.2', '34.1.1.3'],
  ],
  [
    'LATERAL in the recursive term',
    `with recursive r(ip, score) as (
       select inet '34.1.1.1', 0
       union
       select try_inet(h.target), x.score from r join hop h on h.origin = r.ip
         cross join lateral (select abuse_confidence_score score from ${A} where ip_address = r.ip) x)
     select * from r`,
    ['34.1.1.1', '34.1.1.2', '34.1.1.3'],
  ],
  [
    'a derived table of the last level, cut by LIMIT',
    `with recursive r(ip, n) as (
       select ip, 1 from (values (inet '34.1.1.1'), ('34.1.1.77')) v(ip)
       union all
       select try_inet(h.target), t.n + 1 from (select * from r order by ip desc limit 1) t
         join ${A} a on a.ip_address = t.ip join hop h on h.origin = t.ip where n < 4)
     select * from r`,
    ['34.1.1.77'],
  ],
  [
    'a recursive term with a LIMIT of its own',
    `with recursive r(ip, n) as (
       select inet '34.1.1.3', 1
       union all
       (select try_inet(h.target), n + 1 from r join ${A} a on a.ip_address = r.ip join hop h on h.origin = r.ip
         where n < 4 order by h.target limit 1))
     select * from r`,
    ['34.1.1.1', '34.1.1.2', '34.1.1.3'],
  ],
  [
    'a recursive term that is a set operation itself',
    `with recursive r(ip) as (
       select inet '34.1.1.1' union select inet '34.1.1.77'
       union
       select * from (select a.ip_address + 1 from r join ${A} a on a.ip_address = r.ip where a.abuse_confidence_score < 12
         union all select null) x)
     select * from r`,
    ['34.1.1.1', '34.1.1.2', '34.1.1.77'],
  ],
  [
    'WITH inside of the recursive term',
    `with recursive r(ip) as (
       select inet '34.1.1.1'
       union
       (with next as (select try_inet(h.target) ip from r join hop h on h.origin = r.ip)
        select next.ip from next join ${A} a on a.ip_address = next.ip where not a.is_tor))
     select * from r`,
    ['34.1.1.2', '34.1.1.3'],
  ],
  [
    'WITH before the non-recursive term',
    `with recursive r(ip) as (
       with h as (select * from hop where target <> 'AWS Internal')
       select inet '34.1.1.1'
       union
       select try_inet(h.target) from r join h on h.origin = r.ip join ${A} a on a.ip_address = r.ip)
     select * from r`,
    ['34.1.1.1', '34.1.1.2', '34.1.1.3'],
  ],
  [
    'a CTE over the look-up that the recursive term alone reads',
    `with recursive mild as (select * from ${A} where abuse_confidence_score < 20),
       r(ip) as (
         select inet '34.1.1.1'
         union
         select try_inet(h.target) from r join mild on mild.ip_address = r.ip join hop h on h.origin = r.ip)
     select * from r`,
    ['34.1.1.1', '34.1.1.2'],
  ],
  [
    'a CTE of one row, evaluated once, that a level and the statement read',
    `with recursive first as (select origin ip from hop where origin is not null order by random() * 0, origin limit 1),
       r(ip) as (
         select ip from first
         union
         select try_inet(h.target) from r join ${A} a on a.ip_address = r.ip join hop h on h.origin = r.ip cross join first)
     select r.ip, first.ip from r cross join first`,
    ['34.1.1.1', '34.1.1.2', '34.1.1.3'],
  ],
  [
    'one recursion that reads another one',
    `with recursive r(ip) as (
         select inet '34.1.1.1'
         union
         select try_inet(h.target) from r join ${A} a on a.ip_address = r.ip join hop h on h.origin = r.ip where not a.is_tor),
       s(ip, n) as (
         select ip, 0 from r where ip > '34.1.1.2'
         union all
         select a.ip_address + 74, n + 1 from s join ${A} a on a.ip_address = s.ip where n < 2)
     select * from s`,
    ['34.1.1.1', '34.1.1.2', '34.1.1.3', '34.1.1.77'],
  ],
  [
    'a recursion inside of the recursive term of another one',
    `with recursive r(ip, n) as (
         select inet '34.1.1.1', 0
         union all
         select x.ip, n + 1 from r cross join lateral (
           with recursive s(ip) as (
             select ip from (values (inet '34.1.1.2')) v(ip)
             union
             select try_inet(h.target) from s join ${A} a on a.ip_address = s.ip join hop h on h.origin = s.ip)
           select max(ip) ip from s) x join ${A} b on b.ip_address = r.ip where n < 2)
     select * from r`,
    ['34.1.1.1', '34.1.1.2', '34.1.1.3'],
  ],
  [
    'a recursion that is named before it is defined',
    `with recursive s as (select r.ip, a.is_tor from r join ${A} a on a.ip_address = r.ip where a.ip_address <> '34.1.1.3'),
       r(ip) as (
         select inet '34.1.1.1'
         union
         select try_inet(h.target) from r join ${A} a on a.ip_address = r.ip join hop h on h.origin = r.ip)
     select * from s`,
    ['34.1.1.1', '34.1.1.2', '34.1.1.3'],
  ],
  [
    'in a derived table, joined to a look-up outside',
    `select w.note, x.ip, b.is_tor from watchlist w join (
       with recursive r(ip) as (
         select inet '34.1.1.77'
         union
         select try_inet(h.target) from r join ${A} a on a.ip_address = r.ip join hop h on h.origin = r.ip)
       select * from r) x on true left join ${A} b on b.ip_address = x.ip where w.note = 'known'`,
    ['34.1.1.77', '34.1.1.9'],
  ],
  [
    'in a subquery of a condition',
    `select w.note from watchlist w where w.address in (
       with recursive r(ip) as (
         select inet '34.1.1.1'
         union
         select try_inet(h.target) from r join ${A} a on a.ip_address = r.ip join hop h on h.origin = r.ip)
       select ip from r)`,
    ['34.1.1.1', '34.1.1.2', '34.1.1.3'],
  ],
  [
    'texts, networks and NULLs cost no call',
    `with recursive r(ip) as (
       select target from hop where target = 'AWS Internal'
       union
       select coalesce(h.target, 'end') from r left join ${A} a on a.ip_address = r.ip left join hop h on h.origin = a.ip_address)
     select * from r`,
    [],
  ],
  [
    'types with modifiers, literals and arrays keep theirs',
    `with recursive r(ip, tag, path, score, at, raw, doc) as (
       select inet '34.1.1.1', 'start'::varchar(20), array['34.1.1.1'], 1.5::numeric(6, 2), timestamptz '2026-11-20 00:00Z', '\\x00ff'::bytea, '{"a": [1]}'::jsonb
       union all
       select try_inet(h.target), 'next'::varchar(20), path || h.target, (r.score * 1.5)::numeric(6, 2), at + interval '1 day', raw || '\\x01', doc || '{"b": null}'
         from r join ${A} a on a.ip_address = r.ip join hop h on h.origin = r.ip where h.target <> all (path))
     select r.*, pg_typeof(tag), pg_typeof(score), length(tag) from r`,
    ['34.1.1.1', '34.1.1.2', '34.1.1.3'],
  ],
  [
    'a literal of the recursive term takes the type of the non-recursive one',
    `with recursive r(ip, n, note) as (
       select inet '34.1.1.1', 1, null
       union all
       select '34.1.1.2', 2, 'x' from r join ${A} a on a.ip_address = r.ip where n < 2)
     select ip, n, note, pg_typeof(ip) from r`,
    ['34.1.1.1'],
  ],
  [
    'columns without an alias, and an alias that renames them',
    `with recursive r as (
       select inet '34.1.1.1' as ip, 1 as n
       union all
       select try_inet(h.target), t.y + 1 from r as t(x, y) join ${A} a on a.ip_address = t.x join hop h on h.origin = x where y < 3)
     select r.ip, r.n from r`,
    ['34.1.1.1', '34.1.1.2'],
  ],
  [
    'a keyless look-up beside the recursion is one call',
    `with recursive r(n) as (
       select 1
       union all
       select n + 1 from r where n < 4 and exists (select from ${A} where ip_address = '34.1.1.1'))
     select * from r`,
    ['34.1.1.1'],
  ],
  [
    'no level where the non-recursive term gives no row',
    `with recursive bad as (select * from ${A}),
       r(ip) as (select inet '34.1.1.1' where false union select bad.ip_address + 1 from r join bad on bad.ip_address = r.ip)
     select * from r`,
    [],
  ],
  [
    'WITH RECURSIVE before a CTE that does not name itself, bounded from outside',
    `with recursive a as (select ip_address, is_tor from ${A}) select * from a where ip_address = '34.1.1.3'`,
    ['34.1.1.3'],
  ],
  [
    'keys of a recursion over ordinary rows',
    `with recursive r(ip) as (
       select inet '34.1.1.1' union select try_inet(h.target) from r join hop h on h.origin = r.ip)
     select r.ip, a.is_tor from r join ${A} a on a.ip_address = r.ip`,
    ['34.1.1.1', '34.1.1.2', '34.1.1.3'],
  ],
  [
    'a recursion over ordinary rows whose recursive term has a LIMIT, read once',
    `with recursive r(ip, n) as (
       select inet '34.1.1.1', 1
       union all
       (select try_inet(h.target), n + 1 from r join hop h on h.origin = r.ip where n < 3 order by 1 limit 1))
     select r.ip, n, a.is_tor from r join ${A} a on a.ip_address = r.ip`,
    ['34.1.1.1', '34.1.1.2', '34.1.1.3'],
  ],
];

describe('a recursive CTE is driven level by level', () => {
  test.each(DRIVEN)('%s', async (_name, text, asked) => {
    await answersLikePostgreSQL(text, asked);
  });
});

/** Settings of the session, for the time of one test. */
async function having<T>(settings: Readonly<Record<string, string>>, run: () => Promise<T>): Promise<T> {
  for (const [name, value] of Object.entries(settings)) await bench.client.query(`set ${name} = '${value}'`);
  try {
    return await run();
  } finally {
    for (const name of Object.keys(settings)) await bench.client.query(`reset ${name}`);
  }
}

const CIRCLE = `with recursive r(ip, n) as (
    select inet '34.1.1.1', 1
    union all
    select try_inet(h.target), n + 1 from r join ${A} a on a.ip_address = r.ip join hop h on h.origin = r.ip where n < 9)`;

describe('a recursion that goes in circles', () => {
  test('asks for each key once, without a cache too', async () => {
    const text = `${CIRCLE} select * from r`;
    await having({ 'trailhound.cache': 'off' }, () =>
      answersLikePostgreSQL(text, ['34.1.1.1', '34.1.1.2', '34.1.1.3']),
    );
  });

  test('stops before the call that trailhound.max_lookups does not allow', async () => {
    await having({ 'trailhound.max_lookups': '2' }, async () => {
      await expect(bench.ask(`${CIRCLE} select * from r`)).rejects.toMatchObject({
        code: 'lookup_budget',
        message: '3 lookups needed, 2 allowed by trailhound.max_lookups',
        detail: expect.stringContaining('The statement has made 2 calls before these.') as string,
      });
    });
    expect(bench.checks.asked.map(({ key }) => key)).toEqual(['34.1.1.1', '34.1.1.2']);
  });

  test('is stopped after 1,000 levels where nothing else ends it', async () => {
    const text = `with recursive r(ip) as (
      select inet '34.1.1.1' union all select r.ip from r join ${A} a on a.ip_address = r.ip) select count(*) from r`;
    await expect(bench.ask(text)).rejects.toMatchObject({
      code: 'too_complex',
      message: 'recursion of r did not end after 1000 levels',
    });
    expect(bench.checks.asked).toHaveLength(1);
  });

  test('ends with statement_timeout', async () => {
    const text = `with recursive r(ip) as (
      select inet '34.1.1.1' union all select r.ip from r join ${A} a on a.ip_address = r.ip) select count(*) from r`;
    await having({ statement_timeout: '100ms' }, async () => {
      await expect(bench.ask(text)).rejects.toMatchObject({ code: 'statement_timeout' });
    });
  });
});

describe('a recursion of more rows than are bound as parameters', () => {
  test('has all of them once', async () => {
    const text = `with recursive r(n, ip) as (
        select n, inet '34.1.1.1' from generate_series(1, 3000) n
        union
        select r.n / 2, a.ip_address from r join ${A} a on a.ip_address = r.ip)
      select n, count(*) from r group by n`;
    await answersLikePostgreSQL(text, ['34.1.1.1']);
  });
});

/** A statement whose LIMIT leaves a choice: rows of the same without it, and the addresses that it may cost. */
const LIMITED: readonly (readonly [name: string, text: string, limit: number, asked: readonly string[]])[] = [
  [
    'the levels that LIMIT needs',
    `with recursive r(ip, n) as (
       select inet '34.1.1.1', 1
       union all
       select try_inet(h.target), n + 1 from r join ${A} a on a.ip_address = r.ip join hop h on h.origin = r.ip where n < 20)
     select * from r`,
    2,
    ['34.1.1.1'],
  ],
  [
    'no look-up where the non-recursive term has enough',
    `with recursive r(ip) as (
       select origin from hop
       union all
       select a.ip_address from r join ${A} a on a.ip_address = r.ip and a.is_tor where a.ip_address < '34.1.1.1')
     select * from r`,
    5,
    [],
  ],
  [
    'levels whose rows a look-up outside lets through',
    `with recursive r(ip, n) as (
       select inet '34.1.1.1', 1
       union all
       select try_inet(h.target), n + 1 from r join ${A} a on a.ip_address = r.ip join hop h on h.origin = r.ip where n < 20)
     select r.*, b.country_code from r join ${A} b on b.ip_address = r.ip where b.abuse_confidence_score > 11`,
    1,
    ['34.1.1.1', '34.1.1.2'],
  ],
  [
    'what joins on the side that an outer join keeps',
    `with recursive r(ip, n) as (select inet '34.1.1.1', 1 union all select r.ip + 1, n + 1 from r where n < 9)
     select r.n, b.country_code from r left join ${A} b on b.ip_address = r.ip`,
    2,
    ['34.1.1.1', '34.1.1.2'],
  ],
];

describe('LIMIT ends a recursion', () => {
  test.each(LIMITED)('%s', async (_name, text, limit, asked) => {
    const all = sorted(await bench.oracle(text));
    const answer = await bench.ask(`${text} limit ${String(limit)}`);
    expect(answer.rows).toHaveLength(limit);
    for (const row of sorted(answer.rows)) expect(all).toContain(row);
    expect(answer.asked).toEqual(asked);
  });

  test('that never ends alone', async () => {
    const text = `with recursive r(ip) as (select inet '34.1.1.1' union all select inet '34.1.1.1' + (r.ip <> '34.1.1.1')::int from r)
      select r.ip, a.abuse_confidence_score from r join ${A} a on a.ip_address = r.ip limit 3`;
    const { rows, asked } = await bench.ask(text);
    expect([rows, asked]).toEqual([Array.from({ length: 3 }, () => ['34.1.1.1', 11]), ['34.1.1.1']]);
  });

  test('not where what is sorted or counted needs all rows', async () => {
    const all = ['34.1.1.1', '34.1.1.2', '34.1.1.3'];
    await answersLikePostgreSQL(`${CIRCLE} select * from r order by n desc, ip limit 2`, all);
    await answersLikePostgreSQL(`${CIRCLE} select count(*) from r limit 1`, all);
    await answersLikePostgreSQL(
      `${CIRCLE} select r.ip from hop h left join r on r.ip = h.origin where r.ip is null limit 2`,
      all,
    );
  });
});
