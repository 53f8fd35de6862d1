import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TrailhoundError } from '../../src/kernel/errors.ts';
import { openBench, sorted, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench({ events: 12 });
});
afterAll(async () => {
  await bench.close();
});

const E = 'cloudtrail_trail_event';
const A = 'abuseipdb_check_ip';
const W = `watchlist w join ${A} a`;
const ALL = ['2600:1f18::7', '34.1.1.1', '34.1.1.2', '34.1.1.3'];
const BOTH = ['34.1.1.1', '34.1.1.77'];

/** A statement, and the addresses that it may cost a call each. */
type Case = readonly [name: string, text: string, asked: readonly string[]];

async function answersLikePostgreSQL(text: string, asked: readonly string[]): Promise<void> {
  const expected = sorted(await bench.oracle(text));
  const answer = await bench.ask(text);
  expect(sorted(answer.rows)).toEqual(expected);
  expect(answer.asked).toEqual(asked);
}

/** Refused before any call. */
async function refuses(text: string): Promise<void> {
  const error: unknown = await bench.ask(text).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TrailhoundError);
  expect((error as TrailhoundError).code).toBe('unbounded_key');
}

/** What `on <condition>` says of the key. */
const CONDITIONS: readonly (readonly [condition: string, asked: readonly string[]])[] = [
  ['(a.ip_address = w.address) is true', BOTH],
  ['(a.ip_address <> w.address) is false', BOTH],
  ['(a.ip_address = w.address) is not false and a.ip_address = $$34.1.1.1$$', ['34.1.1.1']],
  ['not (a.ip_address <> w.address)', BOTH],
  ['not (a.ip_address <> w.address or a.is_public is null)', BOTH],
  [
    'not ((a.ip_address <> w.address or w.note = $$known$$) and a.ip_address <> $$34.1.1.9$$)',
    ['34.1.1.77', '34.1.1.9'],
  ],
  ['not (a.ip_address is distinct from w.address)', BOTH],
  ['(a.ip_address = w.address) = true', BOTH],
  ['false is distinct from (a.ip_address = w.address) and w.address = a.ip_address', BOTH],
  [
    'case when note = $$known$$ then a.ip_address = w.address else a.ip_address = $$34.1.1.9$$ end',
    ['34.1.1.1', '34.1.1.9'],
  ],
  ['case a.ip_address when w.address then a.is_public end', BOTH],
  ['case when a.ip_address = w.address then true else false end', BOTH],
  [
    'case when pg_input_is_valid(w.note, $$inet$$) then a.ip_address = w.note::inet else a.ip_address = w.address end',
    BOTH,
  ],
  ['coalesce(a.ip_address = w.address, false)', BOTH],
  ['coalesce(a.ip_address = w.address, a.ip_address = $$34.1.1.3$$)', [...BOTH, '34.1.1.3'].sort()],
  ['coalesce(a.ip_address, $$::1$$) = w.address', BOTH],
  ['case when a.is_public then a.ip_address end = w.address', BOTH],
  ['nullif(a.ip_address, $$34.1.1.1$$) = w.address', BOTH],
  ['a.ip_address between $$34.1.1.3$$ and $$34.1.1.3$$', ['34.1.1.3']],
  ['a.ip_address between symmetric w.address and w.address', BOTH],
  ['not (a.ip_address not between w.address and w.address)', BOTH],
  ['a.ip_address >= w.address and w.address >= a.ip_address', BOTH],
  ['a.ip_address = any (array[w.address, $$34.1.1.3$$])', [...BOTH, '34.1.1.3'].sort()],
  ['w.address = any (array[a.ip_address])', BOTH],
  ['w.address in (a.ip_address)', BOTH],
  ['a.ip_address = all (array[w.address, $$34.1.1.1$$])', ['34.1.1.1']],
  ['not (a.ip_address <> all (array[w.address, $$34.1.1.3$$]))', [...BOTH, '34.1.1.3'].sort()],
  ['not (a.ip_address not in ($$34.1.1.3$$, $$34.1.1.1$$))', ['34.1.1.1', '34.1.1.3']],
  ['not (a.ip_address not in (select address from watchlist))', BOTH],
  ['not (a.ip_address <> all (select address from watchlist where address is not null))', BOTH],
  ['(a.is_public, a.ip_address) = (true, w.address)', BOTH],
  ['not ((a.is_public, a.ip_address) <> (true, w.address))', BOTH],
  ['(select a.ip_address = w.address)', BOTH],
  ['w.note in (select x.note from watchlist x where x.address = a.ip_address)', BOTH],
  ['w.note < any (select $$x$$ from watchlist x where x.address = a.ip_address)', BOTH],
  ['a.ip_address = w.address and (w.note = $$known$$ or false)', ['34.1.1.1']],
  [
    '(a.ip_address = w.address and w.note = $$known$$) or (a.ip_address = $$34.1.1.9$$ and w.note = $$nobody$$)',
    ['34.1.1.1'],
  ],
  ['(a.ip_address = w.address and false) or (a.ip_address = w.address and null)', []],
  ['a.ip_address is null', []],
  ['not (host(a.ip_address) is not null) and a.is_tor', []],
  ['a.ip_address is null or a.ip_address = w.address', BOTH],
  ['(a.ip_address is null) is true', []],
];

