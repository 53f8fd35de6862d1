import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBench, sorted, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

const E = 'cloudtrail_trail_event';
const A = 'abuseipdb_check_ip';
/** Some columns of events, so that PostgreSQL's plain table and ours agree whichever way rows are compared. */
const SOME = 'event_id, event_name, username, error_code';
const SOME_SORTED = 'error_code event_id event_name username';
const ALL = 'all';

/** A statement, and the columns of each scan of events: mentions with the same conditions are one. */
type Case = readonly [text: string, ...columns: string[]];

/** Rows as PostgreSQL's over plain tables; what each scan of events fetched. */
async function fetches(text: string, columns: readonly string[]): Promise<void> {
  const expected = sorted(await bench.oracle(text));
  bench.events.requests.length = 0;
  const { rows } = await bench.ask(text);
  expect(sorted(rows)).toEqual(expected);
  const fetched = bench.events.requests.map(({ table, columns: own }) => {
    const every = table.columns.filter(({ path }) => path !== undefined);
    return own.length === every.length
      ? ALL
      : own
          .map(({ name }) => name)
          .sort()
          .join(' ');
  });
  expect(fetched.sort()).toEqual([...columns].sort());
}

describe('only what is used in the end is fetched', () => {
  const cases: readonly Case[] = [
    [`select count(*) from ${E}`, ''],
    [`select count(*) from (select * from ${E}) x`, ''],
    [`select x.event_name from (select * from ${E}) x`, 'event_name'],
    [`select event_name from (select ${SOME} from ${E}) x`, 'event_name'],
    [`select n from (select * from ${E}) x(event_time, n) where n is not null`, 'log_stream_name'],
    [`select b from (select event_id a, event_name b from ${E}) x`, 'event_name'],
    [`select y.event_name from (select x.* from (select * from ${E}) x) y`, 'event_name'],
    [`select y.event_name from (select * from (select * from ${E}) x where username is null) y`, 'event_name username'],
    [`with e as (select * from ${E}) select event_name from e`, 'event_name'],
    [`with e as materialized (select * from ${E}) select event_name from e`, 'event_name'],
    [`with e(a, b) as (select event_id, event_name from ${E}) select b from e`, 'event_name'],
    [
      `with e as (select * from ${E}) select e.event_name from e join e o on o.event_id = e.event_id`,
      'event_id event_name',
    ],
    [`with e as (select * from ${E}), o as (select * from e) select count(error_code) from o`, 'error_code'],
    [`with recursive e as (select * from ${E}) select count(error_code) from e`, 'error_code'],
    [
      `select note from watchlist w where exists (select * from ${E} e where e.source_ip = w.address)`,
      'source_ip_address',
    ],
    [`select note from watchlist w where exists (select 1, e.* from (select * from ${E}) e)`, ''],
    [`select 1 from (select t.*, 1 from ${E} t) x`, ''],
    [`select x.one from (select t.*, 1 as one, t.event_id from ${E} t) x`, ''],
    [`select x.last from (select t.*, event_id as last from ${E} t) x`, 'event_id'],
    [`select x.event_id from (select * from ${E} order by event_time desc limit 3) x`, 'event_id event_time'],
    [`select x.b from (select event_id a, event_name b from ${E} order by 1 limit 5) x`, 'event_id event_name'],
    [
      `select x.b from (select event_id as source_ip, event_name b from ${E} order by source_ip limit 5) x`,
      'event_id event_name source_ip_address',
    ],
    [`select x.event_name from (select * from ${E} union all select * from ${E}) x`, 'event_name'],
    [
      `select count(*) from (select * from ${E} union all select * from ${E} e where e.username is null) x`,
      '',
      'username',
    ],
    [
      `select x.b from (select e.event_id a, e.event_name b from ${E} e union all select o.event_id, o.username from ${E} o order by a limit 70) x`,
      'event_id event_name username',
    ],
    [
      `select x.event_id from (select * from ${E} e left join watchlist w on w.address = e.source_ip) x where x.note = 'known'`,
      'event_id source_ip_address',
    ],
    [
      `select x.event_id, y.note from (select * from ${E}) x, lateral (select * from watchlist w where w.address = x.source_ip) y`,
      'event_id source_ip_address',
    ],
    [`select x.event_id, y.n from ${E} x, lateral (select x.event_name as n, x.username) y`, 'event_id event_name'],
    [`select event_name, count(*) from (select * from ${E}) x group by 1`, 'event_name'],
    [`select event_name, rank() over (order by event_id) from (select * from ${E}) x`, 'event_id event_name'],
    [
      `select upper(n) from (select event_name n, username u from (select * from ${E}) x) y where u like 'user%'`,
      'event_name username',
    ],
  ];
  test.each(cases)('%s', async (text, ...columns) => fetches(text, columns));
});

