import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Column } from '../../src/catalog/table.ts';
import { ByteFilter } from '../../src/sources/byte-filter.ts';
import { needlesOfPredicate } from '../../src/sources/needles.ts';
import type { Condition, Predicate } from '../../src/sources/source.ts';
import { openBench, sorted, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

const E = 'cloudtrail_trail_event';

function said(condition: Condition): string {
  if (condition.kind === 'predicate') return saidBy(condition.predicate);
  return `(${condition.of.map(said).join(` ${condition.kind} `)})`;
}

function saidBy({ column, steps = [], operator, values }: Predicate): string {
  const place = [column.name, ...steps].join('.');
  return [place, operator, values.join(', ')].filter((part) => part !== '').join(' ');
}

/** Rows as PostgreSQL's over plain tables; each scan's conditions. */
async function asks(text: string, asked: readonly string[], values: readonly string[] = []): Promise<void> {
  const written = values.reduce((sql, value, index) => sql.replaceAll(`$${index + 1}`, `'${value}'`), text);
  const expected = sorted(await bench.oracle(written));
  bench.events.requests.length = 0;
  const { rows } = await bench.ask(text, values);
  expect(sorted(rows)).toEqual(expected);
  expect(bench.events.requests.flatMap(({ conditions = [] }) => conditions.map(said))).toEqual(asked);
}

describe('alternatives, negations and places in JSON go to the source', () => {
  test.each<[where: string, asked: readonly string[]]>([
    [`event_name = 'CreateUser' or error_code is not null`, ['(event_name = CreateUser or error_code is not null)']],
    [
      `(event_name = 'CreateUser' and username like 'user1%') or (event_name in ('GetObject', 'ListBuckets') and not username = 'user2')`,
      [
        '((event_name = CreateUser and username like user1%) or (event_name = GetObject, ListBuckets and username <> user2))',
      ],
    ],
    [
      `not (event_name = 'CreateUser' or error_code is null)`,
      ['(event_name <> CreateUser and error_code is not null)'],
    ],
    [`event_name not in ('CreateUser', 'GetObject')`, ['(event_name <> CreateUser and event_name <> GetObject)']],
    [`event_name not like 'List%'`, ['event_name not like List%']],
    [`not (event_name not in ('CreateUser', 'GetObject'))`, ['event_name = CreateUser, GetObject']],
    [
      `event_name = 'CreateUser' or event_time between '2026-11-19' and '2026-11-19 12:00'`,
      ['(event_name = CreateUser or (event_time >= 1795046400000.000000 and event_time <= 1795089600000.000000))'],
    ],
    [`user_identity ->> 'userName' = 'user1'`, ['user_identity.userName = user1']],
    [`user_identity #>> '{userName}' in ('user1', 'user2')`, ['user_identity.userName = user1, user2']],
    [
      `cloudtrail_event -> 'userIdentity' ->> 'userName' like 'user1%'`,
      ['cloudtrail_event.userIdentity.userName like user1%'],
    ],
    [`cloudtrail_event::text like '%user1%'`, ['cloudtrail_event like %user1%']],
    [
      `user_identity::text ilike '%USER1%' or event_name = 'GetObject'`,
      ['(user_identity ilike %USER1% or event_name = GetObject)'],
    ],
    [
      `user_identity ->> 'userName' = 'user1' or event_name = 'GetObject'`,
      ['(user_identity.userName = user1 or event_name = GetObject)'],
    ],
    [`event_name ~ '^(Create|Delete)User$'`, ['event_name ~ ^(Create|Delete)User$']],
    [`event_name ~* any (array['^create', 'OBJECT$'])`, ['event_name ~* ^create, OBJECT$']],
    [
      `user_identity ->> 'userName' ~ 'ser1' or username ~* 'USER2'`,
      ['(user_identity.userName ~ ser1 or username ~* USER2)'],
    ],
    [`not event_name ~ 'User' and event_name !~* 'OBJECT' and event_name collate "C" ~ 'User'`, []],
    [`'CreateUser' ~ event_name and event_name ~ all (array['Create', 'User'])`, []],
    [`(error_code = 'AccessDenied') is not true`, ['(error_code <> AccessDenied or error_code is null)']],
    [`(error_code <> 'AccessDenied') is not false`, ['(error_code <> AccessDenied or error_code is null)']],
    [
      `(error_code = 'AccessDenied' and event_name = 'x') is false`,
      ['(error_code <> AccessDenied or event_name <> x)'],
    ],
    [
      `(error_code = 'AccessDenied' or not event_name = 'GetObject') is not true`,
      ['((error_code <> AccessDenied or error_code is null) and (event_name = GetObject or event_name is null))'],
    ],
    [`not (error_code like 'Access%') is true`, ['(error_code not like Access% or error_code is null)']],
    [`(error_code in ('AccessDenied', null)) is not true`, []],
    [`(error_code = null) is not true`, []],
    [`error_code is distinct from 'AccessDenied'`, ['(error_code <> AccessDenied or error_code is null)']],
    [`not ('AccessDenied' is distinct from error_code)`, ['error_code = AccessDenied']],
    [`error_code is not distinct from null`, ['error_code is null']],
    [`error_code is distinct from null`, []],
    [
      `event_name <> all (array['CreateUser', 'GetObject'])`,
      ['(event_name <> CreateUser and event_name <> GetObject)'],
    ],
    [`not event_name = any ('{CreateUser}'::text[])`, ['event_name <> CreateUser']],
    [`not event_name <> all (array['CreateUser', null])`, ['event_name = CreateUser']],
    [`event_name <> all ('{}'::text[])`, []],
    [
      `event_name <> all (array['CreateUser']) or username = 'user1'`,
      ['(event_name <> CreateUser or username = user1)'],
    ],
    [
      `event_time between symmetric '2026-11-19 12:00' and '2026-11-19'`,
      [
        '((event_time >= 1795089600000.000000 and event_time <= 1795046400000.000000) or (event_time >= 1795046400000.000000 and event_time <= 1795089600000.000000))',
      ],
    ],
    [
      `event_time not between '2026-11-19' and '2026-11-19 12:00'`,
      ['(event_time < 1795046400000.000000 or event_time > 1795089600000.000000)'],
    ],
    [`user_identity @> '{"userName": "user1"}'`, ['user_identity.userName = user1']],
    [
      `cloudtrail_event @> '{"userIdentity": {"userName": "user1"}, "eventName": "GetObject", "x": null}'::jsonb`,
      ['(cloudtrail_event.userIdentity.userName = user1 and cloudtrail_event.eventName = GetObject)'],
    ],
    [
      `cloudtrail_event -> 'userIdentity' @> '{"userName": "user1"}' or user_identity ->> 'userName' <> 'user2'`,
      ['(cloudtrail_event.userIdentity.userName = user1 or user_identity.userName <> user2)'],
    ],
    [
      `cloudtrail_event @> '{"resources": [], "requestParameters": {}, "n": 1.50}'`,
      [
        '(cloudtrail_event.resources is not null and cloudtrail_event.requestParameters is not null and cloudtrail_event.n is not null)',
      ],
    ],
    [`user_identity ->> 'userName' is not null`, ['user_identity.userName is not null']],
    [`not user_identity ->> 'userName' in ('user1')`, ['user_identity.userName <> user1']],
    [`event_name = 'CreateUser' or null`, ['event_name = CreateUser']],
  ])('%s', async (where, asked) => {
    await asks(`select event_id from ${E} where ${where}`, asked);
  });

  test('a parameter that switches a condition off leaves nothing to ask, and one that does not leaves the condition', async () => {
    const text = `select event_id from ${E} where $1 = '' or event_name = $1`;
    await asks(text, [], ['']);
    await asks(text, ['event_name = CreateUser'], ['CreateUser']);
  });

  test('what alternatives say of another relation widens them', async () => {
    await asks(
      `select e.event_id, w.note from ${E} e, watchlist w where (e.event_name = 'CreateUser' and w.note = 'known') or (e.event_name = 'GetObject' and w.note = 'rumour')`,
      ['(event_name = CreateUser or event_name = GetObject)'],
    );
  });
});

describe('nothing is asked that could be narrower than the statement', () => {
  test.each([
    `event_name = 'CreateUser' or length(username) = 5`,
    `event_name = 'CreateUser' or username collate "C" = 'user1'`,
    `event_name = 'CreateUser' or random() < 2`,
    `(event_name = 'CreateUser') is unknown`,
    `(event_name = any (array['CreateUser', null])) is not true`,
    `event_name is distinct from username`,
    `event_name <> any (array['CreateUser', 'GetObject'])`,
    `user_identity #>> '{0}' = 'x' or event_name = 'CreateUser'`,
    `user_identity ->> lower('userName') = 'user1'`,
    `user_identity::varchar like '%user1%'`,
    `(user_identity -> 'userName')::text like '%user1%'`,
    `user_identity::text is null`,
    `user_identity = '{"type": "AWSService"}'`,
    `(user_identity ->> 'userName') is null`,
    `user_identity -> 'userName' ->> 0 = 'user1'`,
    `not user_identity @> '{"userName": "user1"}'`,
    `user_identity @> '"user1"'`,
    `user_identity @> '["user1"]'`,
    `user_identity @> jsonb_build_object('userName', username)`,
    `event_name = 'CreateUser' or username = (select max(note) from watchlist)`,
  ])('%s', async (where) => {
    await asks(`select event_id from ${E} where ${where}`, []);
  });

  test('IS NULL of what an outer join may have left out', async () => {
    await asks(
      `select w.note, x.event_id from watchlist w left join ${E} x on x.source_ip = w.address where x.event_name is null or x.event_name = 'CreateUser'`,
      [],
    );
    await asks(
      `select note, event_id from (select w.note, e.event_id, e.event_name from watchlist w left join ${E} e on e.source_ip = w.address) x where event_name is null or event_name = 'CreateUser'`,
      [],
    );
  });

  test('a condition that one mention of a CTE lacks', async () => {
    await asks(
      `with e as (select * from ${E}) select a.event_id from e a join e b using (event_id) where a.event_name = 'CreateUser' or a.event_name = 'GetObject'`,
      [],
    );
  });

  test('a cast of a text that PostgreSQL never gets to', async () => {
    await asks(`select event_id from ${E} where $1 = '' or event_time > $1::text::timestamptz`, [], ['']);
  });
});

test.each([
  `event_name <> all (array['CreateUser', null])`,
  `event_name <> all (null::text[])`,
  `not event_name = any (array['CreateUser', null])`,
])('a list with NULL that holds of no row fetches nothing: %s', async (where) => {
  expect(await bench.ask(`select event_id from ${E} where ${where}`)).toMatchObject({ rows: [], scans: 0 });
});

test('alternatives none of which can hold fetch nothing', async () => {
  const { rows, scans } = await bench.ask(`select event_id from ${E} where event_name = null or username = null`);
  expect({ rows, scans }).toEqual({ rows: [], scans: 0 });
});

/** Texts, and regular expressions that find them. */
const PIECES: readonly (readonly [text: string, regex: string])[] = [
  ...['Create', 'User', 'ab', 'é', '/', ' ', '"', '1', 'x', 'K'].map((text) => [text, text] as const),
  ...['Create', 'User', 'any'].flatMap((text) => [[text, '.*'] as const, [text, '(Create|User|any)'] as const]),
  ...['User', 'Use', 'Userr'].flatMap((text) =>
    ['Use.*', 'Userr*', 'User{0,2}', 'Us(er?)+'].map((of) => [text, of] as const),
  ),
  ...([
    ['\\', '\\\\'],
    ['A', '\\x41'],
    ['Ab', '\\u0041b'],
    ['\n1', '\\012\\d'],
    ['x1', 'x\\d'],
    ['a.b', 'a\\.b'],
    ['a{b', 'a{b'],
  ] as const),
  ...([
    ['x]', '[^a]]'],
    [']a', '[]a]a'],
    ['-k', '[[.-.]x]k'],
    [']x', '[\\]a]x'],
    ['[z', '[[]z'],
    ['abab', '(ab)\\1'],
  ] as const),
  ...([
    ['Create', '(?=Cr)Create'],
    ['Create', '(?!x)Create'],
    ['User', '\\mUser\\M'],
    ['User', '(?:Create|User)(?<=r)'],
  ] as const),
  ...([
    ['', '(Create)?'],
    ['', 'User*?|'],
    ['ab', 'ab(?#Create)?'],
    ['ab', 'abc{0}'],
    ['abc', 'abc{1}?'],
  ] as const),
];
const META = [
  '?',
  '*',
  '+',
  '|',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '\\',
  '^',
  '$',
  '.',
  '{2}',
  '{,2}',
  '(?:',
  '(?i)',
  '(?#',
  'c',
  '-',
  ':',
  ',',
  '1',
];

const found = fc
  .tuple(
    fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 4 }),
    fc.constantFrom('', '', '', '(?i)', '(?n)', '(?x)', '(?q)', '***:', '***=', '***:(?i)', '^'),
    fc.constantFrom('', '', '', ')', ')+', '){1,2}', ')?', ')*|Create'),
    // One character more, or one less: mostly a regular expression of another meaning.
    fc.option(fc.tuple(fc.nat(40), fc.constantFrom(...META, '')), { freq: 1 }),
    fc.constantFrom('same', 'same', 'lower', 'upper', 'kelvin'),
    fc.constantFrom('', 'Create', '\n'),
  )
  .map(([pieces, director, group, change, letters, around]): readonly [text: string, pattern: string] => {
    const body = pieces.map(([, regex]) => regex).join('');
    const whole = `${director}${group === '' ? body : `(${body}${group}`}`;
    const at = change === null ? 0 : change[0] % (whole.length + 1);
    const pattern =
      change === null ? whole : whole.slice(0, at) + change[1] + whole.slice(change[1] === '' ? at + 1 : at);
    const text = pieces.map(([own]) => own).join('');
    const cased = {
      same: text,
      lower: text.toLowerCase(),
      upper: text.toUpperCase(),
      kelvin: text.replaceAll('K', '\u212a'),
    };
    return [around + cased[letters] + around, pattern];
  });

test('a text that PostgreSQL finds by a regular expression is found by what must stand in it', async () => {
  await bench.pool
    .query(`create function pg_temp.found(t text, p text, ci boolean) returns boolean language plpgsql as $$
    begin return case when ci then t ~* p else t ~ p end; exception when others then return null; end $$`);
  const column = { type: 'text', path: 'errorCode' } as Column;
  const cases = fc
    .sample(fc.tuple(found, fc.boolean()), { numRuns: 20_000, seed: 7 })
    .map(([pair, anyCase]) => [...pair, anyCase] as const);
  const given = [0, 1, 2].map((index) => cases.map((one) => one[index]));
  const { rows } = await bench.pool.query<{ found: boolean | null }>(
    'select pg_temp.found(t, p, c) as found from unnest($1::text[], $2::text[], $3::boolean[]) with ordinality as _ (t, p, c, n) order by n',
    given,
  );
  let told = 0;
  for (const [index, [text, pattern, anyCase]] of cases.entries()) {
    if (rows[index]?.found !== true) continue;
    const needles = needlesOfPredicate({ column, operator: anyCase ? '~*' : '~', values: [pattern] });
    if (needles === undefined) continue;
    told += 1;
    const bytes = Buffer.from(JSON.stringify({ errorCode: text }));
    expect(new ByteFilter([needles]).mayHold(bytes), JSON.stringify([text, pattern, needles])).toBe(true);
  }
  expect(told).toBeGreaterThan(3_000);
});

test('a LIMIT is not handed down past a condition that is not one predicate', async () => {
  const exact = await openBench({ exactness: 'exact' });
  try {
    const { rows } = await exact.ask(
      `select event_id from ${E} where event_name = 'CreateUser' or error_code is not null limit 3`,
    );
    expect(rows).toHaveLength(3);
    expect((await exact.ask(`select event_id from ${E} where event_name ~ 'User' limit 3`)).rows).toHaveLength(3);
    expect(exact.events.requests.map(({ limit }) => limit)).toEqual([undefined, undefined]);
  } finally {
    await exact.close();
  }
});
