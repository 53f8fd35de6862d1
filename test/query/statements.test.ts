import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openBench, sorted, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench({ events: 20 });
  await bench.client.query(`create table public.host (id int primary key, ip inet, text_ip text, score int, note text);
    create table public.host_log (ip inet, score int, note text);
    create table public.ledger (ip inet primary key, score int, seen int default 1)`);
  await bench.client.query('create table evil.abuseipdb_check_ip as table plain.abuseipdb_check_ip');
});
afterAll(async () => {
  await bench.close();
});

const HOSTS = `insert into public.host values
  (1, '34.1.1.1', '34.1.1.1', null, 'a'), (2, '34.1.1.2', '034.1.1.2', 20, 'b'), (3, '34.1.1.3', 'AWS Internal', 0, 'c'),
  (4, null, null, 7, 'd'), (5, '34.1.1.1', '10.0.0.1', 11, 'e'), (6, '34.1.1.77', 'x', 1, 'f');
  insert into public.ledger values ('34.1.1.1', 5), ('34.1.1.9', 9)`;
const TABLES = ['host', 'host_log', 'ledger'];
const A = 'abuseipdb_check_ip';
const E = 'cloudtrail_trail_event';
const ALL = ['34.1.1.1', '34.1.1.2', '34.1.1.3', '34.1.1.77'];

beforeEach(async () => {
  await bench.client.query(`begin; ${HOSTS}`);
});
afterEach(async () => {
  await bench.client.query('rollback');
});

/** What a statement returns and leaves behind, over virtual tables and over plain ones; everything is taken back. */
async function both(text: string): Promise<{ asked: readonly string[]; contents: string[] }> {
  await bench.client.query('savepoint before');
  const answer = await bench.ask(text);
  const own = { rows: sorted(answer.rows), contents: await contents() };
  await bench.client.query('rollback to before');
  const rows = sorted(await bench.oracle(text));
  expect(own, text).toEqual({ rows, contents: await contents() });
  await bench.client.query('rollback to before');
  return { asked: answer.asked, contents: own.contents };
}

async function contents(): Promise<string[]> {
  const each = TABLES.map((name) => `select '${name}', to_jsonb(t) from public.${name} t`);
  return sorted((await bench.client.query<unknown[]>({ text: each.join(' union all '), rowMode: 'array' })).rows);
}

/** The statement changes something, gives PostgreSQL's rows and asks for these keys alone. */
async function changes(text: string, keys: readonly string[]): Promise<void> {
  const before = await contents();
  const after = await both(text);
  expect(after.asked, text).toEqual(keys);
  expect(after.contents, text).not.toEqual(before);
}

describe('UPDATE', () => {
  test.each([
    [`update host h set score = a.abuse_confidence_score from ${A} a where a.ip_address = h.ip`, ALL],
    [
      `update host set score = a.abuse_confidence_score from ${A} a where a.ip_address = host.ip and host.id < 3`,
      ALL.slice(0, 2),
    ],
    [
      `update only public.host set score = a.abuse_confidence_score, note = default from ${A} a where a.ip_address = ip and note <> 'f' returning host.*, a.country_code`,
      ALL.slice(0, 3),
    ],
    [
      `update host set score = (select a.abuse_confidence_score from ${A} a where a.ip_address = host.ip) where id in (1, 2) returning id, score`,
      ALL.slice(0, 2),
    ],
    [
      `update host set (score, note) = (select a.abuse_confidence_score, a.country_code from ${A} a where a.ip_address = ip) where id <> 6`,
      ALL.slice(0, 3),
    ],
    [`update host set note = 'tor' where ip in (select ip_address from ${A} where is_tor)`, ALL],
    [
      `update host set note = 'unknown' where not exists (select from ${A} a where a.ip_address = host.ip and a.abuse_confidence_score > 20)`,
      ALL,
    ],
    [
      `update host set note = 'seen' where ip = any (select source_ip from ${E} e) returning old.note, new.note, ip`,
      [],
    ],
    [
      `update host h set score = x.s from (select e.source_ip ip, max(a.abuse_confidence_score) s from ${E} e join ${A} a on a.ip_address = e.source_ip group by 1) x where x.ip = h.ip`,
      ['2600:1f18::7', ...ALL.slice(0, 3)],
    ],
    [
      `with w as (select ip from host where id = 2) update host h set score = a.abuse_confidence_score from w join ${A} a on a.ip_address = w.ip where h.ip = w.ip`,
      ['34.1.1.2'],
    ],
    [`update host h set score = 99 from ${A} a where a.ip_address = h.text_ip`, ALL.slice(0, 2)],
    [
      `update host h set score = a.abuse_confidence_score from host o left join ${A} a on a.ip_address = o.ip where o.id = h.id and h.id > 4 returning (select count(*) from ${A} b where b.ip_address = o.ip)`,
      ['34.1.1.1', '34.1.1.77'],
    ],
    [
      `update host set note = 'x' where ip = '34.1.1.1' returning (select country_code from ${A} where ip_address = '34.1.1.2')`,
      ['34.1.1.2'],
    ],
  ])('%s', changes);
});