describe('all that rows are compared by, or that is said as a whole, is fetched', () => {
  const cases: readonly Case[] = [
    [`select count(*) from (select distinct event_name, username from ${E}) x`, 'event_name username'],
    [
      `select x.event_name from (select distinct on (event_name) event_name, event_id from ${E} order by 1, 2) x`,
      'event_id event_name',
    ],
    [
      `select x.event_name from (select e.event_name, e.username from ${E} e union select o.event_name, o.error_code from ${E} o) x`,
      'error_code event_name username',
    ],
    [
      `select count(*) from (select e.event_name, e.username from ${E} e intersect select o.event_name, o.error_code from ${E} o) x`,
      'error_code event_name username',
    ],
    [
      `select count(*) from (select e.event_name, e.username from ${E} e except all select o.event_name, o.error_code from ${E} o) x`,
      'error_code event_name username',
    ],
    [
      `select count(*) from (select event_name, username from ${E} union all select 'a', 'b' union select 'c', 'd') x`,
      'event_name username',
    ],
    [`select count(*) from (select event_name from ${E} group by event_name, username) x`, 'event_name username'],
    [`select count(*) from (select event_name from ${E} group by 1) x`, 'event_name'],
    [`select count(*) from (select x from (select ${SOME} from ${E}) x where x is not null) y`, SOME_SORTED],
    [`select to_jsonb(x) from (select ${SOME} from ${E}) x`, SOME_SORTED],
    [`select x.to_jsonb from (select ${SOME} from ${E}) x`, SOME_SORTED],
    [`select (select to_jsonb(x) from unnest(array[1]) g) from (select ${SOME} from ${E}) x`, SOME_SORTED],
    [`select count(x.*) from (select ${SOME} from ${E}) x`, SOME_SORTED],
    [`select count(x) from (select ${SOME} from ${E}) x`, SOME_SORTED],
    [`select count(*) from (select ${SOME} from ${E}) x natural join (select ${SOME} from ${E}) y`, SOME_SORTED],
    [`select x.username from (select * from ${E}) x join (select * from ${E}) y using (event_id)`, 'event_id username'],
    [`select event_id from (select * from ${E}) x full join (select * from ${E}) y using (event_id)`, 'event_id'],
    [
      `select z.event_id from (select * from (select * from ${E}) x full join (select * from ${E}) y using (event_id)) z`,
      'event_id',
    ],
    [
      `select count(*) from ((select event_id, username from ${E}) x cross join (select 1 o) k) as j(p) join (select event_id p from ${E}) y using (p)`,
      'event_id',
    ],
    [
      `select j.q from ((select event_id, username, error_code from ${E}) x cross join (select 1 o) k) as j(p, q)`,
      'username',
    ],
    [`select 1 from watchlist where 'user1' in (select username from (select * from ${E}) x)`, 'username'],
    [`select (select username from (select * from ${E}) x where event_id = 'e01')`, 'event_id username'],
    [`select array(select username from (select * from ${E}) x order by event_id)`, 'event_id username'],
    [
      `with recursive r as (select event_id, event_name, 0 n from ${E} union all select event_id, event_name, n + 1 from r where n < 1) select n from r`,
      'event_id event_name',
    ],
    [`select count(*) from (select event_id, unnest(array[event_name, username]) from ${E}) x`, 'event_name username'],
    [`select count(*) from (select event_id, 1 / length(event_name) from ${E}) x`, 'event_name'],
    [`with e as (select ${SOME} from ${E}) table e`, SOME_SORTED],
  ];
  test.each(cases)('%s', async (text, ...columns) => fetches(text, columns));
});

describe('look-ups, too, are asked for what is used, and their keys are read through what is left out', () => {
  const cases: readonly (readonly [text: string, asked: readonly string[]])[] = [
    [
      `select x.event_id, y.country_code from (select * from ${E} where event_id in ('e03', 'e04')) x
         join (select * from ${A}) y on y.ip_address = x.source_ip`,
      ['2600:1f18::7', '34.1.1.2'],
    ],
    [
      `select count(*) from (select * from (select * from ${E} order by event_id limit 4) e join ${A} a on a.ip_address = e.source_ip) x`,
      ['34.1.1.1', '34.1.1.2'],
    ],
    [
      `with e as (select * from ${E} where event_id < 'e05'), a as (select * from ${A})
         select e.event_name, a.abuse_confidence_score from e, a where a.ip_address = e.source_ip and exists (select * from ${A} b where b.ip_address = e.source_ip and b.is_tor)`,
      ['2600:1f18::7', '34.1.1.1', '34.1.1.2'],
    ],
  ];
  test.each(cases)('%s', async (text, asked) => {
    const expected = sorted(await bench.oracle(text));
    const answer = await bench.ask(text);
    expect(sorted(answer.rows)).toEqual(expected);
    expect([...new Set(answer.asked)]).toEqual(asked);
  });
});

describe('statements that change rows read what they write', () => {
  test.each([
    `insert into kept select event_id, username from (select * from ${E}) x returning *`,
    `insert into kept select x.event_id, x.username from (select * from ${E} limit 60) x returning id`,
    `with e as (select * from ${E}) insert into kept (id) select event_id from e returning id, who`,
    `with e as (select * from ${E}), k as (insert into kept select e.event_id, e.username from e returning *) select count(k.who) from k`,
    `update kept k set who = x.username from (select * from ${E}) x where x.event_id = k.id returning k.*, x.event_name`,
    `update kept k set (id, who) = (select x.event_id, x.username from (select * from ${E}) x where x.event_id = k.id) returning *`,
    `delete from kept k using (select * from ${E}) x where x.event_id = k.id returning x.username`,
    `merge into kept k using (select * from ${E}) x on x.event_id = k.id when matched then update set who = x.username when not matched then insert values (x.event_id, x.event_name) returning k.*, x.error_code`,
  ])('%s', async (text) => {
    const made = "create temp table kept as select * from (values ('e01', null::text), ('e02', 'old')) as _(id, who)";
    const changed = async (run: () => Promise<readonly unknown[][]>): Promise<unknown> => {
      await bench.client.query(made);
      try {
        const returned = sorted(await run());
        const kept = await bench.client.query({ text: 'select * from kept', rowMode: 'array' });
        return { returned, kept: sorted(kept.rows as unknown[][]) };
      } finally {
        await bench.client.query('drop table kept');
      }
    };
    const expected = await changed(() => bench.oracle(text));
    expect(await changed(async () => (await bench.ask(text)).rows)).toEqual(expected);
  });
});
