import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { incident } from './support/incident.ts';
import { failure, openRoad, sorted, textRows, type Road } from './support/road.ts';

let road: Road;
let live: Client;
let plain: Client;

const VIEWS = `
  create view abusers as select e.event_id, e.event_name, a.ip_address, a.abuse_confidence_score as score
    from cloudtrail_trail_event e join abuseipdb_check_ip a on a.ip_address = e.source_ip;
  create view created as select e.event_id, a.ip_address, a.abuse_confidence_score as score
    from cloudtrail_trail_event e join abuseipdb_check_ip a on a.ip_address = e.source_ip where e.event_name = 'CreateUser';
  create view reputation as select ip_address as ip, abuse_confidence_score as score, country_code from abuseipdb_check_ip;
  create view barrier with (security_barrier) as select ip_address as ip, abuse_confidence_score as score from abuseipdb_check_ip;
  create view invoked with (security_invoker) as select ip_address as ip, abuse_confidence_score as score from abuseipdb_check_ip;
  create view busiest as select source_ip as ip, count(*) as n from cloudtrail_trail_event where source_ip is not null
    group by 1 order by 2 desc, 1 limit 2;
  create view made_last as select distinct on (username) username, source_ip from cloudtrail_trail_event
    where event_name = 'CreateUser' order by username, event_time desc, event_id;
  create view chained as with recursive r(ip, n) as (
      select source_ip, 0 from cloudtrail_trail_event where event_name = 'CreateUser'
      union all select a.ip_address + 1, r.n + 1 from r join abuseipdb_check_ip a on a.ip_address = r.ip where r.n < 1)
    cycle ip, n set looped using way select ip, n, looped from r;
  create table watched (ip inet, note text);
  insert into watched values ('91.240.118.3', 'a'), ('45.83.12.7', 'b'), ('45.83.12.7', 'c'), ('5.188.86.10', 'd'), (null, 'e');
  create view first_watched as select ip, note from watched where ip is not null order by note limit 1;
  create view numbered as select ip, row_number() over (order by note) as n from watched`;

const FUNCTIONS = `
  create function plain_score(address inet) returns int stable language sql
    as 'select abuse_confidence_score from abuseipdb_check_ip where ip_address = address';
  create function numbered_score(inet) returns int stable language sql
    as 'select abuse_confidence_score from abuseipdb_check_ip where ip_address = $1';
  create function atomic_score(address inet) returns int stable
    begin atomic select abuse_confidence_score from abuseipdb_check_ip where ip_address = address; end;
  create function returned_score(address inet) returns int stable
    return (select abuse_confidence_score from abuseipdb_check_ip where ip_address = address);
  create function scored(address inet) returns table (ip inet, score int) stable language sql
    as 'select r.ip, r.score from reputation r where r.ip = address';
  create function static_score(address inet) returns int stable language plpgsql
    as $$ begin return (select abuse_confidence_score from abuseipdb_check_ip where ip_address = address); end $$;
  create function formatted_score(address inet) returns int stable language plpgsql
    as $$ declare found int; begin
      execute format('select abuse_confidence_score from abuseipdb_check_ip where ip_address = %L', address) into found; return found; end $$;
  create function definer_score(address inet) returns int stable language plpgsql security definer
    as $$ begin return (select abuse_confidence_score from abuseipdb_check_ip where ip_address = address); end $$;
  create function array_scores(addresses inet[]) returns setof int stable language plpgsql
    as $$ begin return query select abuse_confidence_score from abuseipdb_check_ip where ip_address = any (addresses); end $$;
  create function looped(addresses inet[]) returns int stable language plpgsql
    as $$ declare total int := 0; each inet; one int; begin
      foreach each in array addresses loop
        select abuse_confidence_score into one from abuseipdb_check_ip where ip_address = each; total := total + coalesce(one, 0);
      end loop; return total; end $$;
  create function joined() returns bigint stable language plpgsql
    as $$ begin return (select count(*) from watched w join abuseipdb_check_ip a on a.ip_address = w.ip); end $$;
  create function unbounded() returns bigint stable language plpgsql
    as $$ begin return (select count(*) from abuseipdb_check_ip); end $$;
  create function caught() returns text stable language plpgsql
    as $$ begin perform 1 from abuseipdb_check_ip; return 'rows'; exception when others then return sqlstate; end $$;
  create function hide_ddl(made text) returns void language plpgsql as $$ begin execute made; end $$`;