describe('a condition bounds the key', () => {
  test.each(CONDITIONS)('%s', async (condition, asked) => {
    await answersLikePostgreSQL(`select w.note, a.ip_address, a.is_tor from ${W} on ${condition}`, asked);
  });
});

describe('a key that is null is none that could be asked for', () => {
  test.each([
    `select * from ${A} where ip_address is null`,
    `select w.note, a.ip_address from watchlist w left join ${A} a on a.ip_address is null`,
    `select note from watchlist w where not exists (select from ${A} a where a.ip_address is null)`,
    `select note from watchlist w where w.address not in (select a.ip_address from ${A} a where a.ip_address is null)`,
    `with a as (select * from ${A} union all select * from ${A}) select count(*) from a where ip_address is null`,
    `select x.ip_address from (select a.ip_address from ${A} a left join watchlist w on w.address = a.ip_address) x
      where x.ip_address is null`,
  ])('%s', async (text) => answersLikePostgreSQL(text, []));
});

describe('a condition that lets every key pass bounds nothing', () => {
  test.each([
    'case when a.is_tor then a.ip_address end is null',
    'a.ip_address is not null',
    'not (a.ip_address = w.address)',
    '(a.ip_address = w.address) is not false',
    '(a.ip_address = w.address) is not true',
    'coalesce(a.ip_address = w.address, true)',
    'case when a.is_tor then a.ip_address = w.address else true end',
    'case when a.ip_address = w.address then false else true end',
    'coalesce(case when a.is_tor then a.ip_address end, w.address) = w.address',
    'case when a.is_tor then a.ip_address end is not distinct from nullif(w.address, w.address)',
    'a.ip_address between w.address and $$34.1.1.3$$',
    'a.ip_address >= w.address and a.ip_address >= w.address',
    'a.ip_address = all (array[]::inet[])',
    'a.ip_address <> all (array[w.address])',
    'w.address in (a.ip_address, $$34.1.1.1$$)',
    'exists (select count(*) from watchlist x where x.address = a.ip_address)',
    'exists (select from watchlist x where x.address = a.ip_address group by rollup (x.note))',
    'exists (select from watchlist x left join watchlist y on y.address = a.ip_address)',
    'w.note not in (select x.note from watchlist x where x.address = a.ip_address)',
  ])('%s', async (condition) => {
    await refuses(`select w.note, a.ip_address, a.is_tor from ${W} on ${condition}`);
  });
});

