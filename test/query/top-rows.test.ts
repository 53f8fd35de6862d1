import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { columnName } from '../../src/sql/column-name.ts';
import { parseStatements } from '../../src/sql/parse.ts';
import { bare } from '../../src/sql/walk.ts';
import { openBench, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  await bench.pool.query(`
    insert into plain.abuseipdb_check_ip (ip_address, max_age_in_days, abuse_confidence_score, country_code, is_tor, is_public)
      select inet '20.0.0.0' + n, 90, 11 * (n % 10), case when n % 2 = 0 then 'NL' end, n % 10 = 3, true
        from generate_series(0, 99) n;
    create table public.seen (id int, ip inet, at int, more jsonb);
    insert into public.seen select n, inet '20.0.0.0' + n % 50, n / 2,
        jsonb_build_array(host(inet '20.0.0.0' + n % 7), 'no address') from generate_series(0, 59) n;
    insert into public.seen values (60, null, null, null);
    create table public.named (ip inet, name text);
    insert into public.named select inet '20.0.0.0' + n % 9, 'name ' || n from generate_series(0, 19) n;
    grant select on public.seen, public.named to public`);
});
afterAll(async () => {
  await bench.close();
});

const A = 'abuseipdb_check_ip';
const SCORE = (ip: string) => `(select a.abuse_confidence_score from ${A} a where a.ip_address = ${ip})`;

/** A statement, and the last bytes of the addresses 20.0.0.x that are asked for. */
type Case = readonly [name: string, text: string, asked: readonly number[]];

const FIRST_ROWS: readonly Case[] = [
  ['the target list', `select s.id, ${SCORE('s.ip')} from seen s order by s.id limit 3`, [0, 1, 2]],
  [
    'OFFSET, an ordinal and the name of an output column',
    `select s.at as moment, s.id as number, ${SCORE('s.ip')} from seen s where s.id < 60 order by moment desc, 2 limit 2 offset 1`,
    [6, 8, 9],
  ],
  [
    'all rows that tie with the last of them',
    `select s.at, max(x.score) from (select s.at, ${SCORE('s.ip')} as score from seen s order by s.at limit 3) x,
      lateral (select x.at) s group by 1 order by 1`,
    [0, 1, 2, 3],
  ],
  ['WITH TIES', `select s.at, ${SCORE('s.ip')} from seen s order by s.at fetch first 3 rows with ties`, [0, 1, 2, 3]],
  ['NULLS FIRST', `select s.id, ${SCORE('s.ip')} from seen s order by s.at desc, s.id limit 2`, [8]],
  [
    'a further column of ORDER BY that is looked up',
    `select s.id, ${SCORE('s.ip')} as score from seen s order by s.at, score desc limit 1`,
    [0, 1],
  ],
  [
    'a subquery of ORDER BY behind what is known',
    `select s.id from seen s order by s.at, ${SCORE('s.ip')} desc limit 1`,
    [0, 1],
  ],
  [
    'EXISTS, NOT IN and what is computed of them',
    `select s.id, exists (select from ${A} a where a.ip_address = s.ip and a.is_tor),
        case when s.ip not in (select b.ip_address from ${A} b where b.abuse_confidence_score > 20) then 'low' end
      from seen s order by s.id limit 4`,
    [0, 1, 2, 3],
  ],
  [
    'LEFT JOIN',
    `select s.id, a.abuse_confidence_score from seen s left join ${A} a on a.ip_address = s.ip order by s.id limit 3`,
    [0, 1, 2],
  ],
  [
    'RIGHT JOIN, and a condition of rows that are left out',
    `select s.id, a.abuse_confidence_score from ${A} a right join seen s on a.ip_address = s.ip and a.is_tor
      where s.id % 2 = 1 order by s.id limit 3`,
    [1, 3, 5],
  ],
  [
    'a chain of look-ups',
    `select s.id, a.abuse_confidence_score, b.abuse_confidence_score from seen s left join ${A} a on a.ip_address = s.ip
      left join ${A} b on b.ip_address = a.ip_address + 50 order by s.id limit 2`,
    [0, 1, 50, 51],
  ],
  [
    'LEFT JOIN LATERAL',
    `select s.id, x.score from seen s left join lateral
        (select a.abuse_confidence_score as score from ${A} a where a.ip_address = s.ip order by 1 limit 1) x on true
      order by s.id limit 2`,
    [0, 1],
  ],
  [
    'LATERAL that always has a row',
    `select s.id, x.score from seen s, lateral (select max(a.abuse_confidence_score) as score from ${A} a
        where a.ip_address = s.ip) x order by s.id limit 2`,
    [0, 1],
  ],
  [
    'joins of ordinary tables',
    `select s.id, n.name, ${SCORE('n.ip')} from seen s join named n on n.ip = s.ip order by n.name desc, s.id limit 2`,
    [0],
  ],
  [
    'USING on the side that is kept',
    `select s.id, ${SCORE('ip')} from seen s left join named n using (ip) order by s.id, n.name limit 2`,
    [0],
  ],
  [
    'elements of an array',
    `select s.id, e.value, ${SCORE('try_inet(e.value)')} from seen s, jsonb_array_elements_text(s.more) e
      order by s.id, e.value limit 3`,
    [0, 1],
  ],
  [
    'rows of a derived table that is joined on',
    `select x.id, n.name, x.score from (select s.id, s.ip, ${SCORE('s.ip')} as score from seen s order by s.id limit 3) x
      left join named n on n.ip = x.ip order by 1, 2`,
    [0, 1, 2],
  ],
  [
    'a correlated LIMIT',
    `select n.name, (select ${SCORE('s.ip')} from seen s where s.ip = n.ip order by s.id desc limit 1) from named n
      order by n.name limit 2`,
    [0, 1],
  ],
  [
    'a CTE',
    `with x as (select s.id, ${SCORE('s.ip')} as score from seen s order by s.id desc limit 3)
      select * from x union all select id, score + 1 from x order by 1, 2`,
    [8, 9],
  ],
  [
    'a constant that is sorted by',
    `select null as nothing, s.id, ${SCORE('s.ip')} from seen s order by nothing, s.id limit 2`,
    [0, 1],
  ],
];

