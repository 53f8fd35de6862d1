import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDemo, type RunningDemo } from './support/demo.ts';
import { pgjdbc, pgxSimple, postgresFdw, psycopg2, type Connect } from './support/drivers.ts';

let demo: RunningDemo;
beforeAll(async () => {
  demo = await startDemo();
});
afterAll(() => demo.close());

const names = (rows: readonly (readonly (string | null)[])[]) => rows.map(([name]) => name);
const OURS = ['abuseipdb_check_ip', 'cloudtrail_trail_event', 'guardduty_finding'];

/** What services have been asked in all. */
async function calls(): Promise<number> {
  const { rows } = await demo.ask(pgxSimple, 'select coalesce(sum(calls), 0) from trailhound.scan');
  return Number(rows[0]?.[0]);
}

/** What each sends when somebody connects: catalogs and settings, nothing of ours. */
const ON_CONNECTING: readonly (readonly [client: string, connect: Connect, statements: readonly string[]])[] = [
  [
    'Metabase',
    pgjdbc,
    [
      `SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ UNCOMMITTED`,
      `SHOW TRANSACTION ISOLATION LEVEL`,
      `show timezone`,
      `select t.schemaname, t.objectname,
         pg_catalog.has_any_column_privilege(current_user, format('%I.%I', t.schemaname, t.objectname), 'select') as "select",
         pg_catalog.has_table_privilege(current_user, format('%I.%I', t.schemaname, t.objectname), 'delete') as "delete"
       from (select schemaname, tablename as objectname from pg_catalog.pg_tables
             union select schemaname, viewname from pg_catalog.pg_views
             union select schemaname, matviewname from pg_catalog.pg_matviews) t
       where t.schemaname !~ '^pg_' and pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage')`,
      `SELECT TRUE FROM "public"."abuseipdb_check_ip" WHERE 1 <> 1 LIMIT 0`,
    ],
  ],
  [
    'DBeaver',
    pgjdbc,
    [
      `SET application_name = 'DBeaver 25.1.5 - Main <trailhound>'`,
      `SELECT current_schema(),session_user`,
      `SHOW search_path`,
      `SELECT db.oid,db.* FROM pg_catalog.pg_database db WHERE datallowconn AND NOT datistemplate ORDER BY db.datname`,
      `select * from pg_catalog.pg_settings where name='standard_conforming_strings'`,
      `SELECT * FROM pg_catalog.pg_enum WHERE 1<>1 LIMIT 1`,
    ],
  ],
  [
    'Superset',
    psycopg2,
    [
      `SELECT t.oid, typarray FROM pg_type t JOIN pg_namespace ns ON typnamespace = ns.oid WHERE typname = 'hstore'`,
      `select pg_catalog.version()`,
      `select current_schema()`,
      `show transaction isolation level`,
      `show standard_conforming_strings`,
      `EXPLAIN SELECT * FROM public.cloudtrail_trail_event LIMIT 10`,
    ],
  ],
  [
    'Power BI',
    pgxSimple,
    [
      `SELECT ns.nspname, a.typname, a.oid, a.typrelid, a.typbasetype,
         CASE WHEN pg_proc.proname = 'array_recv' THEN 'a' ELSE a.typtype END AS type
       FROM pg_type AS a JOIN pg_namespace AS ns ON ns.oid = a.typnamespace
       JOIN pg_proc ON pg_proc.oid = a.typreceive LEFT JOIN pg_range ON pg_range.rngtypid = a.oid`,
      `SELECT version(); SELECT current_setting('max_index_keys'); SELECT typname FROM pg_type WHERE typtype = 'e'`,
      `DISCARD ALL`,
      `SET SESSION AUTHORIZATION DEFAULT;RESET ALL;CLOSE ALL;UNLISTEN *;SELECT pg_advisory_unlock_all();DISCARD SEQUENCES;DISCARD TEMP`,
    ],
  ],
  [
    'postgres_fdw',
    postgresFdw,
    [`SELECT relname, relkind FROM pg_catalog.pg_class WHERE oid = 'public.guardduty_finding'::pg_catalog.regclass`],
  ],
];