describe('DELETE', () => {
  test.each([
    [
      `delete from host using ${A} a where a.ip_address = host.ip and a.abuse_confidence_score > 20 returning host.*, a.abuse_confidence_score`,
      ALL,
    ],
    [
      `delete from host h using ${E} e join ${A} a on a.ip_address = e.source_ip where h.ip = a.ip_address and e.event_name = 'CreateUser'`,
      ['34.1.1.1', '34.1.1.2', '34.1.1.3'],
    ],
    [
      `delete from host where id < 3 returning id, (select a.abuse_confidence_score from ${A} a where a.ip_address = host.ip)`,
      ALL.slice(0, 2),
    ],
    [`delete from host where ip not in (select ip_address from ${A} where abuse_confidence_score > 20)`, ALL],
    [`delete from host * using only ${A} where ${A}.ip_address = ip and host.id = 3`, ['34.1.1.3']],
  ] as [string, string[]][])('%s', changes);
});

describe('MERGE', () => {
  test.each([
    [
      `merge into host h using ${A} a on a.ip_address = h.ip when matched and a.abuse_confidence_score > 20 then update set score = a.abuse_confidence_score when matched then do nothing`,
      ALL,
    ],
    [
      `merge into ledger l using (select distinct ip from host where ip is not null) s on s.ip = l.ip when matched then update set score = (select abuse_confidence_score from ${A} a where a.ip_address = s.ip), seen = l.seen + 1 when not matched then insert (ip, score) values (s.ip, (select abuse_confidence_score from ${A} b where b.ip_address = s.ip)) returning merge_action(), l.*`,
      ALL,
    ],
    [
      `merge into ledger l using (select e.source_ip ip, max(a.abuse_confidence_score) s from ${E} e join ${A} a on a.ip_address = e.source_ip group by 1) s on s.ip = l.ip when matched then delete when not matched by target then insert values (s.ip, s.s) when not matched by source then update set score = -1`,
      ['2600:1f18::7', ...ALL.slice(0, 3)],
    ],
    [
      `merge into host h using ${A} a on a.ip_address = h.ip when matched then update set score = a.abuse_confidence_score when not matched by source then delete`,
      ALL,
    ],
    [
      `merge into ledger l using host h on h.ip = l.ip and h.id = 1 when not matched by source and (select a.is_tor from ${A} a where a.ip_address = l.ip) is not true then delete when not matched then do nothing`,
      ['34.1.1.1', '34.1.1.9'],
    ],
    [
      `with x as (select ip from host where id = 2) merge into ledger l using (select x.ip, a.abuse_confidence_score from x join ${A} a on a.ip_address = x.ip) s on s.ip = l.ip when not matched then insert values (s.ip, s.abuse_confidence_score)`,
      ['34.1.1.2'],
    ],
  ] as [string, string[]][])('%s', changes);
});

describe('INSERT', () => {
  test.each([
    [
      `insert into host_log select h.ip, a.abuse_confidence_score, h.note from host h join ${A} a on a.ip_address = h.ip`,
      ALL,
    ],
    [
      `with x as (select ip from host where id < 3) insert into host_log with y as (select ip from x where ip <> '34.1.1.1') select y.ip, a.abuse_confidence_score from y join ${A} a on a.ip_address = y.ip returning *`,
      ['34.1.1.2'],
    ],
    [
      `with x as (select ip from host where id < 3) insert into host_log with x as (select ip from host where id = 3) select x.ip, a.abuse_confidence_score from x join ${A} a on a.ip_address = x.ip returning *`,
      ['34.1.1.3'],
    ],
    [
      `insert into host_log values ('1.1.1.1', (select abuse_confidence_score from ${A} where ip_address = '34.1.1.2'), default), ((select min(ip_address) from ${A} where ip_address in ('34.1.1.1', '34.1.1.3')), 2, 'y')`,
      ALL.slice(0, 3),
    ],
    [
      `insert into ledger (ip) select ip from host where id = 1 on conflict (ip) do update set score = (select a.abuse_confidence_score from ${A} a where a.ip_address = '34.1.1.3'), seen = ledger.seen + excluded.seen where ledger.score < 10 returning ledger.*`,
      ['34.1.1.3'],
    ],
    [
      `insert into host_log (note) select a.country_code from ${A} a where a.ip_address = '34.1.1.2' returning note, (select count(*) from ${A} b where b.ip_address in ('34.1.1.1'))`,
      ALL.slice(0, 2),
    ],
    [`insert into host_log (ip) (select ip_address from ${A} where ip_address = '34.1.1.3' limit 1)`, ['34.1.1.3']],
    [
      `insert into host_log (ip, score) select t.ip, a.abuse_confidence_score from (select ip from host where ip is not null order by id desc limit 2) t join ${A} a on a.ip_address = t.ip`,
      ['34.1.1.1', '34.1.1.77'],
    ],
  ] as [string, string[]][])('%s', changes);

  test('of default values calls nothing', async () => {
    await changes(`insert into host_log default values returning (select count(*) from ${E} where false)`, []);
  });
});

