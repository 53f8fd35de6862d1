import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Predicate } from '../../src/sources/source.ts';
import { openBench, sorted, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

const E = 'cloudtrail_trail_event';
const F = 'guardduty_finding';
const A = 'abuseipdb_check_ip';
const NAMED = `event_name = 'CreateUser'`;

/** A statement, and what each scan of events is asked. */
type Case = readonly [name: string, text: string, asked: readonly string[]];

function said({ column, operator, values }: Predicate): string {
  return [column.name, operator, [...values].sort().join(', ')].filter((part) => part !== '').join(' ');
}

/** Rows as PostgreSQL's over plain tables; each scan's predicates, `and`ed. */
async function asks(text: string, asked: readonly string[]): Promise<void> {
  const expected = sorted(await bench.oracle(text));
  bench.events.requests.length = 0;
  const { rows } = await bench.ask(text);
  expect(sorted(rows)).toEqual(expected);
  const scans = bench.events.requests.map(({ predicates }) => predicates.map(said).join(' and '));
  expect(scans.sort()).toEqual([...asked].sort());
}

const THROUGH: readonly Case[] = [
  [
    'a derived table',
    `select event_id, x.username from (select * from ${E}) x where ${NAMED}`,
    ['event_name = CreateUser'],
  ],
  [
    'derived tables within one another, renamed',
    `select y.b from (select x.n as b from (select event_name as n, event_id from ${E}) x) y where y.b = 'CreateUser'`,
    ['event_name = CreateUser'],
  ],
  [
    'inner conditions and outer ones',
    `select event_id from (select * from ${E} where error_code is not null) x where ${NAMED} and event_time > '2026-11-19'`,
    ['error_code is not null and event_name = CreateUser and event_time > 1795046400000.000000'],
  ],
  [
    'a value in parentheses',
    `select event_id from ${E} where event_name = (select 'Create' || 'User')`,
    ['event_name = CreateUser'],
  ],
  [
    'nothing that another relation says',
    `select event_id from ${E} where event_name = (select max('CreateUser') from watchlist)`,
    [''],
  ],
  ['a CTE', `with e as (select * from ${E}) select event_id from e where ${NAMED}`, ['event_name = CreateUser']],
  [
    'a CTE that is kept apart',
    `with e as materialized (select * from ${E}) select event_id from e where ${NAMED}`,
    ['event_name = CreateUser'],
  ],
  [
    'a CTE of WITH RECURSIVE that is none',
    `with recursive e as (select * from ${E}), n as (select 1 i union all select i + 1 from n where i < 3) select event_id, i from e, n where ${NAMED}`,
    ['event_name = CreateUser'],
  ],
  [
    'all mentions of a CTE: the values of either',
    `with e as (select * from ${E}) select a.event_id, b.event_id from e a join e b on a.username = b.username where a.${NAMED} and b.event_name in ('GetObject', 'ConsoleLogin') and a.event_time > '2026-11-19' and b.event_time > '2026-11-19'`,
    ['event_name = ConsoleLogin, CreateUser, GetObject and event_time > 1795046400000.000000'],
  ],
  [
    'no condition that one mention of a CTE lacks',
    `with e as (select * from ${E}) select a.event_id from e a join e b using (event_id) where a.${NAMED}`,
    [''],
  ],
  [
    'grouped columns',
    `select * from (select event_name, count(*) from ${E} group by event_name) x where ${NAMED}`,
    ['event_name = CreateUser'],
  ],
  [
    'no column of an aggregate',
    `select * from (select max(event_name) as event_name from ${E}) x where ${NAMED}`,
    [''],
  ],
  [
    'DISTINCT',
    `select * from (select distinct event_name, username from ${E}) x where ${NAMED}`,
    ['event_name = CreateUser'],
  ],
  [
    'DISTINCT ON of the column',
    `select * from (select distinct on (event_name) event_name, username, event_id from ${E} order by event_name, event_id) x where ${NAMED}`,
    ['event_name = CreateUser'],
  ],
  [
    'no other DISTINCT ON',
    `select * from (select distinct on (username) event_name, username, event_id from ${E} order by username, event_id) x where ${NAMED}`,
    [''],
  ],
  [
    'no LIMIT',
    `select * from (select event_name, event_id from ${E} order by event_id limit 3) x where ${NAMED}`,
    [''],
  ],
  [
    'no window',
    `select * from (select event_name, row_number() over (order by event_id) from ${E}) x where ${NAMED}`,
    [''],
  ],
  [
    'both branches of UNION ALL',
    `select * from (select event_id, event_name from ${E} where error_code is null union all select event_id, event_name from ${E} where error_code is not null) x where ${NAMED}`,
    ['error_code is null and event_name = CreateUser', 'error_code is not null and event_name = CreateUser'],
  ],
  [
    'EXCEPT and literals',
    `select * from (select event_name from ${E} except select 'CreateUser' union select null) x where ${NAMED}`,
    ['event_name = CreateUser'],
  ],
  [
    'no set operation that compares another type',
    `select * from (select 'CreateUser'::char(12) as n union select event_name from ${E}) x where n = 'CreateUser'`,
    [''],
  ],
  [
    'the optional side of an outer join, which a condition makes an inner one',
    `select * from (select w.note, e.event_name from watchlist w left join ${E} e on e.source_ip = w.address) x where ${NAMED}`,
    ['event_name = CreateUser and source_ip = 34.1.1.1, 34.1.1.77'],
  ],
  [
    'the optional side of an outer join, but not IS NULL',
    `select * from (select w.note, e.event_name from watchlist w left join ${E} e on e.source_ip = w.address) x where event_name is null`,
    ['source_ip = 34.1.1.1, 34.1.1.77'],
  ],
  [
    'ON of an outer join around it',
    `select w.note, x.event_id from watchlist w left join (select * from ${E}) x on x.source_ip = w.address and x.${NAMED}`,
    ['event_name = CreateUser and source_ip = 34.1.1.1, 34.1.1.77'],
  ],
  [
    'not to the side that an outer join keeps',
    `select x.event_id from (select * from ${E}) x left join watchlist w on x.source_ip = w.address and x.${NAMED}`,
    [''],
  ],
  [
    'a subquery of EXISTS',
    `select w.note from watchlist w where exists (select from (select * from ${E}) x where ${NAMED} and x.source_ip = w.address)`,
    ['event_name = CreateUser and source_ip = 34.1.1.1, 34.1.1.77'],
  ],
  [
    'LATERAL',
    `select w.note, l.event_id from watchlist w, lateral (select * from ${E} e where e.source_ip = w.address) l where l.${NAMED}`,
    ['event_name = CreateUser and source_ip = 34.1.1.1, 34.1.1.77'],
  ],
];

describe('conditions pass through', () => {
  test.each(THROUGH)('%s', async (_name, text, asked) => {
    await asks(text, asked);
  });
});

const NOTHING: readonly (readonly [name: string, text: string])[] = [
  ['WHERE', `select * from ${E} where 1 <> 1`],
  ['WHERE of a level around it', `select * from (select * from (select * from ${E}) x limit 3) y where false`],
  ['NULL', `select * from (select * from ${E}) x where null`],
  ['ON of an inner join', `select w.note from watchlist w join (select * from ${E}) x on 1 = 2`],
  ['ON of an outer join', `select w.note, x.event_id from watchlist w left join (select * from ${E}) x on 1 = 2`],
  ['HAVING', `select count(*) from ${E} having false`],
  ['WHERE below an aggregate', `select count(*) from ${E} where false`],
  [
    'WHERE of all mentions',
    `with e as (select * from ${E}) select 1 from e where false union all select 2 from e where null`,
  ],
  ['a CTE that nothing mentions', `with e as (select * from ${E}) select 1`],
  ['WHERE around a subquery', `select note from watchlist where false and exists (select from ${E})`],
  ['WHERE of a target', `select (select max(event_id) from ${E}) from watchlist where false`],
  ['LIMIT of no row', `select * from (select * from ${E}) x limit 0`],
  [
    'a computed LIMIT of no row',
    `select * from (select * from ${E} e join ${A} a on a.ip_address = e.source_ip) x limit 1 - 1`,
  ],
  ['WHERE around a branch', `select * from (select event_id from ${E} union all select id from ${F}) x where 1 = 2`],
];

describe('nothing is called where no row can count, by', () => {
  test.each(NOTHING)('%s', async (_name, text) => {
    const { rows, asked, scans } = await bench.ask(text);
    expect(rows).toEqual(await bench.oracle(text));
    expect({ asked, scans }).toEqual({ asked: [], scans: 0 });
  });
});

test('a condition that is false of one mention of a CTE leaves the other one its rows', async () => {
  await asks(`with e as (select * from ${E}) select 1 from e where false union all select 2 from e where true`, ['']);
});

test('an aggregate over no row still reads what stands beside it', async () => {
  await asks(`select count(*), (select count(*) from ${E}) from watchlist where false`, ['']);
});

test.each([
  `select ip_address, is_tor from ${A} where 1 <> 1`,
  `select * from (select ip_address from ${A}) x where false`,
  `select ip_address from ${A} limit 0`,
  `select event_id, is_tor from ${E} e left join ${A} a on false`,
])('a look-up without a key asks for nothing where no row counts: %s', async (text) => {
  const { rows, asked } = await bench.ask(text);
  expect(sorted(rows)).toEqual(sorted(await bench.oracle(text)));
  expect(asked).toEqual([]);
});
