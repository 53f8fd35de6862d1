import type { CallTable } from '../call-table.ts';
import { literal } from '../sql-literal.ts';
import { UnreadableRule } from '../unreadable-rule.ts';
import { trailColumns, type TrailColumns } from './trail-columns.ts';

/** The whole record of a row `e`. */
export const RECORD = 'e.cloudtrail_event';

/** A rule's field in SQL over a row `e`. */
export interface Field {
  /** A column of one text. Without it, the field has any number of values: a path goes through arrays. */
  readonly column: string | undefined;
  /** A column that says true or false, however the record writes it. */
  readonly boolean: string | undefined;
  /** A call that returns a set of jsonb, of which null says nothing. */
  readonly values: string;
  /** Its value, or all of them where there may be several, as jsonb. */
  readonly value: string;
  /** The first of its values, as text. */
  readonly text: string;
  /** Whether the record has it, whatever its value is. */
  readonly exists: string;
  /** Whether it is missing or null. */
  readonly isNull: string;
  readonly isNotNull: string;
}

const NOT_NULL = ' ? (@.type() != "null")';

/** @throws UnreadableRule */
export type Fields = (name: string) => Field;

/** Fields of the calls in a table. */
export function fieldsOf(table: CallTable): Fields {
  const columns = trailColumns(table);
  return (name) => fieldOf(name, columns);
}

function fieldOf(name: string, columns: TrailColumns): Field {
  const own = columns.get(name);
  const column = own?.kind === 'text' ? `e.${own.name}` : undefined;
  const all = keysOf(name);
  const { sql, keys } = placeOf(all, columns);
  const notNull = `jsonb_path_exists(${sql}, ${path(keys, '', NOT_NULL)})`;
  return {
    column,
    boolean: own?.kind === 'boolean' ? `e.${own.name}` : undefined,
    values: `jsonb_path_query(${sql}, ${path(keys, '[*]')})`,
    value: column === undefined ? `jsonb_path_query_array(${sql}, ${path(keys, '[*]')})` : `to_jsonb(${column})`,
    text: column ?? `jsonb_path_query_first(${sql}, ${path(keys, '[*]', NOT_NULL)}) #>> '{}'`,
    exists: `jsonb_path_exists(${RECORD}, ${path(all, '')})`,
    // An object's column is NULL where the record has none.
    isNull: column === undefined ? `${notNull} is not true` : `${column} is null`,
    isNotNull: column === undefined ? notNull : `${column} is not null`,
  };
}

/** The smallest column that holds the field, and the rest of the way. */
function placeOf(
  keys: readonly string[],
  columns: TrailColumns,
): { readonly sql: string; readonly keys: readonly string[] } {
  for (let length = keys.length; length > 0; length -= 1) {
    const column = columns.get(keys.slice(0, length).join('.'));
    if (column?.kind === 'object') return { sql: `e.${column.name}`, keys: keys.slice(length) };
  }
  return { sql: RECORD, keys };
}

/** @throws UnreadableRule */
export function checkField(name: string): void {
  keysOf(name);
}

function keysOf(name: string): readonly string[] {
  const keys = name.split('.');
  const isField = keys.length <= 50 && !keys.includes('') && name.isWellFormed() && !/\p{Cc}/u.test(name);
  if (!isField) throw new UnreadableRule(undefined, `"${name}" is no field`);
  return keys;
}

/** Through arrays: jsonpath opens one at each key by itself, `[*]` those within it. */
function path(keys: readonly string[], end: '' | '[*]', filter = ''): string {
  return literal(`$${keys.map((key) => `.${JSON.stringify(key)}`).join('[*]')}${end}${filter}`);
}