test.each(ON_CONNECTING)('%s connects, and asks no service', async (_client, connect, statements) => {
  const before = await calls();
  await demo.ask(connect, ...statements);
  expect(await calls()).toBe(before);
});

/** How each lists tables. */
const LISTS: readonly (readonly [client: string, connect: Connect, statement: string])[] = [
  [
    'Metabase',
    pgjdbc,
    `SELECT "c"."relname", "n"."nspname" AS "schema", "d"."description", "stat"."n_live_tup"
     FROM "pg_catalog"."pg_class" AS "c" INNER JOIN "pg_catalog"."pg_namespace" AS "n" ON "c"."relnamespace" = "n"."oid"
     LEFT JOIN "pg_catalog"."pg_description" AS "d" ON ("c"."oid" = "d"."objoid") AND ("d"."objsubid" = '0')
     LEFT JOIN "pg_stat_user_tables" AS "stat" ON ("n"."nspname" = "stat"."schemaname") AND ("c"."relname" = "stat"."relname")
     WHERE c.relkind in ('r', 'p', 'v', 'f', 'm') AND ("n"."nspname" IN ('public')) ORDER BY 1`,
  ],
  [
    'Superset',
    psycopg2,
    `SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND c.relkind in ('v', 'm')`,
  ],
  [
    'Power BI',
    pgxSimple,
    `select TABLE_NAME, TABLE_TYPE from INFORMATION_SCHEMA.tables
     where TABLE_SCHEMA not in ('information_schema', 'pg_catalog') order by TABLE_SCHEMA, TABLE_NAME`,
  ],
  [
    'postgres_fdw',
    postgresFdw,
    `SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull
     FROM pg_class c JOIN pg_namespace n ON relnamespace = n.oid
     LEFT JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
     WHERE c.relkind IN ('r','v','f','m','p') AND n.nspname = 'public' ORDER BY c.relname, a.attnum`,
  ],
];

test.each(LISTS)('%s finds our tables', async (_client, connect, statement) => {
  expect(names((await demo.ask(connect, statement)).rows)).toEqual(expect.arrayContaining(OURS));
});

const JOIN = `
  select e.event_id, a.abuse_confidence_score
  from public.cloudtrail_trail_event e
  join public.abuseipdb_check_ip a on a.ip_address operator(pg_catalog.=) e.source_ip
  where e.event_name = 'CreateUser'`;

test.each([
  ['pgjdbc (Metabase, DBeaver, Tableau)', pgjdbc],
  ['psycopg2 (Superset)', psycopg2],
  ['postgres_fdw', postgresFdw],
])('a join on a key gives %s the rows that it gives psql', async (_client, connect) => {
  const sorted = async (through: Connect) => (await demo.ask(through, JOIN)).rows.map(String).sort();
  const expected = await sorted(pgxSimple);
  expect(expected.length).toBeGreaterThan(1);
  expect(await sorted(connect)).toEqual(expected);
});

describe('what Metabase does in the background', () => {
  const SAMPLE = `SELECT "public"."abuseipdb_check_ip"."ip_address", "public"."abuseipdb_check_ip"."abuse_confidence_score"
    FROM "public"."abuseipdb_check_ip" LIMIT 10000`;

  test('a sample of a table that needs a key is refused before any call', async () => {
    const before = await calls();
    await expect(demo.ask(pgjdbc, SAMPLE)).rejects.toMatchObject({ code: 'HV002' });
    expect(await calls()).toBe(before);
  });

  test('a sample of another one calls nothing for a role whose sources are off', async () => {
    const before = await calls();
    const { rows } = await demo.ask(
      pgjdbc,
      'set trailhound.sources = off',
      `SELECT "public"."guardduty_finding"."id", "public"."guardduty_finding"."title" FROM "public"."guardduty_finding" LIMIT 10000`,
    );
    expect(rows).toEqual([]);
    expect(await calls()).toBe(before);
  });
});

test('a REPEATABLE READ READ ONLY transaction, as reporting tools open it, sees rows that are fetched in it', async () => {
  const { rows } = await demo.ask(
    pgjdbc,
    'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
    'select 1',
    `select count(*) > 0 from cloudtrail_trail_event where event_name = 'CreateUser'`,
  );
  expect(rows).toEqual([['t']]);
});