const ADDRESSES = [
  '91.240.118.3',
  '45.83.12.7',
  '45.83.12.8',
  '75.50.255.67',
  '45.83.12.9',
  '2a00:1450::8a',
  '203.0.113.9',
  '5.188.86.10',
];

/** Every object of a user's and every virtual table has a plain twin. */
const TWINS = [
  'cloudtrail_trail_event',
  'abuseipdb_check_ip',
  ...Array.from(`${VIEWS};${FUNCTIONS}`.matchAll(/create (?:view|table|function) (\w+)/g), ([, name = '']) => name),
];

function onPlain(text: string): string {
  return text.replace(new RegExp(`\\b(${TWINS.join('|')})\\b(?! bigint| int)`, 'g'), 'plain_$1');
}

beforeAll(async () => {
  road = await openRoad({ simulator: { world: incident() } });
  live = await road.connect();
  plain = await road.connect();
  await live.query('set trailhound.cache = off');
  await plain.query('create table plain_cloudtrail_trail_event as select * from cloudtrail_trail_event');
  await plain.query(
    `create table plain_abuseipdb_check_ip as select * from abuseipdb_check_ip where ip_address in
      (select source_ip from plain_cloudtrail_trail_event) or ip_address = any ('{${ADDRESSES.join(',')}}')`,
  );
  await live.query(VIEWS);
  await live.query(FUNCTIONS);
  await plain.query(onPlain(VIEWS));
  await plain.query(onPlain(FUNCTIONS));
});

afterAll(async () => {
  await road.close();
});

beforeEach(async () => {
  await live.query('rollback');
  await plain.query('rollback');
  road.simulator.calls.reset();
});

const keys = (): string[] =>
  road.simulator.calls.all
    .filter(({ service }) => service === 'abuseipdb')
    .map(({ key }) => key ?? '')
    .sort();

/** Over the virtual tables what it is over plain ones. */
async function same(text: string, values: readonly unknown[] = []): Promise<string[]> {
  const rows = sorted(await textRows(live, text, values));
  expect(rows).toEqual(sorted(await textRows(plain, onPlain(text), values)));
  return rows;
}

const CREATED = ['2a00:1450::8a', '45.83.12.7', '45.83.12.8', '45.83.12.9', '91.240.118.3'].sort();
const WATCHED = ['45.83.12.7', '5.188.86.10', '91.240.118.3'];

const BUSIEST = ['45.83.12.7', '91.240.118.3'];

