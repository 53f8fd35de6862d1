import { quoteIdent } from '../../sql/substitute.ts';
import { TrailhoundError } from '../../kernel/errors.ts';
import type { Hunt } from '../hunt.ts';
import type { SqlClient } from '../sql-client.ts';
import type { ResultField, ResultRow } from '../text-query.ts';

/** In one statement; hunts have wide rows. */
const ROWS_AT_ONCE = 1_000;

/** After the hunt's own columns. */
const OWN_COLUMNS = [
  { name: 'refreshed_at', type: 'pg_catalog.timestamptz' },
  { name: 'failing_since', type: 'pg_catalog.timestamptz' },
  { name: 'failure', type: 'pg_catalog.text' },
] as const;

interface Column {
  readonly name: string;
  /** Qualified and quoted. */
  readonly type: string;
}

export function tableName(name: string): string {
  return `hunt.${quoteIdent(name)}`;
}

/**
 * The rows of a hunt on their way into its table, in a transaction of `client`: who reads the table sees those of the run
 * before until `commit`, and no lock of ours. Where nothing is committed, nothing has changed.
 */
export class ResultTable {
  rows = 0;
  readonly #client: SqlClient;
  readonly #name: string;
  readonly #columns: readonly Column[];
  readonly #refreshedAt: string;

  private constructor(client: SqlClient, name: string, columns: readonly Column[], refreshedAt: string) {
    this.#client = client;
    this.#name = name;
    this.#columns = columns;
    this.#refreshedAt = refreshedAt;
  }

  /** Makes the table; anew where the hunt has other columns than before. */
  static async begin(
    client: SqlClient,
    name: string,
    fields: readonly ResultField[],
    refreshedAt: string,
  ): Promise<ResultTable> {
    const columns = await columnsOf(client, fields);
    await client.rows('begin');
    const existing = await existingColumns(client, name);
    const wanted = [...columns, ...OWN_COLUMNS].map((column) => `${quoteIdent(column.name)} ${column.type}`);
    if (existing.join() === wanted.join()) await client.rows(`delete from ${tableName(name)}`);
    else {
      const grants = await grantsOn(client, name);
      if (existing.length > 0) await client.rows(`drop table ${tableName(name)}`);
      await client.rows(`create table ${tableName(name)} (${wanted.join(', ')})`);
      for (const grant of grants) await client.rows(grant);
    }
    return new ResultTable(client, name, columns, refreshedAt);
  }

  async add(rows: readonly ResultRow[]): Promise<void> {
    const names = [...this.#columns.map(({ name }) => quoteIdent(name)), 'refreshed_at'].join(', ');
    const values = this.#columns.map(({ type }, index) => `(r.value operator(pg_catalog.->>) ${index})::${type}`);
    for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
      const some = rows.slice(from, from + ROWS_AT_ONCE);
      await this.#client.rows(
        `insert into ${tableName(this.#name)} (${names})
         select ${[...values, '$2::pg_catalog.timestamptz'].join(', ')} from pg_catalog.json_array_elements($1::pg_catalog.json) r`,
        [JSON.stringify(some), this.#refreshedAt],
      );
      this.rows += some.length;
    }
  }

