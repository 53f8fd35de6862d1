import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openBench, sorted, type Answer, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});
afterEach(async () => {
  await bench.client.query('reset all');
});

const JOIN = `select e.event_id, a.country_code from cloudtrail_trail_event e
  join abuseipdb_check_ip a on a.ip_address = e.source_ip_address where e.event_name = 'CreateUser'`;

/** How often planning was done for it. */
async function planned(work: () => Promise<unknown>): Promise<{ read: number; analysed: number }> {
  const before = bench.plans.counts;
  await work();
  const after = bench.plans.counts;
  return { read: after.read - before.read, analysed: after.analysed - before.analysed };
}

const NOTHING = { read: 0, analysed: 0 };

/** Both times what plain tables give, from one plan. */
async function twice(text: string): Promise<readonly Answer[]> {
  const first = await bench.ask(text);
  const again: Answer[] = [];
  expect(await planned(async () => again.push(await bench.ask(text)))).toEqual(NOTHING);
  expect(again).toEqual([first]);
  return [first, ...again];
}

test.each([
  JOIN,
  // A level that is evaluated once, whose place in the tree the planner fills.
  `select t.ip, a.is_tor from (select source_ip ip from cloudtrail_trail_event order by event_id limit 3) t
    join abuseipdb_check_ip a on a.ip_address = t.ip`,
  // A subquery that is read with a row more.
  `select e.event_id from cloudtrail_trail_event e
    where e.source_ip_address not in (select a.ip_address from abuseipdb_check_ip a where a.ip_address in ('34.1.1.1', '34.1.1.2'))`,
  `with w as materialized (select source_ip ip from cloudtrail_trail_event where event_name = 'CreateUser')
    select w.ip, a.abuse_confidence_score from w, lateral (select * from abuseipdb_check_ip a where a.ip_address = w.ip) a`,
  `select event_id, source_ip from cloudtrail_trail_event natural join (values ('e01'), ('e02')) v(event_id) order by 1`,
  `select e.event_id from cloudtrail_trail_event e where e.event_time > '2026-11-19' and e.event_name like 'Create%' order by 1 limit 3`,
])('a statement that is run again is not planned again, and gives the same: %s', async (text) => {
  const [answer] = await twice(text);
  expect(sorted(answer?.rows ?? [])).toEqual(sorted(await bench.oracle(text)));
});

test('names qualified by a schema are found again in the text', async () => {
  const [answer] = await twice(
    `select public.abuseipdb_check_ip.is_tor from public.abuseipdb_check_ip where ip_address = '34.1.1.3'`,
  );
  expect(answer).toMatchObject({ rows: [[true]], asked: ['34.1.1.3'] });
});

test('the same statement with other parameters has the same plan and its own keys', async () => {
  const text = 'select ip_address from abuseipdb_check_ip where ip_address = $1';
  expect((await bench.ask(text, ['34.1.1.1'], [869])).asked).toEqual(['34.1.1.1']);
  expect(
    await planned(async () => {
      expect((await bench.ask(text, ['34.1.1.2'], [869])).asked).toEqual(['34.1.1.2']);
    }),
  ).toEqual(NOTHING);
});

test('another session, and another role, share the plan but not what they may read', async () => {
  await bench.ask(JOIN);
  const { client, backend } = await bench.connect();
  expect(await planned(() => bench.ask(JOIN, [], [], { client, backend }))).toEqual(NOTHING);
  await client.query(
    'create role may_nothing; grant may_nothing to trailhound; grant usage on schema public to may_nothing',
  );
  await client.query('set role may_nothing');
  const calls = bench.events.requests.length;
  await expect(bench.ask(JOIN, [], [], { client, backend })).rejects.toMatchObject({ code: '42501' });
  expect(bench.events.requests).toHaveLength(calls);
  await client.query('reset role');
  expect((await bench.ask(JOIN, [], [], { client, backend })).rows.length).toBeGreaterThan(0);
});

test('a temporary table that takes a name is read in place of the virtual table, until it is dropped', async () => {
  const text = 'select count(*) from abuseipdb_check_ip where ip_address is not null';
  await expect(bench.ask(text)).rejects.toMatchObject({ code: 'unbounded_key' });
  await bench.client.query('create temp table abuseipdb_check_ip (ip_address inet)');
  try {
    expect(await bench.ask(text)).toMatchObject({ rows: [['0']], asked: [] });
  } finally {
    await bench.client.query('drop table pg_temp.abuseipdb_check_ip');
  }
  await expect(bench.ask(text)).rejects.toMatchObject({ code: 'unbounded_key' });
});