describe('look-ups of rows that are sorted and cut are asked for the first of them alone:', () => {
  test.each(FIRST_ROWS)('%s', async (_name, text, asked) => {
    const answer = await bench.ask(text);
    expect(answer.rows).toEqual(await bench.oracle(text));
    expect(answer.asked.map((address) => Number(address.split('.').at(-1))).sort((a, b) => a - b)).toEqual(asked);
  });

  test('LIMIT and OFFSET in parameters, NULL and out of bounds', async () => {
    const text = `select s.id, ${SCORE('s.ip')} from seen s order by s.id limit $1 offset $2`;
    const asked = async (values: readonly (string | null)[]) => (await bench.ask(text, values, [20, 20])).asked.length;
    expect(await asked(['3', '1'])).toBe(4);
    expect(await asked([null, '58'])).toBe(50);
    expect(await asked(['9223372036854775807', '9'])).toBe(50);
    await expect(asked(['-1', null])).rejects.toMatchObject({ fields: expect.any(Map) as unknown });
  });
});

describe('ORDER BY takes names of output columns that have no AS as PostgreSQL gives them:', () => {
  const VALUES = [
    ...[
      'id',
      's.id',
      'id::text',
      'id::text::int',
      '(s.more)[0]',
      'more -> 0',
      'note collate "C"',
      'lower(note)',
      "'x'",
    ],
    ...["'x'::text", 'null', 'true', '1', 'count(*) over ()', 'coalesce(id, 1)', 'nullif(id, 1)', 'greatest(id, 1)'],
    ...[
      'least(id, 1)',
      'case when id > 1 then 2 else id end',
      'case id when 1 then 2 end',
      'case when true then 1 else 2 end::int',
    ],
    ...[
      '(select 1)',
      '(select id)',
      '(select id as other)',
      '(select id as other union select 1 where false)',
      '(values (id))',
      '(select (values (id)))',
      'exists (select)',
      'array(select 1)',
      'array[1]',
      '(array[id])[1]',
    ],
    ...[
      'row(1)',
      'current_date',
      'current_user',
      'localtime',
      'extract(day from now())',
      "now() at time zone 'UTC'",
      'ip::text',
    ],
    ...[
      "json_value(more, '$')",
      "json_query(more, '$')",
      "json_exists(more, '$')",
      'json_array(1)',
      'id + 1',
      'not true',
      'id is null',
    ],
    ...[
      "interval '1 day'",
      '(s).id',
      'substring(note from 1)',
      'trim(note)',
      'id in (1)',
      'xmlelement(name a)',
      'user',
    ],
  ];
  test('each', async () => {
    const text = `select ${VALUES.join(', ')} from (select *, 'n' as note from seen) s limit 0`;
    const { fields } = await bench.client.query(text);
    const targets = bare(parseStatements(text)?.[0]?.node, 'SelectStmt')?.targetList ?? [];
    const own = targets.map((target, index) => [VALUES[index], columnName(bare(target, 'ResTarget')?.val)]);
    expect(own).toEqual(fields.map(({ name }, index) => [VALUES[index], name]));
  });

  test.each([
    ['(select -s.id as id union all select 1 where false)', 'id'],
    ['(select x.* from (select -s.id as id) x)', 'id'],
    ['(select (select x.* from (select -s.id as id) x)::text)::int', 'id'],
    ['(values (-s.column1))', 'column1'],
  ])('and that of %s', async (value, name) => {
    const text = `select ${value}, ${SCORE('s.ip')} from (select id, id as column1, ip from seen where at >= 0) s order by ${name} limit 3`;
    const answer = await bench.ask(text);
    expect(answer.rows).toEqual(await bench.oracle(text));
    expect(answer.rows.map((row) => row[1])).not.toContain(null);
  });

  test('and asks for what comes first in that order', async () => {
    const text = `select s.id, case when s.id > 9 then 0 else id end, ${SCORE('s.ip')} from seen s order by 2, s.id limit 3`;
    const named = text.replace('s.id, case', 's.at, case').replace('order by 2,', 'order by id, ');
    for (const each of [text, named]) {
      const answer = await bench.ask(each);
      expect(answer.rows).toEqual(await bench.oracle(each));
      expect(answer.asked).toHaveLength(3);
    }
  });
});

