import type { Field } from './backend.ts';

/** pg_type's oids of text, varchar, char(n), and of arrays of them. */
const TEXTS: ReadonlySet<number> = new Set([25, 1043, 1042, 1009, 1015, 1014]);
/** Types that are no part of PostgreSQL begin here (FirstNormalObjectId). */
const FIRST_OWN_OID = 16_384;

/**
 * A query of one row: for each column of a query its type, as a cast writes it, and its collation where that is not the
 * type's own. Text alone would be compared and sorted as the database does it by default. The query is read, not run.
 */
export function columnTypesSql(fields: readonly Field[], query: string): string {
  const types = fields.map(({ typeOid, typeModifier }, index) => {
    const type = `pg_catalog.format_type(${String(typeOid)}, ${String(typeModifier)})`;
    if (!mayBeCollated(typeOid)) return type;
    const collation = `pg_catalog.pg_collation_for(q.c${String(index + 1)})`;
    const isCollated = `(select t.typcollation from pg_catalog.pg_type t where t.oid operator(pg_catalog.=) '${String(typeOid)}') operator(pg_catalog.<>) '0'`;
    return `pg_catalog.concat_ws(' collate ', ${type}, case when ${isCollated} then case when ${collation} operator(pg_catalog.<>) '"default"' then ${collation} end end)`;
  });
  if (!fields.some(({ typeOid }) => mayBeCollated(typeOid))) return `select ${types.join(', ')}`;
  const names = fields.map((_field, index) => `c${String(index + 1)}`);
  return `select ${types.join(', ')} from (values (1)) as one left join (${query}) as q(${names.join(', ')}) on false`;
}

function mayBeCollated(typeOid: number): boolean {
  return TEXTS.has(typeOid) || typeOid >= FIRST_OWN_OID;
}
