import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { ATTACKS, NOTHING_TO_SEE } from './support/attacks.ts';
import { incident } from './support/incident.ts';
import { failure, openRoad, simulatedConnections, sorted, textRows, type Road } from './support/road.ts';

let road: Road;
let owner: Client;
/** Of trailhound_admin, of trailhound_reader, and without any grant. */
let admin: Client;
let reader: Client;
let stranger: Client;

const KNOWN = '91.240.118.3';
const SCORE = `select abuse_confidence_score from abuseipdb_check_ip where ip_address = '${KNOWN}'`;
const EVENTS = `select event_name, count(*) from cloudtrail_trail_event where event_name like 'C%' group by event_name`;

beforeAll(async () => {
  road = await openRoad({
    simulator: { world: incident() },
    yaml: (simulator) =>
      [simulatedConnections(simulator), '  web: { kind: http }', 'http: { allow: [api.example.com] }'].join('\n'),
  });
  owner = await road.connect();
  await owner.query(`
    create role administrator login password 'x' in role trailhound_admin, trailhound_reader;
    create role dashboard login password 'x' in role trailhound_reader;
    create role stranger login password 'x'`);
  admin = await road.connect({ user: 'administrator', password: 'x' });
  reader = await road.connect({ user: 'dashboard', password: 'x' });
  stranger = await road.connect({ user: 'stranger', password: 'x' });
  for (const client of everybody()) await client.query('create temp table taken (line text)');
  // Kept, for others to look at.
  await owner.query(`${EVENTS}; ${SCORE}`);
});

afterAll(async () => {
  await road.close();
});

beforeEach(async () => {
  // Of a test that failed.
  for (const client of everybody()) await client.query('rollback');
  road.simulator.calls.reset();
});

const everybody = () => [owner, admin, reader, stranger];
const calls = () => road.simulator.calls.count();

describe('nobody', () => {
  test.each(Object.entries(ATTACKS))('%s', async (_what, statements) => {
    for (const statement of statements) {
      for (const client of everybody()) {
        const { code } = await failure(client.query(statement));
        expect(code, statement).toBe('42501');
      }
    }
    expect(calls()).toBe(0);
    const supers = await textRows(
      owner,
      'select rolname from pg_roles where rolsuper or rolreplication or rolbypassrls',
    );
    expect(supers).toEqual([['postgres']]);
  });

  test.each(NOTHING_TO_SEE)('is shown anything by %s', async (statement) => {
    for (const client of everybody()) expect(await textRows(client, statement)).toEqual([]);
  });

  test.each([
    ['max_lookups', '99999999999999999999'],
    ['max_lookups', '-1'],
    ['max_lookups', 'NaN'],
    ['concurrency', '0'],
    ['sources', 'everything'],
    ['cache_max_age', `'; drop table x; --`],
  ])('sets trailhound.%s to %s', async (name, value) => {
    for (const client of [owner, reader]) {
      await client.query('begin');
      await client.query('select set_config($1, $2, true)', [`trailhound.${name}`, value]);
      expect(await failure(client.query(SCORE))).toMatchObject({ code: '22023' });
      await client.query('rollback');
    }
    expect(calls()).toBe(0);
  });
});

describe("the server's functions", () => {
  test('that run with its rights are these, for these roles, and look nothing up in pg_temp before pg_catalog', async () => {
    const definers = `select p.proname::text from pg_proc p where p.prosecdef and has_function_privilege(p.oid, 'execute') order by 1`;
    expect((await textRows(owner, definers)).flat()).toEqual([
      'cache_clear',
      'create_lookup',
      'drop_lookup',
      'forget_rows_of',
      'make_schema_of',
    ]);
    expect((await textRows(admin, definers)).flat()).toEqual(['create_lookup', 'drop_lookup']);
    for (const client of [reader, stranger]) expect(await textRows(client, definers)).toEqual([]);
    const paths = `select distinct c from pg_proc p, unnest(p.proconfig) c
      where p.pronamespace = 'trailhound'::regnamespace and c like 'search_path=%'`;
    expect(await textRows(owner, paths)).toEqual([['search_path=pg_catalog, pg_temp']]);
  });

  /** Catalogs that they read, and types that they name. */
  const SHADOWS = [
    ...[
      ['pg_class', '*'],
      ['pg_namespace', '*'],
      ['pg_roles', '*'],
      ['pg_auth_members', '*'],
      ['pg_depend', '*'],
      ['pg_rewrite', '*'],
      ['pg_attribute', 'attrelid, attname, attnum, attisdropped'],
    ].map(
      ([name = '', columns = '']) =>
        `create temp view ${name} as select ${columns} from pg_catalog.${name} where workspace.planted()`,
    ),
    ...['text', 'name', 'jsonb', 'regclass', 'regrole', 'regnamespace', 'oid'].map(
      (name) => `create domain pg_temp.${name} as pg_catalog.${name} check (workspace.planted())`,
    ),
  ];
  const COLUMNS = `[{"name": "ip", "type": "inet", "key": true}, {"name": "score", "type": "integer", "path": "$.score"}]`;

  test.each([
    ['cache_clear', [`select trailhound.cache_clear('guardduty_finding')`], () => [owner]],
    [
      'make_schema_of and forget_rows_of',
      [
        'create role somebody',
        `select trailhound.forget_rows_of('somebody')`,
        `select trailhound.make_schema_of('somebody')`,
      ],
      () => [owner],
    ],
    [
      'create_lookup and drop_lookup',
      [
        `select trailhound.create_lookup('made', 'https://api.example.com/{ip}', '${COLUMNS}', 'web')`,
        `select trailhound.drop_lookup('made')`,
      ],
      () => [owner, admin],
    ],
  ] as const)("%s run no code of the caller's with the server's rights", async (_names, statements, who) => {
    await owner.query(`create or replace function workspace.planted() returns boolean language plpgsql as
      $$ begin raise exception 'ran as %', current_user; end $$;
      grant usage on schema workspace to public`);
    for (const client of who()) {
      await client.query('begin');
      for (const shadow of SHADOWS) await client.query(shadow);
      for (const statement of statements) await client.query(statement);
      await client.query('rollback');
    }
  });

  test('cannot be led by a shadowed catalog to make a schema of somebody else', async () => {
    await owner.query('begin');
    await owner.query(`create temp view pg_roles as select r.oid, r.rolname, false as rolsuper from pg_catalog.pg_roles r;
      create temp view pg_auth_members as
        select r.oid as roleid, true as admin_option, session_user::regrole as member from pg_catalog.pg_roles r`);
    expect(await failure(owner.query(`select trailhound.make_schema_of('postgres')`))).toMatchObject({ code: '42501' });
    await owner.query('rollback');
  });
});