const ALL_ROWS: readonly (readonly [name: string, text: string])[] = [
  ['an order by what is looked up', `select s.id, ${SCORE('s.ip')} as score from seen s order by score, s.id limit 3`],
  [
    'an inner join that leaves rows out',
    `select s.id, a.abuse_confidence_score from seen s join ${A} a on a.ip_address = s.ip and a.is_tor order by s.id limit 3`,
  ],
  [
    'a condition on what is looked up',
    `select s.id from seen s left join ${A} a on a.ip_address = s.ip where a.is_tor is not true order by s.id limit 3`,
  ],
  ['a subquery of WHERE', `select s.id from seen s where ${SCORE('s.ip')} > 50 order by s.id limit 3`],
  ['DISTINCT', `select distinct ${SCORE('s.ip')} as score, s.at > 10 as late from seen s order by 2, 1 limit 3`],
  ['groups', `select s.at > 10, sum(${SCORE('s.ip')}) from seen s group by 1 order by 1 limit 1`],
  ['windows', `select s.id, sum(${SCORE('s.ip')}) over (order by s.id desc) from seen s order by s.id limit 1`],
  [
    'LATERAL that may have none',
    `select s.id, x.tor from seen s, lateral (select a.is_tor as tor from ${A} a where a.ip_address = s.ip and a.is_tor) x
      order by s.id limit 3`,
  ],
  [
    'sets in the target list',
    `select s.id, ${SCORE('s.ip')}, unnest(case when s.id > 9 then array[1] end) from seen s order by s.id limit 3`,
  ],
  [
    'FULL JOIN',
    `select s.id, a.abuse_confidence_score from seen s left join (select distinct ip from seen) d on d.ip = s.ip
      full join (values (0)) v(id) on v.id = s.id left join ${A} a on a.ip_address = s.ip where a.is_tor order by 1, 2 limit 2`,
  ],
];

describe('all of them are asked for', () => {
  test.each(ALL_ROWS)('%s', async (_name, text) => {
    const answer = await bench.ask(text);
    expect(answer.rows).toEqual(await bench.oracle(text));
    expect(answer.asked).toHaveLength(50);
  });
});