const GROUPS: readonly Case[] = [
  [
    'an aggregate of the level around, in the groups that HAVING keeps',
    `select username, max(e.source_ip), (select a.country_code from ${A} a where a.ip_address = max(e.source_ip)) from ${E} e group by username having username > 'user2'`,
    ['2600:1f18::7', '34.1.1.2'],
  ],
  [
    'an aggregate without GROUP BY, with the filters of both levels',
    `select (select a.country_code from ${A} a where a.ip_address = max(e.source_ip) and a.is_public) from ${E} e where event_id > 'e05'`,
    ['34.1.1.3'],
  ],
  ['an aggregate in IN', `select max(source_ip) in (select ip_address from ${A}) from ${E}`, ['2600:1f18::7']],
  [
    'an aggregate in HAVING',
    `select username from ${E} e group by username having count(*) > 2 and max(source_ip) not in (select ip_address from ${A} a where a.is_tor)`,
    ['2600:1f18::7', '34.1.1.1'],
  ],
  [
    'what a grouping set makes of a missing key',
    `select source_ip, (select is_tor from ${A} a where a.ip_address = coalesce(e.source_ip, '34.1.1.9')) from ${E} e group by rollup (source_ip)`,
    [...ALL, '34.1.1.9'].sort(),
  ],
  [
    'GROUP BY by ordinal, and an aggregate with a filter',
    `select username, (select is_tor from ${A} a where a.ip_address = min(e.source_ip) filter (where e.event_id > 'e05')) from ${E} e group by 1`,
    ['34.1.1.1', '34.1.1.2', '34.1.1.3'],
  ],
  [
    'an argument of an aggregate, which is computed for each row',
    `select username, max((select a.abuse_confidence_score from ${A} a where a.ip_address = e.source_ip)) from ${E} e group by username having count(*) > 100`,
    ALL,
  ],
  [
    'two levels further in',
    `select username from ${E} e group by username having exists (select from watchlist w where exists (select from ${A} a where a.ip_address = max(e.source_ip) and a.ip_address > w.address))`,
    ['2600:1f18::7', '34.1.1.2', '34.1.1.3'],
  ],
];

const EXISTENCE: readonly Case[] = [
  [
    'the filters of EXISTS, subqueries among them',
    `select a.is_tor from ${A} a where exists (select from ${E} e where e.source_ip = a.ip_address and e.source_ip in (select remote_ip from guardduty_finding))`,
    ['34.1.1.3'],
  ],
  [
    'a condition of a join in EXISTS',
    `select a.is_tor from ${A} a where exists (select from ${E} e join watchlist w on w.address = a.ip_address and w.address = e.source_ip)`,
    ['34.1.1.1'],
  ],
  [
    'OR in EXISTS',
    `select a.is_tor from ${A} a where exists (select from watchlist w where (w.address = a.ip_address and w.note = 'known') or (a.ip_address = '34.1.1.9' and w.note = 'rumour'))`,
    ['34.1.1.1', '34.1.1.9'],
  ],
  [
    'EXISTS in EXISTS',
    `select a.is_tor from ${A} a where exists (select from watchlist w where w.note = 'known' and exists (select from ${E} e where e.source_ip = w.address and w.address = a.ip_address))`,
    ['34.1.1.1'],
  ],
  [
    'a derived table in EXISTS',
    `select a.is_tor from ${A} a where exists (select from (select note from watchlist w where w.address = a.ip_address) x where x.note = 'known')`,
    ['34.1.1.1'],
  ],
  [
    'UNION in EXISTS',
    `select a.is_tor from ${A} a where exists (select from watchlist w where w.address = a.ip_address union all select from ${E} e where e.source_ip = a.ip_address and event_id = 'e06')`,
    ['34.1.1.1', '34.1.1.3', '34.1.1.77'],
  ],
  [
    'a subquery that no written key satisfies',
    `select a.is_tor from ${A} a where exists (select from unnest(array[inet '34.1.1.3', null]) as f(ip) where a.ip_address = inet '34.1.1.1' and a.ip_address = f.ip)`,
    [],
  ],
  [
    'an outer join that nothing passes',
    `select (select max(a.abuse_confidence_score) from ${E} e full join ${E} f on e.source_ip = f.source_ip, ${A} a where a.ip_address = f.source_ip_address and false <> null::boolean) from ${E} g`,
    [],
  ],
  [
    'GROUP BY and HAVING in EXISTS',
    `select a.is_tor from ${A} a where exists (select from ${E} e where e.source_ip = a.ip_address group by e.username having count(*) > 1)`,
    ['34.1.1.1', '34.1.1.2'],
  ],
  [
    'a look-up beside it in EXISTS',
    `select a.is_tor from ${A} a where exists (select from ${E} e join ${A} b on b.ip_address = e.source_ip and b.is_public = a.is_public where e.source_ip = a.ip_address and e.event_id < 'e04')`,
    ['34.1.1.1', '34.1.1.2'],
  ],
];

