import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBench, sorted, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  await bench.pool.query(`
    insert into plain.abuseipdb_check_ip (ip_address, max_age_in_days, abuse_confidence_score, country_code, is_tor, is_public)
      select inet '20.0.0.0' + n, 90, 11 * (n % 10), case when n % 2 = 0 then 'NL' end, n % 10 = 3, true
        from generate_series(0, 29) n;
    create table public.seen (id int, ip inet, note text);
    insert into public.seen select n, inet '20.0.0.0' + n % 30, case when n % 3 = 0 then 'x' || n end from generate_series(0, 39) n;
    insert into public.seen values (40, null, 'x40');
    create table public.named (ip inet, name text);
    insert into public.named select inet '20.0.0.0' + n % 9, 'name ' || n from generate_series(0, 19) n;
    grant select on public.seen, public.named to public`);
});
afterAll(async () => {
  await bench.close();
});

const A = 'abuseipdb_check_ip';
const INNER = `(select s.*, a.abuse_confidence_score as score, a.ip_address as key from seen s join ${A} a on a.ip_address = s.ip)`;
const LEFT = `(select s.*, a.abuse_confidence_score as score, a.ip_address as key from seen s left join ${A} a on a.ip_address = s.ip)`;
const SCALAR = `(select s.id, (select a.abuse_confidence_score from ${A} a where a.ip_address = s.ip) as score from seen s)`;

/** A statement, and the last bytes of the addresses 20.0.0.x that are asked for. */
type Case = readonly [text: string, asked: readonly number[]];

const NARROWED: readonly Case[] = [
  [`select id, score from ${INNER} q where id between 3 and 5`, [3, 4, 5]],
  [`select id, score from ${LEFT} q where q.id in (3, 5) and q.score > 10 and note is not null`, [3]],
  [`select * from ${SCALAR} q where id = 7 and score is not null`, [7]],
  [`with q as ${LEFT} select id, score from q where id < 2`, [0, 1]],
  [`select * from (select id, score from ${LEFT} q where id < 20) x where id > 17`, [18, 19]],
  [`select distinct score from (select distinct id, score from ${LEFT} x) q where q.id = 4`, [4]],
  [`select n.name, q.score from named n join ${INNER} q on q.id = 7 and q.ip = n.ip`, [7]],
  [`select n.name, q.score from named n left join ${INNER} q on q.id = 7 and q.ip = n.ip`, [7]],
  [`select q.id, n.name from ${INNER} q left join named n on n.ip = q.ip where q.id = 7 or q.note like 'x9%'`, [7, 9]],
  [`select q.id, count(*) over () from ${LEFT} q where not q.id > 1`, [0, 1]],
  [`select s.id from seen s where s.id not in (select q.id from ${INNER} q where q.id between 5 and 7)`, [5, 6, 7]],
  [`select s.id from seen s where not exists (select from ${INNER} q where q.id = 5 and q.score < s.id)`, [5]],
  [`select q.id from ${INNER} q where q.key = '20.0.0.8' and q.note is null`, [8]],
  [
    `select n.name, q.score from named n, lateral (select * from ${INNER} x where x.ip = n.ip) q where q.id < 2`,
    [0, 1],
  ],
];

const NOT_NARROWED: readonly (readonly [text: string])[] = [
  [`select n.name, q.score from named n left join ${INNER} q on q.ip = n.ip where q.id is null or q.id = 7`],
  [`select q.id from ${LEFT} q where q.key is null or q.key = '20.0.0.8'`],
  [
    `select id, r from (select s.id, rank() over (order by a.abuse_confidence_score, s.id) as r from seen s
      join ${A} a on a.ip_address = s.ip) q where id = 4`,
  ],
  [
    `select id, n from (select max(s.id) as id, count(*) as n, a.abuse_confidence_score from seen s
      join ${A} a on a.ip_address = s.ip group by 3) q where id = 4`,
  ],
  [`with q as ${LEFT} select (select max(score) from q where id < 3), (select min(score) from q where id < 5)`],
  [`select id from ${INNER} q where 10 / (id + 1) > 4`],
  [`select q.id from ${INNER} q full join named n on q.ip = n.ip and q.id = 3`],
];

describe('conditions of levels around look-ups leave out keys: by', () => {
  test.each(NARROWED)('%s', async (text, asked) => {
    const answer = await bench.ask(text);
    expect(sorted(answer.rows)).toEqual(sorted(await bench.oracle(text)));
    expect(answer.asked.map((address) => Number(address.split('.').at(-1))).sort((a, b) => a - b)).toEqual(asked);
  });
});

describe('all keys are asked for, where rows that are left out would count otherwise, by', () => {
  test.each(NOT_NARROWED)('%s', async (text) => {
    const answer = await bench.ask(text);
    expect(sorted(answer.rows)).toEqual(sorted(await bench.oracle(text)));
    expect(answer.asked).toHaveLength(30);
  });
});

describe('ORDER BY and LIMIT of a level around them are theirs', () => {
  test.each([
    [`select id, score from ${LEFT} q order by id desc limit 3`, 2],
    [`select * from (select * from ${LEFT} q where id < 30) x where note like 'x%' order by x.id limit 2`, 2],
    [`with q as ${SCALAR} select score, id from q order by 2 limit 3 offset 1`, 4],
    [`select id, score from ${LEFT} q order by score desc, id limit 3`, 30],
    [`select id, score from ${INNER} q order by id limit 3`, 30],
    [`select q.id, q.score from ${LEFT} q join named n on n.ip = q.ip order by q.id, n.name limit 3`, 30],
  ] as const)('%s', async (text, calls) => {
    const answer = await bench.ask(text);
    expect(answer.rows).toEqual(await bench.oracle(text));
    expect(answer.asked).toHaveLength(calls);
  });
});

test('LIMIT alone of a level around them asks for keys in growing numbers, in one snapshot', async () => {
  const text = `select q.score - 11 * (q.id % 10) from ${INNER} q limit 3`;
  await bench.client.query('begin isolation level repeatable read');
  const answer = await bench.ask(text);
  await bench.client.query('rollback');
  expect(answer.rows).toEqual([[0], [0], [0]]);
  expect(answer.asked).toHaveLength(16);
  expect((await bench.ask(text)).asked).toHaveLength(30);
});
