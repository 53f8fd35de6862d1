import type { SqlClient } from '../hunts/sql-client.ts';
import { createRowWriter } from './output/create-row-writer.ts';

const TEXT = 25;

/** What may be named without a schema, but for PostgreSQL's own. */
export async function listRelations(client: SqlClient): Promise<string> {
  const rows = await client.rows(`
    select n.nspname, c.relname,
      case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table' end,
      split_part(pg_catalog.obj_description(c.oid, 'pg_class'), E'\\n', 1)
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname = any (pg_catalog.current_schemas(false))
    order by pg_catalog.array_position(pg_catalog.current_schemas(false), n.nspname), c.relname`);
  return table(['schema', 'name', 'type', 'what it holds'], rows);
}

export async function describeRelation(client: SqlClient, name: string): Promise<string> {
  const rows = await client.rows(
    `select a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), pg_catalog.col_description(a.attrelid, a.attnum)
     from pg_catalog.pg_attribute a
     where a.attrelid = $1::pg_catalog.regclass and a.attnum > 0 and not a.attisdropped
     order by a.attnum`,
    [name],
  );
  return table(['column', 'type', 'what it holds'], rows);
}

function table(names: readonly string[], rows: readonly (readonly (string | null)[])[]): string {
  const writer = createRowWriter('table', { toTerminal: true });
  return writer.begin(names.map((name) => ({ name, typeOid: TEXT }))) + writer.rows(rows) + writer.end();
}
