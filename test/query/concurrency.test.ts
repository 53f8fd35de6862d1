import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Answer } from './support/bench.ts';
import { openBench, type Bench } from './support/bench.ts';

let bench: Bench;
let other: Awaited<ReturnType<Bench['connect']>>;
let pid: number;
beforeAll(async () => {
  bench = await openBench({ events: 5 });
  other = await bench.connect();
  const { rows } = await bench.client.query<{ pid: number }>('select pg_backend_pid() as pid');
  pid = rows[0]?.pid ?? 0;
  await bench.client.query(`create table public.host (id int primary key, ip inet, score int, note text);
    create table public.old_host (id int, ip inet, score int, note text) partition by list (id);
    create table public.old_host_1 partition of public.old_host for values in (1);
    create table public.old_host_2 partition of public.old_host default;
    create view public.host_view as select * from public.host`);
});
afterAll(async () => {
  await bench.close();
});

beforeEach(async () => {
  await bench.client.query(`insert into host values (1, '34.1.1.1', 0, 'a'), (2, '34.1.1.2', 0, 'b');
    insert into old_host table host`);
});
afterEach(async () => {
  await bench.client.query('rollback; truncate host, old_host');
});

const A = 'abuseipdb_check_ip';

/** Runs it while another transaction, which has run `change`, is not over; that one commits as soon as it is waited for. */
async function waitingFor(change: string, text: string): Promise<Answer> {
  await other.client.query(`begin; ${change}`);
  const answer = bench.ask(text);
  answer.catch(() => undefined);
  for (;;) {
    const { rows } = await bench.pool.query<{ waits: boolean }>(
      'select cardinality(pg_blocking_pids($1)) > 0 as waits',
      [pid],
    );
    if (rows[0]?.waits === true) break;
  }
  await other.client.query('commit');
  return answer;
}

const KEY = "update host set ip = '34.1.1.3' where id = 1";
const CHANGED = { code: '40001', message: 'a row changed while its keys were looked up' };

const STATEMENTS: readonly (readonly [name: string, text: string])[] = [
  ['UPDATE … FROM', `update host h set score = a.abuse_confidence_score from ${A} a where a.ip_address = h.ip`],
  [
    'UPDATE by a subquery, without a condition',
    `update host set score = (select a.abuse_confidence_score from ${A} a where a.ip_address = host.ip)`,
  ],
  [
    'UPDATE in WITH',
    `with changed as (update host h set note = case when h.id = 1 then 'x' else 'y' end from ${A} a where a.ip_address = h.ip or h.note = a.country_code and a.ip_address = h.ip returning h.id) select * from changed`,
  ],
  [
    'DELETE',
    `delete from host where ip in (select ip_address from ${A} where abuse_confidence_score > 5) returning id`,
  ],
  ['DELETE … USING', `delete from host h using ${A} a where a.ip_address = h.ip`],
  [
    'MERGE',
    `merge into host h using (values (1, 'x')) v (id, note) join ${A} a on true on case when v.id = h.id then a.ip_address = h.ip end when matched and a.is_tor then delete when matched then update set score = a.abuse_confidence_score`,
  ],
  [
    'SELECT FOR UPDATE',
    `select h.id, a.abuse_confidence_score from host h join ${A} a on a.ip_address = h.ip order by h.id for update of h`,
  ],
  [
    'SELECT FOR SHARE in parentheses, with LEFT JOIN',
    `select h.id, a.abuse_confidence_score from (host h left join ${A} a on a.ip_address = h.ip) where h.id < 3 for share of h`,
  ],
];