const ANSWERED: readonly (readonly [text: string, asked: readonly string[] | undefined])[] = [
  ['select * from created', CREATED],
  ['select w.note, r.score from watched w join reputation r on r.ip = w.ip', WATCHED],
  ['select w.note, r.score from watched w left join reputation r on r.ip = w.ip', WATCHED],
  ['select w.note, r.score from watched w join barrier r on r.ip = w.ip', WATCHED],
  ['select w.note, r.score from watched w join invoked r on r.ip = w.ip', WATCHED],
  ['select * from created c join reputation r on r.ip = c.ip_address', CREATED],
  [`select * from created c, reputation r where r.ip = '5.188.86.10'`, [...CREATED, '5.188.86.10'].sort()],
  [`select (select count(*) from abusers), (select count(*) from created)`, CREATED],
  ['select note, plain_score(ip) from watched', WATCHED],
  ['select note, numbered_score(ip) from watched', WATCHED],
  ['select note, atomic_score(ip) from watched', WATCHED],
  ['select note, returned_score(ip) from watched', WATCHED],
  ['select note, s.* from watched w left join lateral scored(w.ip) s on true', WATCHED],
  ['select note, static_score(ip) from watched where ip is not null', undefined],
  ['select note, formatted_score(ip) from watched where ip is not null', undefined],
  ['select note, definer_score(ip) from watched where ip is not null', undefined],
  [`select array_scores('{91.240.118.3,5.188.86.10}')`, ['5.188.86.10', '91.240.118.3']],
  [`select looped('{91.240.118.3,5.188.86.10}')`, ['5.188.86.10', '91.240.118.3']],
  [`select static_score('5.188.86.10'), c.* from created c`, [...CREATED, '5.188.86.10'].sort()],
  ['select c.event_id, static_score(c.ip_address) from created c', undefined],
  ['with w as (insert into watched select ip_address from created returning ip) select ip from w', CREATED],
  ['select b.*, r.score from busiest b left join reputation r on r.ip = b.ip', BUSIEST],
  [
    'select b.*, a.abuse_confidence_score from busiest b left join abuseipdb_check_ip a on a.ip_address = b.ip',
    BUSIEST,
  ],
  ['select m.*, r.score from made_last as m(who, at) join reputation r on r.ip = m.at', undefined],
  ['select f, r.score from only first_watched f join reputation r on r.ip = f.ip', ['91.240.118.3']],
  [
    'select first_watched.note, a.is_tor from first_watched join abuseipdb_check_ip a on a.ip_address = ip',
    ['91.240.118.3'],
  ],
  ['select n.n, r.score from numbered n, reputation r where n.n between 2 and 3 and r.ip = n.ip', ['45.83.12.7']],
  [
    'update watched w set note = r.score::text from first_watched f, reputation r where r.ip = f.ip and w.ip = f.ip returning w.*',
    ['91.240.118.3'],
  ],
  [
    `with w as (insert into watched select r.ip from ((values (1)) as v(n) join reputation r on true)
        join watched w on w.ip = r.ip returning ip) select ip from w`,
    WATCHED,
  ],
  [`select * from created where event_id = 'event-011'`, ['45.83.12.9']],
  [`select * from created order by event_id limit 1`, CREATED],
  ['select c.ip, c.n, c.looped from chained c', CREATED],
  [`select note from watched where ip in (select ip from reputation where score > 10)`, WATCHED],
  [`with r as (select r.* from watched w, reputation r where r.ip = w.ip) select count(*) from r, r as again`, WATCHED],
  ['update watched w set note = r.score::text from reputation r where r.ip = w.ip returning w.*', WATCHED],
  ['delete from watched w using reputation r where r.ip = w.ip and r.score > 10 returning w.*', WATCHED],
  [
    `merge into watched w using (select distinct r.ip, r.score from watched v, reputation r where r.ip = v.ip) r on r.ip = w.ip
        when matched then update set note = r.score::text returning w.*`,
    WATCHED,
  ],
];

describe('views and functions give what they give over plain tables, each key asked for once:', () => {
  test.each([
    ...ANSWERED.map((each) => ['read committed', ...each] as const),
    // Where keys and rows come from one snapshot all the same.
    ...ANSWERED.slice(0, 5).map((each) => ['repeatable read', ...each] as const),
  ])('in a block of %s, %s', async (level, text, asked) => {
    await live.query(`begin isolation level ${level}`);
    await plain.query('begin');
    expect((await same(text)).length).toBeGreaterThan(0);
    if (asked !== undefined) expect(keys()).toEqual(asked);
  });
});

describe('keys below views', () => {
  test('fail a statement of a block in whose own snapshot there are more of them', async () => {
    await live.query('begin');
    const release = road.simulator.hold('abuseipdb');
    try {
      const failed = failure(live.query('select w.note, r.score from watched w left join reputation r on r.ip = w.ip'));
      await road.simulator.calls.until((calls) => calls.open('abuseipdb') > 0);
      await plain.query("insert into watched values ('45.83.12.8', 'new')");
      release();
      expect(await failed).toMatchObject({ code: '40001', message: 'rows changed while keys were looked up' });
    } finally {
      release();
      await plain.query("delete from watched where note = 'new'");
    }
  });

  test('outside of a block keys and rows are of one snapshot', async () => {
    await same('select w.note, r.score from watched w join reputation r on r.ip = w.ip');
    expect(keys()).toEqual(WATCHED);
  });

  test('so are those of a recursion with CYCLE, which a block of READ COMMITTED refuses', async () => {
    const text = `with recursive r(ip, n) as (select ip, 0 from watched union all select a.ip_address, n + 1 from r
      join abuseipdb_check_ip a on a.ip_address = r.ip) cycle ip set looped using way select ip, n, looped from r`;
    await same(text);
    expect(keys()).toEqual(WATCHED);
    await live.query('begin');
    expect(await failure(live.query(text))).toMatchObject({ code: '0A000' });
  });

  test('with parameters, by the extended protocol', async () => {
    await same('select * from created c where c.score >= $1', [50]);
    expect(keys()).toEqual(CREATED);
  });
});

