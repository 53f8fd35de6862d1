import type { Catalog, Column, KeyKind, Operator, ViewColumn, VirtualTable, VirtualView } from './table.ts';
import { passedThrough } from './passed-through.ts';

/** As much of the engine's pool as is needed here: search_path pg_catalog, superuser. */
export interface Queryable {
  query(sql: string): Promise<{ readonly rows: unknown[] }>;
}

/**
 * Reads the virtual tables and their views as the database has them. Schemas: `source`, `public`, `steampipe`.
 *
 * @param oids of tables: these alone. Reading the definition of a view waits for who has it locked.
 */
export async function loadCatalog(pool: Queryable, oids?: readonly number[]): Promise<Catalog> {
  const only = (column: string) =>
    oids === undefined ? 'true' : `${column} in (${['0', ...oids.map(String)].join(', ')})`;
  const { rows: tableRows } = (await pool.query(tablesWhere(only('c.oid')))) as { rows: TableRow[] };
  const tables = tableRows.map(toTable);
  const tableByOid = new Map(tables.map((table) => [table.oid, table]));
  const { rows: viewRows } = (await pool.query(viewsWhere(only('used.oid')))) as { rows: ViewRow[] };
  const views = viewRows.flatMap((row) => {
    const table = tableByOid.get(row.table_oid);
    return table === undefined ? [] : [toView(row, table)];
  });
  const viewByOid = new Map(views.map((view) => [view.oid, view]));
  return {
    tables,
    views,
    viewByOid: (oid) => viewByOid.get(oid),
    tableByOid: (oid) => tableByOid.get(oid),
  };
}

interface ColumnRow {
  readonly name: string;
  readonly attnum: number;
  readonly type: string;
  readonly type_oid: number;
  readonly not_null: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly comment: string | null;
}

interface TableRow {
  readonly oid: number;
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
  readonly ttl_ms: number;
  readonly comment: string | null;
  readonly columns: readonly ColumnRow[];
}

interface ViewRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly table_oid: number;
  readonly definition: string;
  readonly columns: readonly ColumnRow[];
}

/** OIDs are unsigned: as bigint they stay positive in JSON and in pg. */
const COLUMNS = `(
  select json_agg(json_build_object(
    'name', a.attname, 'attnum', a.attnum, 'type', format_type(a.atttypid, a.atttypmod), 'type_oid', a.atttypid::bigint,
    'not_null', a.attnotnull, 'comment', col_description(a.attrelid, a.attnum),
    'options', (select coalesce(json_object_agg(option_name, option_value), '{}') from pg_options_to_table(a.attfdwoptions))
  ) order by a.attnum)
  from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)`;

const tablesWhere = (condition: string) => `
  select c.oid::bigint::float8 as oid, c.relname as name, options.of as options,
         (1000 * extract(epoch from coalesce(options.of ->> 'ttl', '0')::interval))::float8 as ttl_ms,
         obj_description(c.oid, 'pg_class') as comment, ${COLUMNS} as columns
  from pg_class c
    join pg_foreign_table t on t.ftrelid = c.oid
    cross join lateral (
      select coalesce(json_object_agg(option_name, option_value), '{}') as of from pg_options_to_table(t.ftoptions)) options
  where c.relnamespace = 'source'::regnamespace and ${condition}
  order by c.relname`;

/** Views whose only relation is a virtual table; what users made in these schemas over several is not among them. */
const viewsWhere = (condition: string) => `
  select c.oid::bigint::float8 as oid, n.nspname as schema, c.relname as name, used.oid::bigint::float8 as table_oid,
         pg_get_viewdef(c.oid) as definition, ${COLUMNS} as columns
  from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_rewrite r on r.ev_class = c.oid and r.rulename = '_RETURN'
    cross join lateral (
      select min(d.refobjid::bigint)::oid as oid, count(distinct d.refobjid) as relations
      from pg_depend d
      where d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
        and d.refobjid <> c.oid) used
    join pg_class source on source.oid = used.oid and source.relnamespace = 'source'::regnamespace
  where c.relkind = 'v' and n.nspname in ('public', 'steampipe') and used.relations = 1
    and c.relowner = source.relowner and ${condition}
  order by n.nspname, c.relname`;

function toTable(row: TableRow): VirtualTable {
  return {
    schema: 'source',
    name: row.name,
    oid: row.oid,
    source: row.options.source ?? '',
    kind: row.options.kind === 'lookup' ? 'lookup' : 'scan',
    size: row.options.size === 'large' ? 'large' : undefined,
    ttlMs: row.ttl_ms,
    columns: row.columns.map(toColumn),
    comment: row.comment ?? '',
  };
}

function toColumn(row: ColumnRow): Column {
  const { options } = row;
  return {
    name: row.name,
    attnum: row.attnum,
    type: row.type,
    typeOid: row.type_oid,
    notNull: row.not_null,
    path: options.path,
    expression: options.expression,
    // Both are checked by trailhound.valid_options when a table is declared.
    key: options.key as KeyKind | undefined,
    operators: (options.operators?.split(',') ?? []) as Operator[],
    defaultValue: options.default,
    comment: row.comment ?? '',
  };
}

function toView(row: ViewRow, table: VirtualTable): VirtualView {
  const passed = passedThrough(
    row.definition,
    table.columns.map(({ name }) => name),
  );
  return {
    schema: row.schema,
    name: row.name,
    oid: row.oid,
    table,
    definition: row.definition,
    columns: row.columns.map((column, index): ViewColumn => {
      const name = passed[index];
      return {
        name: column.name,
        attnum: column.attnum,
        type: column.type,
        typeOid: column.type_oid,
        column: name === undefined ? undefined : table.columns.find((candidate) => candidate.name === name),
      };
    }),
  };
}
