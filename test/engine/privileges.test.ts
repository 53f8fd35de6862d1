import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/engine/open.ts';
import { withPoolClient, type PoolClient } from '../../src/engine/pool.ts';
import { setUpSchema } from '../../src/engine/schema.ts';
import { removeTemporaryDirectories, temporaryDirectory } from './support/temporary-directory.ts';

let engine: Engine;

beforeAll(async () => {
  engine = await openEngine({
    dataDir: await temporaryDirectory(),
    database: 'trailhound',
    maxClients: 5,
    poolSize: 2,
  });
  await setUpSchema(engine, { password: 'x' });
});
afterAll(async () => {
  await engine.close();
  await removeTemporaryDirectories();
});

/** Runs as another role would, with the settings that the role gets when it logs in; nothing of it stays. */
async function as<T>(role: string, use: (client: PoolClient) => Promise<T>): Promise<T> {
  return withPoolClient(engine.pool, async (client) => {
    await client.query('begin');
    await client.query(
      `select set_config(split_part(c, '=', 1), substr(c, position('=' in c) + 1), true)
       from (select c from pg_db_role_setting, unnest(setconfig) c
             where setrole = 0 or setrole = $1::regrole order by setrole) settings`,
      [role],
    );
    await client.query(`set local session authorization ${role}`);
    try {
      return await use(client);
    } finally {
      await client.query('rollback');
    }
  });
}

const refused = { code: '42501' };

describe('the wrapper', () => {
  const ATTACK = [
    `create server evil foreign data wrapper trailhound options (host '/somewhere/run', dbname 'trailhound')`,
    `create user mapping for current_user server evil options (user 'postgres', password_required 'false')`,
    `create foreign table workspace.stolen (rolname name, rolpassword text)
       server evil options (schema_name 'pg_catalog', table_name 'pg_authid')`,
    `select * from workspace.stolen`,
  ];

  it('gives nobody the right to use it or its server', async () => {
    const { rows } = await engine.pool.query(
      `select r.rolname from pg_roles r where not r.rolsuper and (
         has_foreign_data_wrapper_privilege(r.oid, 'trailhound', 'usage') or has_server_privilege(r.oid, 'trailhound', 'usage'))`,
    );
    expect(rows).toEqual([]);
    await expect(as('trailhound', (client) => client.query(ATTACK[0] ?? ''))).rejects.toMatchObject(refused);
  });

  it('lets no role connect anywhere, were it granted the right to use the wrapper', async () => {
    await engine.pool.query('grant usage on foreign data wrapper trailhound, postgres_fdw to trailhound');
    try {
      await expect(as('trailhound', (client) => client.query(ATTACK[0] ?? ''))).rejects.toMatchObject({
        ...refused,
        message: 'permission denied to set option "host"',
      });
      // Each later step by itself, the earlier ones without what was refused.
      for (const option of ['password_required', 'user', 'password', 'sslkey']) {
        const mapping = `create user mapping for current_user server evil options (${option} 'false')`;
        await expect(
          as('trailhound', async (client) => {
            await client.query('create server evil foreign data wrapper trailhound');
            await client.query(mapping);
          }),
        ).rejects.toMatchObject(refused);
      }
      await expect(
        as('trailhound', async (client) => {
          await client.query('create server evil foreign data wrapper trailhound');
          await client.query(`create foreign table stolen (rolname name) server evil options (table_name 'pg_authid')`);
        }),
      ).rejects.toMatchObject(refused);
      for (const option of ['extensions', 'options', 'passfile', 'application_name', 'dbname', 'port']) {
        await expect(
          as('trailhound', (client) =>
            client.query(`create server evil foreign data wrapper trailhound options (${option} 'x')`),
          ),
        ).rejects.toMatchObject(refused);
      }
      // What is left of the attack: a server without options, for which libpq's defaults would have to do.
      await expect(
        as('trailhound', async (client) => {
          await client.query('create server evil foreign data wrapper trailhound');
          await client.query('create user mapping for current_user server evil');
          await client.query('create foreign table stolen (rolname name) server evil');
          await client.query('select * from stolen');
        }),
      ).rejects.toMatchObject({ code: '2F003' });
    } finally {
      await engine.pool.query('revoke usage on foreign data wrapper trailhound, postgres_fdw from trailhound');
    }
  });

  it('lets no role change a server that a superuser made', async () => {
    await engine.pool.query(`create server lent foreign data wrapper trailhound options (host '/nowhere')`);
    try {
      await engine.pool.query('alter server lent owner to postgres; grant usage on foreign server lent to trailhound');
      await expect(
        as('trailhound', (client) =>
          client.query(`create user mapping for current_user server lent options (password_required 'false')`),
        ),
      ).rejects.toMatchObject(refused);
    } finally {
      await engine.pool.query('drop server lent');
    }
  });

  it.each([
    [`create foreign table workspace.t (a int) server trailhound options (colour 'red')`, 'HV00D'],
    [`create foreign table workspace.t (a int) server trailhound options (kind 'both')`, 'HV024'],
    [`create foreign table workspace.t (a int) server trailhound options (ttl 'soon')`, 'HV024'],
    [`create foreign table workspace.t (a int options (operators '=,~')) server trailhound`, 'HV024'],
    [`create foreign table workspace.t (a int options (key 'maybe')) server trailhound`, 'HV024'],
  ])('knows its options: %s', async (sql, code) => {
    await expect(engine.pool.query(sql)).rejects.toMatchObject({ code });
  });
});