describe('refused, saying what to do:', () => {
  test.each([
    ['select joined()', /Function joined may read/],
    ['select unbounded()', /Function unbounded may read/],
    ['select unbounded(), c.* from created c', /Function unbounded may read/],
    [
      `select x.*, event_id from created, ts_stat('select ''a''::tsvector from reputation') x`,
      /Function ts_stat may read/,
    ],
    ['select * from reputation', /in the statement/],
  ])('%s', async (text, hint) => {
    const error = await failure(live.query(text));
    expect(error).toMatchObject({ code: 'HV002' });
    expect(error.hint).toMatch(hint);
  });

  test('an error that PL/pgSQL catches is the one that it sees', async () => {
    expect(new Set(await textRows(live, 'select caught() from created').then((rows) => rows.flat()))).toEqual(
      new Set(['HV002']),
    );
  });

  test('a cursor WITH HOLD, which the end of the transaction runs', async () => {
    await live.query('begin; set local enable_nestloop = off');
    await live.query('declare held cursor with hold for select score from watched w join reputation r on r.ip = w.ip');
    expect((await failure(live.query('commit'))).hint).toMatch(/temporary table/);
  });

  test('what a function behind an operator may scan', async () => {
    await live.query(`begin; create function same_score(inet, int) returns bool language plpgsql stable as
      'begin return (select count(*) from abuseipdb_check_ip) > 100; end'`);
    await live.query(`create operator @=@ (leftarg = inet, rightarg = int, function = same_score)`);
    const error = await failure(live.query('select * from created c where c.ip_address @=@ c.score'));
    expect(error).toMatchObject({ code: 'HV002', hint: expect.stringMatching(/behind an operator/) as string });
  });

  test('what a trigger of a table that is written to may scan', async () => {
    await live.query(`begin isolation level repeatable read;
      create function counted() returns trigger language plpgsql as
        'begin if (select count(*) from abuseipdb_check_ip) > 0 then return new; end if; return null; end';
      create table target (ip inet); create trigger counts before insert on target for each row execute function counted()`);
    const error = await failure(
      live.query('with w as (insert into target select ip_address from created returning 1) select * from w, created'),
    );
    expect(error).toMatchObject({ code: 'HV002', hint: expect.stringMatching(/trigger/) as string });
  });
});

describe('rows that were hydrated for one statement', () => {
  /** Made where nobody sees it being made. */
  async function makeUnseen(name: string): Promise<void> {
    await live.query(
      `select hide_ddl('cre' || 'ate or replace view ${name} as select ip_address as ip, abuse_confidence_score as score from abuseipdb_check_ip')`,
    );
  }

  test('serve the cursors that they are of, one beside the other', async () => {
    for (const client of [live, plain]) {
      const own = (text: string) => (client === plain ? onPlain(text) : text);
      await client.query('begin isolation level repeatable read');
      await client.query(own('declare one scroll cursor for select event_id, score from created order by 1'));
      await client.query(
        own('declare two cursor for select note, score from watched w join reputation r on r.ip = w.ip order by 1, 2'),
      );
    }
    for (const fetch of [
      'fetch 3 from one',
      'fetch 2 from two',
      'fetch all from one',
      'fetch all two',
      'fetch first one',
    ])
      expect(await textRows(live, fetch)).toEqual(await textRows(plain, fetch));
    expect(keys()).toEqual([...CREATED, ...WATCHED].sort());
  });

  test('serve no other scan while a cursor is open', async () => {
    await live.query('begin isolation level repeatable read');
    await makeUnseen('unseen_beside_cursor');
    await live.query(
      'declare one cursor for select ip, r.score from created c join reputation r on r.ip = c.ip_address',
    );
    expect(await textRows(live, 'fetch 1 from one')).toHaveLength(1);
    expect(await failure(textRows(live, 'select ip, score from unseen_beside_cursor'))).toMatchObject({
      code: 'HV002',
    });
  });

  test('serve no other scan after the portal that they were fetched for is done', async () => {
    await live.query('begin isolation level repeatable read');
    await makeUnseen('unseen_beside_portal');
    await textRows(
      live,
      'select ip, r.score from created c join reputation r on r.ip = c.ip_address where c.score >= $1',
      [0],
    );
    expect(await failure(textRows(live, 'select ip, score from unseen_beside_portal'))).toMatchObject({
      code: 'HV002',
    });
  });

  test('serve no function beside it that was made unseen', async () => {
    await live.query('begin isolation level repeatable read');
    await live.query(`select hide_ddl($made$cre$made$ || $made$ate function unseen_count() returns bigint language plpgsql stable as
      'begin return (select count(ip_address) from abuseipdb_check_ip); end'$made$)`);
    expect(await failure(textRows(live, 'select unseen_count(), c.* from created c'))).toMatchObject({ code: 'HV002' });
  });

  test('serve no cursor that has taken the place of theirs', async () => {
    await live.query('begin isolation level repeatable read');
    await makeUnseen('unseen_in_cursor');
    await live.query(
      'declare one cursor for select ip, r.score from created c join reputation r on r.ip = c.ip_address',
    );
    await live.query(`create function reopened() returns void language plpgsql as
      $$ declare one refcursor := 'one'; begin close one; open one for execute 'select ip, score from unseen_in_cursor'; end $$`);
    await live.query('select reopened()');
    expect(await failure(textRows(live, 'fetch all from one'))).toMatchObject({ code: 'HV002' });
  });
});