const PER_ROW: readonly Case[] = [
  [
    'the latest row for each of another table',
    `select w.note, l.event_name, a.country_code from watchlist w left join lateral (select * from ${E} e where e.source_ip = w.address order by event_time desc limit 1) l on true left join ${A} a on a.ip_address = l.source_ip`,
    ['34.1.1.1'],
  ],
  [
    'an expression over the first row for each of another, which is more keys than needed',
    `select u.username, l.source_ip, a.country_code from (select distinct username from ${E} where username < 'user2') u cross join lateral (select source_ip from ${E} e where e.username = u.username and source_ip is not null order by event_id limit 1) l join ${A} a on a.ip_address = host(l.source_ip)`,
    ['34.1.1.1', '34.1.1.3'],
  ],
  [
    'a subquery with LIMIT for each row',
    `select u.username, (select is_tor from ${A} a where a.ip_address = (select source_ip from ${E} e where e.username = u.username and source_ip is not null order by event_id limit 1)) from (select distinct username from ${E}) u`,
    ALL,
  ],
  [
    'UNION with LIMIT for each row',
    `select u.username, l.ip, a.country_code from (select distinct username from ${E} where username < 'user2') u cross join lateral (select source_ip ip from ${E} e where e.username = u.username union all select address from watchlist order by 1 limit 1) l join ${A} a on a.ip_address = l.ip`,
    ['34.1.1.1', '34.1.1.3', '34.1.1.77'],
  ],
  [
    'a window for each row',
    `select u.username, l.ip, a.country_code from (select distinct username from ${E} where username < 'user2') u cross join lateral (select source_ip ip, row_number() over (order by event_id) n from ${E} e where e.username = u.username) l join ${A} a on a.ip_address = l.ip where l.n = 1`,
    ['34.1.1.1', '34.1.1.3'],
  ],
  [
    'a member of a subquery with LIMIT for each row',
    `select a.ip_address from ${A} a where exists (select from ${E} e where a.ip_address in (select w.address from watchlist w where w.address = e.source_ip order by w.note limit 1))`,
    ['34.1.1.1'],
  ],
];

const JOINS: readonly Case[] = [
  [
    'what a join says of the side of it that can be read',
    `select 1 from ${E} e join (unnest(array['user1', 'user3']) as f(user_name) join ${A} b on host(b.ip_address) = f.user_name and f.user_name = 'CreateUser') on true`,
    [],
  ],
  [
    'a FULL JOIN that WHERE makes an inner one',
    `select w.note from watchlist w full join ${A} a on w.address = a.ip_address where a.ip_address = inet(host(w.address))`,
    BOTH,
  ],
  [
    'no condition of the optional side of an outer join',
    `select w.note, a.is_tor from watchlist w left join (watchlist x join ${A} b on b.ip_address = x.address and false) on true join ${A} a on a.ip_address = w.address`,
    BOTH,
  ],
];