describe('the role trailhound', () => {
  it('is no superuser and may make roles', async () => {
    const { rows } = await engine.pool.query(
      `select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolcanlogin from pg_roles where rolname = 'trailhound'`,
    );
    expect(rows).toEqual([
      {
        rolsuper: false,
        rolcreaterole: true,
        rolcreatedb: false,
        rolreplication: false,
        rolbypassrls: false,
        rolcanlogin: true,
      },
    ]);
  });

  it('may select from every view and pass that on', async () => {
    const { rows } = await engine.pool.query<{ view: string }>(
      `select oid::regclass::text as view from pg_class
       where relkind = 'v' and relnamespace in ('public'::regnamespace, 'steampipe'::regnamespace)
         and not has_table_privilege('trailhound', oid, 'select with grant option')`,
    );
    expect(rows).toEqual([]);
    await as('trailhound', async (client) => {
      await client.query(
        'create role analyst; grant select on public.cloudtrail_trail_event to analyst; set local role analyst',
      );
      await expect(client.query('select count(*) from public.guardduty_finding')).rejects.toMatchObject(refused);
    });
  });

  it('makes tables, views and functions, first of all in its own schema', async () => {
    await as('trailhound', async (client) => {
      await client.query(`create table notes as select 1 as n; create table public.shared as select 2 as n;
        create view seen as select event_name from cloudtrail_trail_event;
        create function twice(int) returns int language sql return 2 * $1`);
      const { rows } = await client.query(
        `select 'notes'::regclass::text as notes, (select relnamespace::regnamespace::text from pg_class where oid = 'notes'::regclass) as home,
                'aws_cloudtrail_trail_event'::regclass is not null as steampipe, twice(21) as answer`,
      );
      expect(rows).toEqual([{ notes: 'notes', home: 'workspace', steampipe: true, answer: 42 }]);
    });
  });

  it('becomes the roles that it makes, and none above itself', async () => {
    await as('trailhound', async (client) => {
      await client.query(`create role analyst in role trailhound_reader; set local role analyst`);
      await client.query('set local role none');
      await expect(client.query('create role above superuser')).rejects.toMatchObject(refused);
    });
    const { rows } = await engine.pool.query(
      `select c from pg_db_role_setting, unnest(setconfig) c where setrole = 'trailhound'::regrole and c like 'createrole%'`,
    );
    expect(rows).toEqual([{ c: 'createrole_self_grant=set, inherit' }]);
  });

  it('may set what Trailhound reads, for itself and for its roles', async () => {
    await as('trailhound', async (client) => {
      await client.query(`set local trailhound.sources = 'cache'`);
      await client.query(`create role dashboard; alter role dashboard set trailhound.sources = 'cache'`);
      await expect(client.query(`alter role dashboard set trailhound.unheard_of = '1'`)).rejects.toMatchObject(refused);
    });
  });

  it.each([
    'select * from trailhound.key_cache',
    'select * from trailhound.scan_entry',
    'select * from trailhound.installation',
    'select * from source.abuseipdb_check_ip',
    'create table trailhound.mine (n int)',
    'create table trailhound_rows.mine (n int)',
    'create view public.abuseipdb_check_ip2 as select * from source.abuseipdb_check_ip',
    'create or replace view public.abuseipdb_check_ip as select 1 as ip_address',
    'drop view public.abuseipdb_check_ip',
  ])('may not: %s', async (sql) => {
    await expect(as('trailhound', (client) => client.query(sql))).rejects.toMatchObject(refused);
  });
});