describe("another role's view", () => {
  test('is planned for a reader who may select from all that it reads', async () => {
    await live.query(`grant usage on schema workspace to public; grant select on created, reputation to trailhound_reader;
      create role dashboard login password 'dashboard' in role trailhound_reader`);
    road.simulator.calls.reset();
    await road.with(
      async (reader) => {
        await reader.query('set trailhound.cache = off');
        expect(sorted(await textRows(reader, 'select * from workspace.created'))).toEqual(
          sorted(await textRows(plain, 'select * from plain_created')),
        );
        expect(keys()).toEqual(CREATED);
      },
      { user: 'dashboard', password: 'dashboard' },
    );
  });

  test('is refused for a role that may not, and the hint names what it lacks', async () => {
    await live.query(`create role outsider login password 'outsider'; grant select on reputation to outsider`);
    await road.with(
      async (outsider) => {
        const error = await failure(outsider.query('select * from workspace.reputation where score > 0'));
        expect(error).toMatchObject({
          code: 'HV002',
          hint: expect.stringMatching(/reputation reads abuseipdb_check_ip/) as string,
        });
      },
      { user: 'outsider', password: 'outsider' },
    );
  });
});

test('a materialized view is refreshed concurrently', async () => {
  for (const client of [live, plain]) {
    const own = (text: string) =>
      client === plain
        ? text.replace('kept', 'plain_kept').replace('created', 'plain_created').replace('on kept', 'on plain_kept')
        : text;
    await client.query(own('create materialized view kept as select * from created with no data'));
    await client.query(own('create unique index on kept (event_id)'));
    await client.query(own('refresh materialized view kept'));
    road.simulator.calls.reset();
    await client.query(own('refresh materialized view concurrently kept'));
    if (client === live) expect(keys()).toEqual(CREATED);
  }
  expect(sorted(await textRows(live, 'select * from kept'))).toEqual(
    sorted(await textRows(plain, 'select * from plain_kept')),
  );
});

test('a session that hides which backend asks gets no rows that are chosen from those of a default', async () => {
  const hidden = await road.connect();
  await hidden.query(`set postgres_fdw.application_name = 'another'`);
  await hidden.query(`create function pg_temp.counted(condition text) returns integer language plpgsql as $$
    declare n integer;
    begin
      execute 'select count(*) from abuseipdb_check_ip where ip_address = ''${ADDRESSES[0]}'' and ' || condition into n;
      return n;
    end $$`);
  const counted = (condition: string) => textRows(hidden, 'select pg_temp.counted($1)', [condition]);
  expect(await counted('max_age_in_days = 30')).toEqual([['1']]);
  expect(await failure(counted(`max_age_in_days::text = '30'`))).toMatchObject({ code: 'HV002' });
  await hidden.end();
});

test('statement_timeout ends a statement below a view', async () => {
  await live.query('begin; set local statement_timeout = 1');
  expect(await failure(live.query('select * from created, pg_sleep(1)'))).toMatchObject({ code: '57014' });
});