test('a search_path that leads elsewhere makes another plan of the same text', async () => {
  await bench.ask(JOIN);
  await bench.client.query('set search_path = plain, public');
  expect(await bench.ask(JOIN)).toMatchObject({ asked: [], scans: 0 });
  await bench.client.query('reset search_path');
  expect(await planned(() => bench.ask(JOIN))).toEqual(NOTHING);
});

test('columns that come and go change what a bare name means', async () => {
  await bench.client.query(`create table suspects (ip text); insert into suspects values ('34.1.1.1'), ('34.1.1.3')`);
  const text = 'select is_tor from suspects s join abuseipdb_check_ip a on a.ip_address = s.ip order by 1';
  try {
    expect(await bench.ask(text)).toMatchObject({ rows: [[false], [true]] });
    await bench.client.query('alter table suspects add column is_tor boolean');
    await expect(bench.ask(text)).rejects.toMatchObject({ message: 'column reference "is_tor" is ambiguous' });
    await bench.client.query('alter table suspects drop column is_tor');
    expect(await bench.ask(text)).toMatchObject({ rows: [[false], [true]] });
    await bench.client.query("drop table suspects; create view suspects as select text '34.1.1.2' as ip");
    expect(await bench.ask(text)).toMatchObject({ rows: [[false]], asked: ['34.1.1.2'] });
    await bench.client.query('drop view suspects');
    await expect(bench.ask(text)).rejects.toMatchObject({ message: 'relation "suspects" does not exist' });
  } finally {
    await bench.client.query('drop table if exists suspects').catch(() => undefined);
  }
});

test('a view that is redefined to give other rows each time is computed once from then on', async () => {
  const text = 'select w.ip, a.is_tor from watched w join abuseipdb_check_ip a on a.ip_address = w.ip';
  await bench.client.query(`create view watched as select inet '34.1.1.3' as ip`);
  try {
    expect(await bench.ask(text)).toMatchObject({ rows: [['34.1.1.3', true]] });
    await bench.client.query(
      `create or replace view watched as select ip from (values (inet '34.1.1.1'), ('34.1.1.3')) v(ip) order by random() limit 1`,
    );
    const { rows, asked } = await bench.ask(text);
    expect(rows.map(([ip]) => ip)).toEqual(asked);
    expect(rows).toHaveLength(1);
  } finally {
    await bench.client.query('drop view watched');
  }
});

test('a function that becomes volatile, or goes, is heard of', async () => {
  const text = `select a.is_tor from (select chosen() ip) t join abuseipdb_check_ip a on a.ip_address = t.ip`;
  const create = (kind: string): Promise<unknown> =>
    bench.client.query(`create or replace function chosen() returns inet language sql ${kind} return inet '34.1.1.3'`);
  await create('stable');
  try {
    expect(await bench.ask(text)).toMatchObject({ rows: [[true]] });
    const { texts } = bench.backend;
    await create('volatile');
    texts.length = 0;
    expect(await bench.ask(text)).toMatchObject({ rows: [[true]] });
    // Evaluated once: its row, not its call, stands in what the statement and the key query read.
    expect(texts.filter((own) => own.includes('chosen')).length).toBeGreaterThan(0);
    await create('immutable');
    expect(await bench.ask(text)).toMatchObject({ rows: [[true]] });
  } finally {
    await bench.client.query('drop function chosen');
  }
  await expect(bench.ask(text)).rejects.toMatchObject({ message: 'function chosen() does not exist' });
});

test('an operator that takes the place of = makes the key unbounded, and its end bounds it again', async () => {
  await bench.ask(JOIN);
  await bench.client.query(`create function never(inet, text) returns boolean language sql immutable return false;
    create operator public.= (leftarg = inet, rightarg = text, function = never)`);
  try {
    await bench.client.query('set search_path = public, pg_catalog, steampipe');
    await expect(bench.ask(JOIN)).rejects.toMatchObject({ code: 'unbounded_key' });
  } finally {
    await bench.client.query('reset search_path; drop operator public.= (inet, text); drop function never');
  }
  expect((await bench.ask(JOIN)).rows.length).toBeGreaterThan(0);
});