  /** Those who may read all that the hunt reads may read its rows, too. */
  async commit(hunt: Hunt): Promise<void> {
    const client = this.#client;
    await grantToReaders(client, this.#name, hunt);
    await describe(client, this.#name, `Rows of hunt ${hunt.id}, refreshed at ${this.#refreshedAt}`);
    await client.rows(
      `update trailhound.hunt_refresh
       set refreshed_at = $2::pg_catalog.timestamptz, rows = $3::pg_catalog.int8, failure = null, failing_since = null
       where name = $1`,
      [this.#name, this.#refreshedAt, `${this.rows}`],
    );
    await client.rows('commit');
  }
}

/** The rows stay, and say that they are old. `client` is in no transaction. */
export async function markOld(client: SqlClient, name: string, hunt: Hunt, failure: string): Promise<void> {
  await client.rows('begin');
  const [row] = await client.rows(
    // Somebody may have dropped the table, whose rows are gone then.
    `update trailhound.hunt_refresh set failure = $2, failing_since = coalesce(failing_since, now()),
       refreshed_at = case when pg_catalog.to_regclass($3) is not null then refreshed_at end,
       rows = case when pg_catalog.to_regclass($3) is not null then rows end
     where name = $1
     returning failing_since::text, refreshed_at::text`,
    [name, failure, tableName(name)],
  );
  if (row?.[0] && row[1]) {
    await client.rows(
      `update ${tableName(name)} set failing_since = $1::pg_catalog.timestamptz, failure = $2
       where failure is distinct from $2`,
      [row[0], failure],
    );
    await describe(client, name, `Rows of hunt ${hunt.id}, old: refreshed at ${row[1]}, failing since ${row[0]}`);
  }
  await client.rows('commit');
}

/** Comments are for everybody to read: they hold nothing of a message. */
async function describe(client: SqlClient, name: string, text: string): Promise<void> {
  await client.rows(`comment on table ${tableName(name)} is '${text.replaceAll("'", "''")}'`);
}

async function columnsOf(client: SqlClient, fields: readonly ResultField[]): Promise<readonly Column[]> {
  const names = new Set([...fields.map(({ name }) => name), ...OWN_COLUMNS.map(({ name }) => name)]);
  if (names.size < fields.length + OWN_COLUMNS.length) {
    throw new TrailhoundError('configuration', 'two columns of the hunt have one name, or one that its table adds', {
      detail: `A table adds ${OWN_COLUMNS.map(({ name }) => name).join(', ')}.`,
      hint: 'Give each column of the hunt a name of its own.',
    });
  }
  const types = await client.rows(
    // What no table can have is text.
    `select case when t.typtype = 'p' then 'pg_catalog.text' else pg_catalog.format('%I.%I', n.nspname, t.typname) end
     from pg_catalog.unnest($1::pg_catalog.oid[]) with ordinality f (oid, n)
       join pg_catalog.pg_type t on t.oid = f.oid join pg_catalog.pg_namespace n on n.oid = t.typnamespace
     order by f.n`,
    [`{${fields.map(({ typeOid }) => typeOid).join(',')}}`],
  );
  return fields.map(({ name }, index) => ({ name, type: types[index]?.[0] ?? 'pg_catalog.text' }));
}

async function existingColumns(client: SqlClient, name: string): Promise<readonly string[]> {
  const rows = await client.rows(
    `select a.attname, pg_catalog.format('%I.%I', n.nspname, t.typname)
     from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
       join pg_catalog.pg_namespace n on n.oid = t.typnamespace
     where a.attrelid = pg_catalog.to_regclass($1) and a.attnum > 0 and not a.attisdropped
     order by a.attnum`,
    [tableName(name)],
  );
  return rows.map(([column, type]) => `${quoteIdent(column ?? '')} ${type}`);
}

/** As statements: what is granted on the table as a whole, but to its owner. */
async function grantsOn(client: SqlClient, name: string): Promise<readonly string[]> {
  const rows = await client.rows(
    `select pg_catalog.format('grant %s on %s to %s%s', a.privilege_type, $1::pg_catalog.text,
       case when a.grantee = 0 then 'public' else pg_catalog.quote_ident(r.rolname) end,
       case when a.is_grantable then ' with grant option' else '' end)
     from pg_catalog.pg_class c cross join lateral pg_catalog.aclexplode(c.relacl) a
       left join pg_catalog.pg_roles r on r.oid = a.grantee
     where c.oid = pg_catalog.to_regclass($1) and a.grantee <> c.relowner and (a.grantee = 0 or r.rolname is not null)`,
    [tableName(name)],
  );
  return rows.map(([grant]) => grant ?? '');
}

async function grantToReaders(client: SqlClient, name: string, hunt: Hunt): Promise<void> {
  const own = await client.rows(`select pg_catalog.unnest(readers) from trailhound.hunt_refresh where name = $1`, [
    name,
  ]);
  const readers = await client.rows(
    // To whom SELECT is granted on each of them as a whole.
    `select case when a.grantee = 0 then 'public' else pg_catalog.quote_ident(r.rolname) end
     from pg_catalog.unnest($1::pg_catalog.text[]) t (name)
       join pg_catalog.pg_class c on c.oid = pg_catalog.to_regclass('public.' || pg_catalog.quote_ident(t.name))
       cross join lateral pg_catalog.aclexplode(c.relacl) a left join pg_catalog.pg_roles r on r.oid = a.grantee
     where a.privilege_type = 'SELECT' and (a.grantee = 0 or r.rolname <> current_user and not r.rolsuper)
     group by a.grantee, r.rolname having count(distinct t.name) = $2::pg_catalog.int8
     order by 1`,
    [`{${hunt.tables.map((table) => JSON.stringify(table)).join(',')}}`, `${new Set(hunt.tables).size}`],
  );
  const wanted = readers.map(([role]) => role ?? '');
  const gone = own.map(([role]) => role ?? '').filter((role) => !wanted.includes(role));
  const existing = await client.rows(
    `select pg_catalog.quote_ident(rolname) from pg_catalog.pg_roles union all select 'public'`,
  );
  for (const role of gone.filter((one) => existing.some(([known]) => known === one)))
    await client.rows(`revoke select on ${tableName(name)} from ${role}`);
  if (wanted.length > 0) await client.rows(`grant select on ${tableName(name)} to ${wanted.join(', ')}`);
  await client.rows(
    'update trailhound.hunt_refresh set readers = array(select pg_catalog.jsonb_array_elements_text($2::jsonb)) where name = $1',
    [name, JSON.stringify(wanted)],
  );
}
