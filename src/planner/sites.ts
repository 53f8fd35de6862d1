import type { Node } from '@pgsql/types';
import type { Item } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import type { Statement } from './statement.ts';

/** A column of an item that must be bounded: the required key itself, or what carries it outwards. */
export interface Site {
  readonly item: Item;
  readonly column: string;
  /** Rows without a key may appear in it: more of them when fewer keys are asked for. */
  readonly nullable?: boolean | undefined;
}

/** The site's column, also behind what turns an address into its own text and back: host(), abbrev(), inet(), ::inet. */
export function isSite(node: Node | undefined, site: Site, keyType: string, statement: Statement): boolean {
  if (node === undefined) return false;
  const column = bare(node, 'ColumnRef');
  if (column !== undefined) {
    const meaning = statement.names.resolve(column);
    return meaning.kind === 'column' && meaning.item === site.item && meaning.name === site.column;
  }
  if (keyType !== 'inet') return false;
  const cast = bare(node, 'TypeCast');
  if (cast !== undefined) {
    const names = (cast.typeName?.names ?? []).map((name) => bare(name, 'String')?.sval);
    return names.at(-1) === 'inet' && isSite(cast.arg, site, keyType, statement);
  }
  const functionCall = bare(node, 'FuncCall');
  const name = (functionCall?.funcname ?? []).map((part) => bare(part, 'String')?.sval);
  const known =
    ['host', 'abbrev', 'inet'].includes(name.at(-1) ?? '') && (name.length === 1 || name[0] === 'pg_catalog');
  return known && functionCall?.args?.length === 1 && isSite(functionCall.args[0], site, keyType, statement);
}

/** `in` is `= any`. A name without a schema is PostgreSQL's own operator only where no other one can be meant. */
export function isOperator(wanted: '=' | '<>', name: Node[] | undefined, statement: Statement): boolean {
  const parts = (name ?? []).map((part) => bare(part, 'String')?.sval);
  if (parts.length > 1) return parts.length === 2 && parts[0] === 'pg_catalog' && parts[1] === wanted;
  return statement.functions.ownEquality && (parts[0] ?? '=') === wanted;
}