/** An outer join that WHERE turns around: no row of NULLs passes the condition. */
const STRICT: readonly Case[] = (
  [
    ['host(a.ip_address) = host(w.address)', BOTH],
    ['masklen(a.ip_address) = 32 and a.ip_address = w.address', BOTH],
    ["(a.ip_address, true) in (('34.1.1.1', true), ('34.1.1.3', true))", ['34.1.1.1', '34.1.1.3']],
    ['(a.ip_address, 1) = (w.address, 1)', BOTH],
    ['a.ip_address in (w.address)', BOTH],
    ['a.ip_address = any (array[w.address])', BOTH],
    ['w.address = nullif(a.ip_address, $$::1$$)', BOTH],
    ['not (a.ip_address is distinct from $$34.1.1.1$$)', ['34.1.1.1']],
    ['case when w.note is not null then a.ip_address = w.address else false end', BOTH],
    ['(a.ip_address = w.address or a.ip_address = $$34.1.1.3$$) is true', [...BOTH, '34.1.1.3'].sort()],
    ['exists (select from watchlist x where x.address = a.ip_address)', BOTH],
    ['(a.ip_address, true) in (select x.address, true from watchlist x)', BOTH],
    ['(select a.ip_address = w.address)', BOTH],
  ] as const
).flatMap(([condition, asked]): Case[] => [
  [`left join … ${condition}`, `select 1 from watchlist w left join ${A} a on a.is_public where ${condition}`, asked],
  [
    `full join … ${condition}`,
    `select a.ip_address, w.note from ${A} a full join watchlist w on a.country_code = w.note where ${condition}`,
    asked,
  ],
]);

/** An outer join that may leave out the row that the key comes from. */
const OPTIONAL: readonly Case[] = [
  [
    'a row of NULLs beside LEFT JOIN',
    `select w.note, a.is_tor from ${A} a left join watchlist w on w.note = 'known' and a.is_public where a.ip_address = coalesce(w.address, '34.1.1.9')`,
    [...BOTH, '34.1.1.9'].sort(),
  ],
  [
    'a row of NULLs beside RIGHT JOIN, as far as other conditions let it pass',
    `select w.note, a.is_tor from watchlist w right join ${A} a on w.address = a.ip_address where a.ip_address = coalesce(w.address, '34.1.1.9') and coalesce(w.note, 'x') <> 'rumour'`,
    ['34.1.1.1', '34.1.1.9'],
  ],
  [
    'a row of NULLs beside FULL JOIN',
    `select w.note, a.is_tor from watchlist w full join ${A} a on w.address = a.ip_address where a.ip_address = w.address or a.ip_address = '34.1.1.1'`,
    BOTH,
  ],
  [
    'a row of NULLs beside two joins',
    `select w.note, a.is_tor, x.note from ${A} a left join watchlist w on w.note = 'known' and a.is_public left join watchlist x on x.note = w.note where a.ip_address = coalesce(x.address, w.address, '34.1.1.9')`,
    [...BOTH, '34.1.1.9'].sort(),
  ],
  [
    'what is not optional, rather',
    `select w.note, a.is_tor from watchlist x join ${A} a on true left join watchlist w on w.note = 'known' and a.is_public where a.ip_address = coalesce(w.address, '34.1.1.9') and a.ip_address = x.address`,
    BOTH,
  ],
];

/** The rows of each partition have one key. */
const WINDOWS: readonly Case[] = [
  [
    'a level whose window is partitioned by it',
    `select d.* from (select a.ip_address k, count(*) over (partition by a.ip_address order by w.note) n from ${A} a cross join watchlist w) d where d.k in ('34.1.1.1', '34.1.1.3')`,
    ['34.1.1.1', '34.1.1.3'],
  ],
  [
    'a level whose named windows are all partitioned by it',
    `select d.*, w.note from watchlist w join (select a.ip_address k, count(*) over p n, row_number() over (q order by e.event_id) r from ${A} a cross join ${E} e window p as (partition by e.event_name, a.ip_address), q as (p)) d on d.k = w.address`,
    BOTH,
  ],
  [
    'groups with windows partitioned by it',
    `select d.* from (select a.ip_address k, sum(count(*)) over (partition by a.ip_address)::int n from ${A} a cross join ${E} e group by a.ip_address, e.username) d where d.k = '34.1.1.1'`,
    ['34.1.1.1'],
  ],
];

