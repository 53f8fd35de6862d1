import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import type { Hunt } from '../../src/hunts/hunt.ts';
import { claim } from '../../src/hunts/claim.ts';
import { refreshHunt, type Refresh } from '../../src/hunts/refresh/refresh-hunt.ts';
import { connectSql } from '../../src/hunts/sql-client.ts';
import { openRoad, textRows, type Road } from '../roads/support/road.ts';
import { until } from '../roads/support/until.ts';

let road: Road;
let owner: Client;

beforeAll(async () => {
  road = await openRoad({ simulator: { world: { accounts: [] } } });
  owner = await road.connect();
  await owner.query('create table source_rows (n int, found inet, at timestamptz, more jsonb, names text[])');
});
afterAll(() => road.close());
beforeEach(async () => {
  await owner.query('drop table if exists hunt.made_up; delete from trailhound.hunt_refresh; truncate source_rows');
});

const huntOf = (sql: string, more: Partial<Hunt> = {}): Hunt => ({
  id: 'test/made-up',
  title: 'Made up',
  severity: 'low',
  mitre: [],
  tables: ['abuseipdb_check_ip'],
  parameters: [
    { name: 'since', type: 'interval', defaultValue: '7 days', required: undefined, description: 'how far back' },
  ],
  watch: undefined,
  falsePositives: [],
  nextSteps: [],
  references: [],
  origin: [],
  file: 'made-up.sql',
  sql,
  ...more,
});

const HUNT = huntOf('select n, found, at, more, names from source_rows order by n');

const connect = () => {
  const { host, port, database, password } = road.endpoint;
  return connectSql({ host, port, database, password, user: 'trailhound', tls: false }, () => undefined);
};

const refresh = (hunt: Hunt = HUNT, more: Partial<Refresh> = {}) =>
  refreshHunt({
    hunt,
    name: 'made_up',
    parameters: {},
    known: [],
    overridden: false,
    connect,
    signal: new AbortController().signal,
    ...more,
  });

const insert = (from: number, to: number) =>
  owner.query(
    `insert into source_rows select n, '192.0.2.1'::inet + n, '2026-11-20 10:00+01'::timestamptz + n * interval '1.000001 s',
       jsonb_build_object('n', n, 'text', E'quoted "''\\\\ \\u00e9\\n'), array['a,b', null, n::text]
     from generate_series($1::int, $2::int) n`,
    [from, to],
  );

const own = 'n, found, at, more, names';
const kept = (client: Client = owner) => textRows(client, `select ${own} from hunt.made_up order by n`);
const whole = () => textRows(owner, `select ${own} from source_rows order by n`);
const states = async () =>
  textRows(
    owner,
    'select name, hunt, rows, failure, refreshed_at is null, failing_since is null from trailhound.refresh',
  );

it('the table holds what the hunt finds, with its types, as often as it is run', async () => {
  await insert(1, 2_500);
  expect(await refresh()).toEqual({ kind: 'refreshed', rows: 2_500 });
  expect(await kept()).toEqual(await whole());
  expect((await textRows(owner, `select pg_typeof(found), pg_typeof(names) from hunt.made_up limit 1`))[0]).toEqual([
    'inet',
    'text[]',
  ]);
  await owner.query('delete from source_rows where n > 3');
  await insert(9_000, 9_001);
  expect(await refresh()).toEqual({ kind: 'refreshed', rows: 5 });
  expect(await kept()).toEqual(await whole());
  expect(await states()).toEqual([['made_up', 'test/made-up', '5', '', 'f', 't']]);
  const [[comment = '', refreshedAt = ''] = []] = await textRows(
    owner,
    `select obj_description('hunt.made_up'::regclass), refreshed_at from trailhound.refresh`,
  );
  expect(comment).toBe(`Rows of hunt test/made-up, refreshed at ${refreshedAt}`);
  expect(await textRows(owner, 'select distinct refreshed_at from hunt.made_up')).toEqual([[refreshedAt]]);
});

it('a run that fails leaves the rows, marked as old, and the next that does not takes the mark away', async () => {
  await insert(1, 3);
  await refresh();
  const before = await textRows(owner, `select ${own}, refreshed_at from hunt.made_up order by n`);
  const failing = huntOf(HUNT.sql.replace('select n', 'select 1 / (n - 3) as n'));
  for (let round = 0; round < 2; round += 1) {
    expect(await refresh(failing)).toMatchObject({ kind: 'failed', failure: { code: '22012' } });
    expect(await textRows(owner, `select ${own}, refreshed_at from hunt.made_up order by n`)).toEqual(before);
    expect(await textRows(owner, 'select distinct failure, failing_since is null from hunt.made_up')).toEqual([
      ['22012: division by zero', 'f'],
    ]);
  }
  expect(await states()).toEqual([['made_up', 'test/made-up', '3', '22012: division by zero', 'f', 'f']]);
  const [[comment = ''] = []] = await textRows(owner, `select obj_description('hunt.made_up'::regclass)`);
  expect(comment).toMatch(/^Rows of hunt test\/made-up, old: refreshed at .*, failing since /);
  expect(comment).not.toContain('division');
  await refresh();
  expect(await textRows(owner, 'select distinct failure, failing_since from hunt.made_up')).toEqual([['', '']]);
});