describe('WITH that changes rows', () => {
  test.each([
    [
      `with gone as (delete from host using ${A} a where a.ip_address = host.ip and a.abuse_confidence_score > 20 returning host.*, a.country_code) select id, country_code from gone`,
      ALL,
    ],
    [
      `with new as (insert into host_log select h.ip, a.abuse_confidence_score from host h join ${A} a on a.ip_address = h.ip returning *) select new.ip, h.id from new join host h on h.ip = new.ip`,
      ALL,
    ],
    [
      `with x as (select ip from host where id = 2), up as (update host h set score = a.abuse_confidence_score from x join ${A} a on a.ip_address = x.ip where h.ip = x.ip returning h.id) select up.id, b.is_tor from up, ${A} b where b.ip_address = '34.1.1.3'`,
      ['34.1.1.2', '34.1.1.3'],
    ],
    [
      `with gone as (delete from host where id = 1 returning *) insert into host_log select g.ip, a.abuse_confidence_score from gone g join ${A} a on a.ip_address = '34.1.1.1'`,
      ['34.1.1.1'],
    ],
    [
      `with m as (merge into ledger l using ${A} a on a.ip_address = l.ip when matched then update set score = a.abuse_confidence_score returning l.*) update host h set score = m.score from m where m.ip = h.ip`,
      ['34.1.1.1', '34.1.1.9'],
    ],
    [
      `with gone as (delete from host where ip in (select ip_address from ${A} where is_tor)) select count(*) from host`,
      ALL,
    ],
  ] as [string, string[]][])('%s', changes);
});

describe('a recursion that looks up', () => {
  const R = `with recursive r (ip, n) as (select ip, 1 from host where id = 1
    union all select h.ip, r.n + 1 from r join ${A} a on a.ip_address = r.ip join host h on h.id = r.n + 1 where r.n < 4)`;
  test.each([
    [`${R} update host h set note = 'r' from r where r.ip = h.ip`, ALL.slice(0, 3)],
    [`insert into host_log (ip, score) ${R} select ip, n from r`, ALL.slice(0, 3)],
    [
      `${R} delete from host using r join ${A} a on a.ip_address = r.ip where host.ip = a.ip_address returning host.id`,
      ALL.slice(0, 3),
    ],
  ] as [string, string[]][])('%s', changes);
});

describe('what changes nothing', () => {
  test.each([
    `update host set note = 'x' where 1 <> 1 and ip in (select ip_address from ${A})`,
    `delete from host using ${A} a where a.ip_address = host.ip and false returning *`,
    `insert into host_log (ip) select a.ip_address from ${A} a join host h on h.ip = a.ip_address where false`,
    `insert into host_log (ip) select a.ip_address from ${A} a join host h on h.ip = a.ip_address limit 0`,
    `merge into host h using ${A} a on a.ip_address = h.ip and false when matched then delete`,
  ])('calls nothing: %s', async (text) => {
    expect((await both(text)).asked).toEqual([]);
  });
});