describe('names that stand before those of PostgreSQL', () => {
  /** What our own statements call and compare by, as far as the statements below do not. */
  const FUNCTIONS = [
    'unnest(anyarray) returns setof anyelement',
    'host(inet) returns text',
    'lower(text) returns text',
    'to_regclass(text) returns regclass',
    'current_setting(text) returns text',
    'format_type(oid, int) returns text',
    'masklen(inet) returns int',
    'family(inet) returns int',
    'jsonb_array_length(jsonb) returns int',
    'try_inet(text) returns inet',
    'array_length(anyarray, int) returns int',
  ];
  const OPERATORS = ['<>', '=', '<', '>'].flatMap((operator) =>
    ['oid', 'name', 'jsonb', 'bigint'].map((type) => [operator, type] as const),
  );

  beforeAll(async () => {
    const body = `language plpgsql as $$ begin raise exception 'planted'; end $$`;
    await owner.query('create role planter; select trailhound.make_schema_of($$planter$$); set role planter');
    for (const signature of FUNCTIONS) await owner.query(`create function planter.${signature} ${body}`);
    for (const [operator, type] of OPERATORS) {
      await owner.query(`create or replace function planter.compared(${type}, ${type}) returns boolean ${body}`);
      await owner.query(
        `create operator planter.${operator} (leftarg = ${type}, rightarg = ${type}, function = planter.compared)`,
      );
    }
    await owner.query('reset role');
    await owner.query('grant usage on schema planter to dashboard');
  });

  test.each([
    SCORE,
    'select severity, id from guardduty_finding order by 2',
    `select e.event_id, a.abuse_confidence_score from cloudtrail_trail_event e
       join abuseipdb_check_ip a on a.ip_address = e.source_ip where e.event_name = 'CreateUser'`,
    `select a.country_code from (values ('${KNOWN}'::inet)) as v(ip) left join abuseipdb_check_ip a on a.ip_address = v.ip`,
    `with recursive r(ip, n) as (select '${KNOWN}'::inet, 1::smallint union all
       select a.ip_address, 2::smallint from r join abuseipdb_check_ip a on a.ip_address = r.ip where n = 1::smallint)
     select host_of from (select pg_catalog.host(ip) as host_of from r) as s`,
  ])('change no answer: %s', async (statement) => {
    for (const client of [owner, reader]) {
      const expected = sorted(await textRows(client, statement));
      expect(expected.length).toBeGreaterThan(0);
      await client.query('begin; set local search_path = public, planter');
      expect(sorted(await textRows(client, statement))).toEqual(expected);
      // Where they come first, no equality is known to be PostgreSQL's own: it bounds no key.
      await client.query('set local search_path = planter, pg_catalog, public');
      if (statement.includes('abuseipdb')) {
        expect(await failure(textRows(client, statement))).toMatchObject({ code: 'HV002' });
      } else {
        expect(sorted(await textRows(client, statement))).toEqual(expected);
      }
      await client.query('rollback');
    }
  });
});

describe('afterwards', () => {
  test('everybody is served as before', async () => {
    for (const client of [owner, admin, reader]) expect(await textRows(client, SCORE)).toHaveLength(1);
    expect(await failure(stranger.query(SCORE))).toMatchObject({ code: '42501' });
  });
});