describe('a row that another transaction changes while the statement waits for it', () => {
  test.each(STATEMENTS)('fails %s in READ COMMITTED', async (_name, text) => {
    await expect(waitingFor(KEY, text)).rejects.toMatchObject(CHANGED);
  });

  test.each(STATEMENTS)('fails %s in a READ COMMITTED block', async (_name, text) => {
    await bench.client.query('begin');
    await expect(waitingFor(KEY, text)).rejects.toMatchObject(CHANGED);
  });

  test.each(STATEMENTS)('fails %s in REPEATABLE READ, where PostgreSQL says so', async (_name, text) => {
    await bench.client.query('begin isolation level repeatable read');
    await expect(waitingFor(KEY, text)).rejects.toMatchObject({
      code: '40001',
      message: 'could not serialize access due to concurrent update',
    });
  });

  test('in a partition too', async () => {
    const text = `update old_host h set score = a.abuse_confidence_score from ${A} a where a.ip_address = h.ip`;
    await expect(waitingFor("update old_host set ip = '34.1.1.3' where id = 1", text)).rejects.toMatchObject(CHANGED);
  });

  test('does not matter where its keys do not come from the row', async () => {
    const text = `update host h set score = (select abuse_confidence_score from ${A} where ip_address = '34.1.1.2') where id = 1 returning ip, score`;
    const { rows } = await waitingFor(KEY, text);
    expect(rows).toEqual([['34.1.1.3', 22]]);
  });

  test('is left alone where it is deleted', async () => {
    const text = `update host h set score = a.abuse_confidence_score from ${A} a where a.ip_address = h.ip returning h.id, h.score`;
    const { rows } = await waitingFor('delete from host where id = 1', text);
    expect(rows).toEqual([[2, 22]]);
  });
});

describe('without another transaction', () => {
  test.each(STATEMENTS)('%s gives what PostgreSQL gives', async (_name, text) => {
    const contents = 'select to_jsonb(h) from host h order by h.id';
    await bench.client.query('begin');
    const own = [(await bench.ask(text)).rows, (await bench.client.query(contents)).rows];
    await bench.client.query('rollback; begin');
    const expected = [await bench.oracle(text), (await bench.client.query(contents)).rows];
    expect(own).toEqual(expected);
  });

  test('rows that the transaction itself has made and changed are known', async () => {
    await bench.client.query(`begin; insert into host values (3, '34.1.1.3', 0, 'c'); savepoint s; ${KEY}`);
    const text = `update host h set score = a.abuse_confidence_score from ${A} a where a.ip_address = h.ip returning h.id, h.score`;
    const { rows } = await bench.ask(text);
    expect(rows.toSorted()).toEqual([
      [1, 33],
      [2, 22],
      [3, 33],
    ]);
  });

  test('words of SQL as names of columns are no clauses', async () => {
    await bench.client.query(`begin; create temp table odd ("where" inet, "limit" int, "order" text);
      insert into odd values ('34.1.1.1', 1, 'x'), ('34.1.1.2', 2, 'y')`);
    const text = `update odd o set "limit" = a.abuse_confidence_score from ${A} a where a.ip_address = o.where and o.limit < 2 or o.order = 'none' and a.ip_address = o.where returning o.limit as order`;
    const { rows } = await bench.ask(text);
    expect(rows).toEqual([[11]]);
  });
});

describe('what cannot be seen is refused before any call', () => {
  test('rows of a view', async () => {
    const text = `update host_view h set score = a.abuse_confidence_score from ${A} a where a.ip_address = h.ip`;
    await expect(bench.ask(text)).rejects.toMatchObject({ code: 'not_supported' });
    expect(bench.checks.asked).toEqual([]);
    await bench.client.query('begin isolation level repeatable read');
    await bench.ask(text);
    expect((await bench.client.query('select id, score from host order by id')).rows).toEqual([
      { id: 1, score: 11 },
      { id: 2, score: 22 },
    ]);
  });

  test('rows of which the role may read some columns', async () => {
    await bench.pool.query(
      'create table evil.part (id int, ip inet); grant select (ip), update on evil.part to trailhound',
    );
    const text = `update evil.part p set id = a.abuse_confidence_score from ${A} a where a.ip_address = p.ip`;
    await expect(bench.ask(text)).rejects.toMatchObject({ code: 'not_supported' });
    await bench.client.query('begin isolation level repeatable read');
    await bench.ask(text);
  });

  test('the row of a cursor', async () => {
    await bench.client.query('begin; declare c cursor for select * from host for update; fetch next from c');
    const text = `update host set score = (select a.abuse_confidence_score from ${A} a where a.ip_address = host.ip) where current of c`;
    await expect(bench.ask(text)).rejects.toMatchObject({ code: 'not_supported' });
  });
});