/** Of the rows that DISTINCT ON compares, those with one key are kept or left out together. */
const DISTINCT_ON: readonly Case[] = [
  [
    'a level that keeps one row of each',
    `select d.* from (select distinct on (a.ip_address) a.ip_address k, w.note from ${A} a cross join watchlist w order by 1, 2) d where d.k in ('34.1.1.1', '34.1.1.3')`,
    ['34.1.1.1', '34.1.1.3'],
  ],
  [
    'of each and more, by the name and the number of an output column',
    `select d.*, w.note from watchlist w join (select distinct on (k, 2) a.ip_address k, e.event_name ip_address, e.event_id from ${A} a cross join ${E} e order by 1, 2, 3 desc) d on d.k = w.address`,
    BOTH,
  ],
  [
    'under a star, and a window over the key that says which one',
    `select d.ip_address, d.event_id from (select distinct on (ip_address) a.*, e.event_id from ${A} a cross join ${E} e order by ip_address, row_number() over (partition by a.ip_address order by e.event_id desc)) d where d.ip_address = '34.1.1.3'`,
    ['34.1.1.3'],
  ],
  [
    'of groups',
    `select d.* from (select distinct on (a.ip_address) a.ip_address k, e.username, count(*) from ${A} a cross join ${E} e group by 1, 2 order by 1, 3 desc, 2) d where d.k = '34.1.1.1'`,
    ['34.1.1.1'],
  ],
];

describe('DISTINCT ON over more than one key bounds nothing', () => {
  test.each([
    'distinct on (a.country_code) a.ip_address k from A a order by a.country_code, 1',
    'distinct on (ip_address) a.ip_address k, w.address ip_address from A a cross join watchlist w order by 2, 1',
    'distinct on (2) a.ip_address k, w.note from A a cross join watchlist w order by 2, 1',
    'distinct on (host(a.ip_address)) a.ip_address k from A a order by host(a.ip_address), 1',
    'distinct on (a.ip_address) a.ip_address k from A a order by 1, row_number() over (order by a.country_code, 1)',
    'distinct on (a.ip_address) a.ip_address k from A a order by 1 limit 3',
  ])('%s', async (text) => {
    await refuses(`select * from (select ${text.replaceAll(' A a', ` ${A} a`)}) d where d.k = '34.1.1.1'`);
  });
});

describe('a window over more than one key bounds nothing', () => {
  test.each(['', 'partition by a.country_code', 'order by a.ip_address', 'partition by w.address'])(
    '%s',
    async (over) => {
      await refuses(
        `select d.* from (select a.ip_address k, count(*) over (${over}) from ${A} a cross join watchlist w) d where d.k = '34.1.1.1'`,
      );
    },
  );
});

describe('an outer join whose row of NULLs may pass bounds nothing', () => {
  test.each([
    'coalesce(a.ip_address, w.address) = w.address',
    'a.ip_address = w.address or w.note is not null',
    'a.ip_address is not distinct from nullif(w.address, $$34.1.1.1$$)',
    '(a.ip_address, w.address) is distinct from (w.address, w.address)',
    'concat(a.ip_address, w.note) = w.note',
    'not exists (select from watchlist x where x.address = a.ip_address)',
    '(select count(*) = 0 from watchlist x where x.address = a.ip_address)',
    'a.ip_address <> all (select address from watchlist where false)',
  ])('%s', async (condition) => {
    await refuses(`select w.note, a.is_tor from watchlist w left join ${A} a on a.is_public where ${condition}`);
  });
});

describe('keys come from', () => {
  test.each([...GROUPS, ...EXISTENCE, ...PER_ROW, ...JOINS, ...STRICT, ...OPTIONAL, ...WINDOWS, ...DISTINCT_ON])(
    '%s',
    async (_name, text, asked) => {
      await answersLikePostgreSQL(text, asked);
    },
  );
});