describe('the role trailhound_reader', () => {
  it('selects, and makes nothing', async () => {
    const { rows } = await engine.pool.query(
      `select has_table_privilege('trailhound_reader', 'public.guardduty_finding', 'select') as selects,
              has_table_privilege('trailhound_reader', 'public.guardduty_finding', 'select with grant option') as grants,
              has_table_privilege('trailhound_reader', 'steampipe.abuseipdb_check_ip', 'select') as steampipe,
              has_schema_privilege('trailhound_reader', 'public', 'create') as creates,
              has_schema_privilege('trailhound_reader', 'workspace', 'usage') as enters`,
    );
    expect(rows).toEqual([{ selects: true, grants: false, steampipe: true, creates: false, enters: false }]);
  });

  it.each([
    ['dropped', 'drop owned by trailhound_reader; drop role trailhound_reader'],
    ['changed', `alter role trailhound_reader login createrole`],
    ['robbed of what it may', 'drop owned by trailhound_reader'],
  ])('is as it was at the next start, where it was %s', async (_, sql) => {
    await engine.pool.query(sql);
    await setUpSchema(engine, { password: 'x' });
    const { rows } = await engine.pool.query(
      `select rolcanlogin or rolcreaterole as more, has_table_privilege(oid, 'public.guardduty_finding', 'select') as selects
         from pg_roles where rolname = 'trailhound_reader'`,
    );
    expect(rows).toEqual([{ more: false, selects: true }]);
  });
});

describe('functions with the rights of their owner', () => {
  it('find nothing in the place of a relation or a type of the catalog', async () => {
    await as('trailhound', async (client) => {
      await client.query(`
        create function public.seize() returns boolean language plpgsql as $$
        begin
          if current_user <> 'trailhound' then raise exception 'seized by %', current_user; end if;
          return true;
        end $$;
        create domain pg_temp.name as pg_catalog.name check (public.seize());
        create temp view pg_class as select c.* from pg_catalog.pg_class c where (select public.seize());
        create temp view pg_roles as select r.* from pg_catalog.pg_roles r where (select public.seize());
        create temp view pg_auth_members as select m.* from pg_catalog.pg_auth_members m where (select public.seize());
        grant select on pg_class, pg_roles, pg_auth_members to public`);
      const calls = [
        `select trailhound.cache_clear('abuseipdb_check_ip')`,
        `select trailhound.forget_rows_of('trailhound')`,
        `select trailhound.make_schema_of('trailhound_reader')`,
      ];
      for (const call of calls) await client.query(call);
    });
  });

  it('name the schema of temporary objects last, which PostgreSQL would look into first', async () => {
    const { rows } = await engine.pool.query(
      `select p.oid::regprocedure as function, c as path
       from pg_proc p join pg_namespace n on n.oid = p.pronamespace left join unnest(p.proconfig) c on c like 'search_path=%'
       where n.nspname not in ('pg_catalog', 'information_schema') and (p.prosecdef or c is not null)
         and c is distinct from 'search_path=pg_catalog, pg_temp'`,
    );
    expect(rows).toEqual([]);
  });
});

describe('everybody', () => {
  it('finds the views and, last, those of Steampipe on the default search_path', async () => {
    const { rows } = await engine.pool.query(
      `select c from pg_db_role_setting, unnest(setconfig) c where setrole = 0 and c not like 'trailhound.%'`,
    );
    expect(rows).toEqual([{ c: 'search_path="$user", public, steampipe' }]);
  });

  it('reads the default of every setting', async () => {
    const { rows } = await engine.pool.query(
      `select json_object_agg(split_part(c, '=', 1), split_part(c, '=', 2)) as settings
       from pg_db_role_setting, unnest(setconfig) c where setrole = 0 and c like 'trailhound.%'`,
    );
    expect(rows).toEqual([
      {
        settings: {
          'trailhound.cache': 'on',
          'trailhound.cache_max_age': '',
          'trailhound.sources': 'live',
          'trailhound.max_lookups': '250',
          'trailhound.concurrency': '16',
          'trailhound.partial': 'off',
          'trailhound.progress': 'off',
        },
      },
    ]);
  });

  it('sees no virtual table without a grant', async () => {
    await engine.pool.query('create role stranger');
    await expect(
      as('stranger', (client) => client.query('select * from public.abuseipdb_check_ip')),
    ).rejects.toMatchObject(refused);
    await engine.pool.query('drop role stranger');
  });
});