it('a first run that fails makes no table', async () => {
  expect(await refresh(huntOf('select 1 / 0 as n'))).toMatchObject({ kind: 'failed' });
  expect(await textRows(owner, `select to_regclass('hunt.made_up')`)).toEqual([['']]);
  expect(await states()).toEqual([['made_up', 'test/made-up', '', '22012: division by zero', 't', 'f']]);
});

it('a run that fails after somebody has dropped the table says so, and what it failed with', async () => {
  await insert(1, 3);
  await refresh();
  await owner.query('drop table hunt.made_up');
  const notices: string[] = [];
  const { host, port, database, password } = road.endpoint;
  const target = { host, port, database, password, user: 'trailhound', tls: false };
  const connect = () => connectSql(target, ({ message }) => notices.push(message));
  expect(await refresh(huntOf('select 1 / 0 as n'), { connect })).toMatchObject({
    kind: 'failed',
    failure: { code: '22012' },
  });
  expect(await states()).toEqual([['made_up', 'test/made-up', '', '22012: division by zero', 't', 'f']]);
  expect(notices).toEqual([]);
  expect(await refresh()).toEqual({ kind: 'refreshed', rows: 3 });
});

it('who reads meanwhile sees the rows of the run before', async () => {
  await insert(1, 3);
  await refresh();
  const reader = await road.connect();
  await reader.query('begin isolation level repeatable read');
  const before = await kept(reader);
  await insert(4, 5);
  await refresh();
  expect(await kept(reader)).toEqual(before);
  await reader.query('commit');
  expect(await kept(reader)).toEqual(await whole());
  await reader.end();
});

it('a table is made anew where the hunt has other columns, and refused where it is another’s', async () => {
  await insert(1, 3);
  await refresh();
  expect(await refresh(huntOf('select n, n::text as text from source_rows'))).toEqual({ kind: 'refreshed', rows: 3 });
  expect(await textRows(owner, 'select n, text from hunt.made_up order by 1 limit 1')).toEqual([['1', '1']]);
  await expect(refresh(huntOf('select 1 as n', { id: 'test/other' }))).rejects.toMatchObject({
    code: 'configuration',
    message: 'table hunt."made_up" holds the rows of test/made-up',
  });
  await owner.query('delete from trailhound.hunt_refresh');
  await expect(refresh()).rejects.toMatchObject({ message: expect.stringContaining('holds something else') as string });
  await expect(refresh(huntOf('select 1 as failure'), { name: 'other' })).rejects.toMatchObject({
    code: 'configuration',
  });
});

it('who may read all that the hunt reads may read its rows, and no longer than that', async () => {
  await insert(1, 1);
  await owner.query(`create role somebody login password 'made up'; create role nobody login password 'made up';
    grant select on abuseipdb_check_ip, guardduty_finding to somebody; grant select on abuseipdb_check_ip to nobody`);
  const both = { ...HUNT, tables: ['abuseipdb_check_ip', 'guardduty_finding'] };
  const may = async () =>
    textRows(
      owner,
      `select r, has_table_privilege(r, 'hunt.made_up', 'select') from unnest(array['nobody', 'somebody', 'trailhound_reader']) r order by 1`,
    );
  await refresh(both);
  expect(await may()).toEqual([
    ['nobody', 'f'],
    ['somebody', 't'],
    ['trailhound_reader', 't'],
  ]);
  await owner.query('revoke select on guardduty_finding from somebody; grant select on hunt.made_up to nobody');
  await refresh(both);
  // What the owner granted stays.
  expect(await may()).toEqual([
    ['nobody', 't'],
    ['somebody', 'f'],
    ['trailhound_reader', 't'],
  ]);
  // On a table that is made anew as well.
  await refresh({ ...both, sql: 'select n, 1 as more from source_rows' });
  expect(await may()).toEqual([
    ['nobody', 't'],
    ['somebody', 'f'],
    ['trailhound_reader', 't'],
  ]);
  await owner.query('drop owned by somebody, nobody; drop role somebody, nobody');
});

it('one process refreshes at a time, and one that is told to end leaves the table as it was', async () => {
  await insert(1, 3);
  await refresh();
  const before = await kept();
  const controller = new AbortController();
  const slow = huntOf('select n, found, at, more, names from source_rows, pg_sleep(600)');
  const running = refresh(slow, { signal: controller.signal }).catch((error: unknown) => error);
  await until(
    async () => (await owner.query(`select from pg_stat_activity where wait_event = 'PgSleep'`)).rowCount === 1,
  );
  expect(await refresh()).toEqual({ kind: 'claimed' });
  controller.abort(new Error('told to end'));
  expect(await running).toBeInstanceOf(Error);
  expect(await kept()).toEqual(before);
  expect(await textRows(owner, 'select failure from trailhound.refresh')).toEqual([['']]);
  expect(await refresh()).toEqual({ kind: 'refreshed', rows: 3 });
});

it('what a process claims that does nothing any more is free once PostgreSQL has ended its idle connection', async () => {
  const stopped = await connect();
  const other = await connect();
  expect(await claim(stopped, 'a hunt')).toBe(true);
  expect(await claim(other, 'a hunt')).toBe(false);
  expect(await stopped.rows(`select current_setting('idle_session_timeout')`)).toEqual([['30min']]);
  await stopped.rows(`set idle_session_timeout = '10ms'`);
  await until(() => claim(other, 'a hunt'));
  for (const client of [stopped, other]) await client.close();
});
