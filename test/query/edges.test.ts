import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBench, sorted, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  await bench.client.query(
    `create collation public.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
  );
});
afterAll(async () => {
  await bench.close();
});

test('a comparison under another collation is left to PostgreSQL', async () => {
  const text = `select count(*) from cloudtrail_trail_event where event_name = ('createuser' collate public.any_case)`;
  const { rows } = await bench.ask(text);
  expect(rows).toEqual(await bench.oracle(text));
  expect(rows).not.toEqual([['0']]);
  const [asked] = bench.events.requests.slice(-1);
  expect(asked?.predicates).toEqual([]);
});

test('rows of a level that is evaluated once are compared under the collations of their columns', async () => {
  const texts = [
    `select t.n, a.is_tor from (select 'x' collate public.any_case n, inet '34.1.1.3' ip limit 1) t
       join abuseipdb_check_ip a on a.ip_address = t.ip where t.n = 'X'`,
    `select t.n, a.is_tor from (select event_name::char(20) collate public.any_case n, source_ip ip from cloudtrail_trail_event
       order by event_id limit 20) t join abuseipdb_check_ip a on a.ip_address = t.ip where t.n = 'createuser'`,
    `with recursive r(ip, n) as (
       select inet '34.1.1.1', 'a' collate public.any_case
       union
       select a.ip_address, upper(n) from r join abuseipdb_check_ip a on a.ip_address = r.ip) select count(*) from r`,
  ];
  for (const text of texts) {
    const { rows } = await bench.ask(text);
    expect(rows.length).toBeGreaterThan(0);
    expect(sorted(rows)).toEqual(sorted(await bench.oracle(text)));
  }
});

test('a row in a subquery bounds the key that stands in the same place', async () => {
  const text = `select e.event_id from cloudtrail_trail_event e
    where (e.source_ip, true) in (select a.ip_address, a.is_tor from abuseipdb_check_ip a)`;
  const { rows, asked } = await bench.ask(text);
  expect(sorted(rows)).toEqual(sorted(await bench.oracle(text)));
  expect(asked).toEqual(['2600:1f18::7', '34.1.1.1', '34.1.1.2', '34.1.1.3']);
});

test('an input that no integer equals costs no call', async () => {
  const text = `select ip_address from abuseipdb_check_ip where ip_address = '34.1.1.1' and max_age_in_days = 30.5`;
  expect(await bench.ask(text)).toMatchObject({ rows: [], asked: [] });
});

test('an input is taken from a value in parentheses', async () => {
  const text = `select ip_address, max_age_in_days from abuseipdb_check_ip where ip_address = '34.1.1.1' and max_age_in_days = (select 10 * 3)`;
  expect(await bench.ask(text)).toMatchObject({ rows: [['34.1.1.1', 30]], asked: ['34.1.1.1'] });
});

test('rows that travel as text are refused where text does not give back what it was made of', async () => {
  const text = `select t.ip, a.is_tor from (select source_ip ip from cloudtrail_trail_event order by event_id limit 3) t
    join abuseipdb_check_ip a on a.ip_address = t.ip`;
  for (const setting of ['array_nulls = off', 'extra_float_digits = -10', "datestyle = 'SQL, DMY'"]) {
    await bench.client.query(`set ${setting}`);
    await expect(bench.ask(text)).rejects.toMatchObject({ code: 'not_supported' });
    await bench.client.query(`reset ${setting.split(' ')[0] ?? ''}`);
  }
  expect((await bench.ask(text)).rows.length).toBeGreaterThan(0);
});

test('more keys than can ever be asked for are refused, not gathered', async () => {
  const text = `select count(*) from generate_series(1, 300000) n
    join abuseipdb_check_ip a on a.ip_address = '1.0.0.0'::inet + n`;
  await expect(bench.ask(text)).rejects.toMatchObject({ code: 'lookup_budget' });
});

test.each(['role trailhound', 'role trailhound in database bench', 'database bench', 'role all'])(
  'a setting that does not exist, written down for %s, is heard of in its sessions',
  async (whom) => {
    await bench.pool.query(`alter ${whom} set trailhound.max_lookup = 1`);
    try {
      const session = await bench.connect();
      const text = `select is_tor from abuseipdb_check_ip where ip_address = '34.1.1.1'`;
      await expect(bench.ask(text, [], [], session)).rejects.toMatchObject({ code: 'unknown_setting' });
      await session.client.query(`set trailhound.max_lookup = ''`);
      expect((await bench.ask(text, [], [], session)).rows).toEqual([[false]]);
    } finally {
      await bench.pool.query(`alter ${whom} reset trailhound.max_lookup`);
    }
  },
);

test('an outer join whose condition is of one side alone leaves keys out, where it has a row for that side or none', async () => {
  const statement = (join: string, where: string) =>
    `select a.ip_address from cloudtrail_trail_event e join abuseipdb_check_ip a on a.ip_address = e.source_ip ${join} where ${where}`;
  for (const [text, asks] of [
    [statement('left join guardduty_finding f on true', 'f is null'), false],
    [statement('left join guardduty_finding f on true', 'f.id is not null'), true],
    [statement(`left join guardduty_finding f on f.id = 'nobody'`, 'f.id is null'), true],
    [statement(`left join guardduty_finding f on f.severity > 100`, 'f.id is not null'), false],
    [statement('left join guardduty_finding f on f.remote_ip = e.source_ip', 'f.id is null'), true],
  ] as const) {
    const { rows, asked } = await bench.ask(text);
    expect(sorted(rows), text).toEqual(sorted(await bench.oracle(text)));
    expect(asked.length > 0, text).toBe(asks);
  }
});

test('a subquery in the argument of an aggregate is computed for each row, not for each group', async () => {
  const text = `select e.source_ip, min((select max(a.abuse_confidence_score) from abuseipdb_check_ip a
      where a.ip_address = coalesce(e.source_ip, '34.1.1.9'))) from cloudtrail_trail_event e
    where e.source_ip in ('34.1.1.1', '34.1.1.2') group by rollup (e.source_ip)`;
  const { rows, asked } = await bench.ask(text);
  expect(sorted(rows)).toEqual(sorted(await bench.oracle(text)));
  expect([...asked].sort()).toEqual(['34.1.1.1', '34.1.1.2']);
});

test('columns behind a row of which nobody knows how many it has are taken for no other ones', async () => {
  const { rows: columns } = await bench.client.query<{ attname: string }>(
    `select attname from pg_attribute where attrelid = 'cloudtrail_trail_event'::regclass and attnum > 0 order by attnum`,
  );
  const names = columns.map((_, index) => `c${index}`);
  const at = columns.findIndex(({ attname }) => attname === 'event_name');
  const filling = Array.from({ length: at - 1 }, (_, index) => `'${index}'`).join(', ');
  for (const text of [
    `select count(*) from (select (e).*, ${filling}, e.username from cloudtrail_trail_event e) q(${names.slice(0, at + 1).join(', ')})
       where c${at} = 'CreateUser'`,
    `select q.z, a.is_tor from (select (e).*, e.username u, e.source_ip z from cloudtrail_trail_event e) q
       join abuseipdb_check_ip a on a.ip_address = q.z order by 1, 2`,
    `select t.*, count(*) from (select username, event_name from cloudtrail_trail_event) t group by 1, 2 order by 1, 2`,
  ]) {
    const { rows } = await bench.ask(text);
    expect(rows.length).toBeGreaterThan(0);
    expect(sorted(rows), text).toEqual(sorted(await bench.oracle(text)));
  }
});

test.each([
  `select d, d in (select max_age_in_days from abuseipdb_check_ip where ip_address = '34.1.1.1') from (values (30), (90)) v(d)`,
  `select count(*) from cloudtrail_trail_event e, lateral (select e.*, e.username) q(a) where q.event_name = 'CreateUser'`,
  `select q.m from abuseipdb_check_ip t, lateral (select t.*) q(i, m) where t.ip_address = '34.1.1.1' and q.m = 30`,
  `select q.max_age_in_days from (select t from abuseipdb_check_ip t where ip_address = '34.1.1.1') p,
     lateral (select (p.t).*) q where q.max_age_in_days = 30`,
  `select l.* from (values (30, 'x')) t(p, r) cross join lateral (select t.*, a.max_age_in_days, a.abuse_confidence_score
     from abuseipdb_check_ip a where ip_address = '34.1.1.1') l(a, b, c, d) where l.c = 30`,
])('an input that is compared out of sight is refused, not asked by its default: %s', async (text) => {
  await expect(bench.ask(text)).rejects.toMatchObject({ code: 'unbounded_key' });
});