describe('keys that only the statement itself makes', () => {
  test.each([
    `with gone as (delete from host returning ip) select a.is_tor from gone g join ${A} a on a.ip_address = g.ip`,
    `insert into host_log values ('34.1.1.1') returning (select a.is_tor from ${A} a where a.ip_address = host_log.ip)`,
    `insert into host_log values ('34.1.1.1') returning (select a.is_tor from ${A} a where a.ip_address = new.ip)`,
    `update host set ip = '34.1.1.9' where id = 1 returning (select a.is_tor from ${A} a where a.ip_address = ip)`,
    `update host h set ip = s.ip from host s where s.id = h.id + 1 returning (select a.is_tor from ${A} a where a.ip_address = h.ip)`,
    `insert into ledger (ip) values ('34.1.1.1') on conflict (ip) do update set score = (select a.abuse_confidence_score from ${A} a where a.ip_address = excluded.ip)`,
    `insert into ledger (ip) values ('34.1.1.1') on conflict (ip) do update set score = 1 where (select a.is_tor from ${A} a where a.ip_address = ledger.ip)`,
    `merge into ledger l using host h on h.ip = l.ip when matched then delete when not matched then do nothing returning (select a.is_tor from ${A} a where a.ip_address = l.ip)`,
  ])('%s', async (text) => {
    const before = await contents();
    await expect(bench.ask(text)).rejects.toMatchObject({ code: 'not_supported' });
    expect(await contents()).toEqual(before);
  });

  test.each([
    `merge into host h using ${A} a on a.ip_address = h.ip when matched then do nothing when not matched then insert (id, ip) values (9, a.ip_address)`,
    `update host set score = a.abuse_confidence_score from ${A} a where a.abuse_confidence_score > host.score`,
    `delete from host using ${A} a where a.ip_address <> host.ip`,
    `insert into host_log (ip) select ip_address from ${A}`,
  ])('nothing bounds: %s', async (text) => {
    await expect(bench.ask(text)).rejects.toMatchObject({ code: 'unbounded_key' });
  });
});

describe('names', () => {
  test.each([
    [
      `select public.host.id, public.${A}.country_code from public.host join public.${A} on public.${A}.ip_address = public.host.ip`,
      ALL,
    ],
    [
      `select public.${E}.event_id, public.${A}.is_tor from public.${E}, public.${A} where public.${A}.ip_address = public.${E}.source_ip and public.${E}.event_name = 'CreateUser'`,
      ['2600:1f18::7', ...ALL.slice(0, 3)],
    ],
    [
      `update public.host set score = public.${A}.abuse_confidence_score from public.${A} where public.${A}.ip_address = public.host.ip returning public.host.id, public.${A}.ip_address, ${A}.country_code`,
      ALL,
    ],
    [
      `delete from host using public.${A} where public.${A}.ip_address = public.host.ip and public.host.id = 2 returning host.*, (select count(*) from public.${A} b where b.ip_address = public.${A}.ip_address)`,
      ['34.1.1.2'],
    ],
    [
      `select ${A}.abuse_confidence_score, (${A}).country_code from public.${A} where public.${A}.ip_address = '34.1.1.2'`,
      ['34.1.1.2'],
    ],
    [
      `select public.${A}.ip_address, plain.${A}.country_code from public.${A} join plain.${A} on public.${A}.ip_address = plain.${A}.ip_address where plain.${A}.is_tor`,
      ['34.1.1.3'],
    ],
    [
      `select public.${A}.ip_address from ${A}, plain.${A} where public.${A}.ip_address = plain.${A}.ip_address and plain.${A}.abuse_confidence_score > 20`,
      ['2600:1f18::7', '34.1.1.2', '34.1.1.3', '34.1.1.77', '34.1.1.9'],
    ],
    [
      `select public.${A}.country_code from public.${A} where ip_address in ('34.1.1.1', '34.1.1.2') and exists (select from plain.${A} where plain.${A}.ip_address = public.${A}.ip_address and plain.${A}.abuse_confidence_score > 20)`,
      ['34.1.1.2'],
    ],
    [
      `select (select max(public.${A}.ip_address) from public.${A} where public.${A}.ip_address = plain.${A}.ip_address) from plain.${A} where ${A}.is_tor`,
      ['34.1.1.3'],
    ],
  ] as [string, string[]][])('%s', async (text, keys) => {
    const { rows, asked } = await bench.ask(text);
    await bench.client.query(`rollback; begin; ${HOSTS}`);
    // A third one of that name holds what the virtual one does.
    const meant = text.replace(`from ${A}, plain`, `from evil.${A}, plain`).replaceAll('public.abuse', 'evil.abuse');
    const expected = await bench.oracle(meant.replaceAll('public.cloud', 'plain.cloud'));
    expect(sorted(rows), text).toEqual(sorted(expected));
    expect(asked, text).toEqual(keys);
  });
});

