import type { VirtualTable } from '../catalog/table.ts';
import type { HydratedRows } from '../hydrate/hydrator.ts';
import { quoteIdent } from '../sql/substitute.ts';
import { storedSql } from './hydrated-sql.ts';
import type { ParameterList } from './parameters.ts';

/** Rows that stand for every mention of a table below views and functions of one statement. */
export interface ServedRows {
  /** Each with the keys that it was asked for; undefined for a scan, which has one part. Empty: no row can count. */
  readonly parts: readonly { readonly rows: HydratedRows; readonly keys: readonly string[] | undefined }[];
  /** Names of the table's fetched columns. */
  readonly columns: ReadonlySet<string>;
}

/** All parts as one relation: rows of a key that an earlier part was asked for, too, count once. */
export function together(
  { parts }: ServedRows,
  { columns }: VirtualTable,
  parameters: ParameterList,
): HydratedRows | 'empty' {
  const [first, ...more] = parts;
  if (first === undefined) return 'empty';
  if (more.length === 0) return first.rows;
  const key = columns.find((column) => column.key === 'required');
  const known = new Set(first.keys);
  const selects = [storedSql(first.rows, parameters)];
  for (const { rows, keys = [] } of more) {
    const own = `select * from (${storedSql(rows, parameters)}) as _`;
    const asked = parameters.addTextArray([...known]);
    const column = `_.${quoteIdent(key?.name ?? '')}`;
    const type = key?.type ?? 'text';
    selects.push(`${own} where ${column} operator(pg_catalog.<>) all (${asked}::pg_catalog.text[]::${type}[])`);
    for (const each of keys) known.add(each);
  }
  // Each part is released by whoever hydrated it.
  const release = (): Promise<void> => Promise.resolve();
  const { columns: stored, statistics } = first.rows;
  return { kind: 'relation', name: `(${selects.join(' union all ')})`, columns: stored, statistics, release };
}