describe('EXECUTE', () => {
  /** The prepared statements of a session outlive its transactions. */
  async function prepared(text: string, work: () => Promise<void>): Promise<void> {
    await bench.client.query(text);
    try {
      await work();
    } finally {
      await bench.client.query('rollback to before; deallocate all');
    }
  }

  test.each([
    [
      `prepare q (inet) as select ip_address, country_code from ${A} where ip_address = $1`,
      `execute q('34.1.1.2')`,
      ['34.1.1.2'],
    ],
    [
      `PREPARE "Q" AS select score from ${A} a right join host h on a.ip_address = h.ip where h.id < $1; -- end`,
      `/* x */ EXECUTE "Q" (1 + 1.6)`,
      ALL.slice(0, 2),
    ],
    [
      `prepare execute as values ((select abuse_confidence_score from ${A} where ip_address = '34.1.1.3'))`,
      `execute execute`,
      ['34.1.1.3'],
    ],
    [`prepare q as select event_id from only ${E}`, `execute q`, []],
    [
      `prepare q (inet[], text) as select a.ip_address, $2, ')' from ${A} a where a.ip_address = any ($1)`,
      `execute q(array['34.1.1.1', '34.1.1.3']::inet[], ') as execute q(')`,
      ['34.1.1.1', '34.1.1.3'],
    ],
    [
      `prepare q (int) as update host h set score = a.abuse_confidence_score from ${A} a where a.ip_address = h.ip and h.id = $1 returning h.*`,
      `execute q(1)`,
      ['34.1.1.1'],
    ],
    [
      `prepare q as with gone as (delete from host using ${A} a where a.ip_address = host.ip returning *) insert into host_log select ip from gone`,
      `execute q`,
      ALL,
    ],
    [
      `prepare q (inet) as insert into host_log (ip) select ip_address from ${A} where ip_address = $1`,
      `explain (analyze, costs off, timing off, summary off, buffers off, format yaml) execute q('34.1.1.2')`,
      ['34.1.1.2'],
    ],
  ])('%s; %s', async (definition, text, keys) => {
    await bench.client.query('savepoint before');
    await prepared(definition, async () => {
      if (text.startsWith('explain')) expect((await bench.ask(text)).asked).toEqual(keys);
      else expect((await both(text)).asked).toEqual(keys);
    });
  });

  test('creates a table of what was prepared', async () => {
    await bench.client.query('savepoint before');
    await prepared(
      `prepare q (inet) as select ip_address, country_code from ${A} where ip_address = $1 -- the end`,
      async () => {
        expect((await bench.ask(`create table execute as execute q('34.1.1.2')`)).asked).toEqual(['34.1.1.2']);
        const { rows } = await bench.client.query({ text: 'table execute', rowMode: 'array' });
        await bench.client.query('drop table execute');
        expect(rows).toEqual(
          await bench.oracle(`select ip_address, country_code from ${A} where ip_address = '34.1.1.2'`),
        );
        expect(
          (await bench.ask(`create temp table execute (ip, country) as execute q('34.1.1.3') with no data`)).asked,
        ).toEqual(['34.1.1.3']);
        expect((await bench.client.query('table execute')).rows).toEqual([]);
      },
    );
  });

  test('computes its arguments once', async () => {
    await bench.client.query('savepoint before; create temp sequence calls');
    await prepared(`prepare q (int) as select $1, count(*) from ${E}`, async () => {
      for (const value of [1, 2]) {
        const { rows } = await bench.ask(`execute q(nextval('calls')::int)`);
        expect(rows).toEqual([[value, '20']]);
      }
    });
  });

  test('is explained without a call', async () => {
    await bench.client.query('savepoint before');
    await prepared(`prepare q (inet) as select ip_address, country_code from ${A} where ip_address = $1`, async () => {
      const { asked, rows } = await bench.ask(`explain execute q('34.1.1.2')`);
      expect(asked).toEqual([]);
      expect(rows.length).toBeGreaterThan(0);
    });
  });

  test('fails as PostgreSQL does where its arguments are wrong', async () => {
    await bench.client.query('savepoint before');
    await prepared(`prepare q (int) as select $1, count(*) from ${E}`, async () => {
      for (const [text, code] of [
        ['execute q', '42601'],
        ['execute q(1, 2)', '42601'],
        [`execute q('1'::text)`, '42804'],
        [`execute q('x')`, '22P02'],
        ['execute q(1/0)', '22012'],
      ] as const) {
        await expect(bench.client.query(text), text).rejects.toMatchObject({ code });
        await bench.client.query('rollback to before');
        const error = await bench.ask(text).catch((thrown: unknown) => thrown);
        const { fields } = error as { fields?: ReadonlyMap<string, string> };
        expect(fields?.get('C') ?? (error as { code: string }).code, text).toBe(code);
        await bench.client.query('rollback to before');
      }
    });
  });
});
