import type { Node, TypeCast } from '@pgsql/types';
import { isStar } from '../sql/column-name.ts';
import type { Item, Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import type { Statement } from './statement.ts';

/** pg_type's names behind what format_type() prints. */
const CASTS: Readonly<Record<string, string>> = {
  text: 'text',
  inet: 'inet',
  bool: 'boolean',
  int4: 'integer',
  int8: 'bigint',
  float8: 'double precision',
  timestamptz: 'timestamp with time zone',
};

/**
 * Whether each output column at this place, in all branches of a set operation, surely has a type, under the default
 * collation: columns of virtual tables, literals, and casts to the type. Of anything else it is not known here.
 */
export function isOfType(level: Level, index: number, type: string, statement: Statement, depth = 0): boolean {
  if (depth > 50) return false;
  if (level.branches.length > 0)
    return level.branches.every((branch) => isOfType(branch, index, type, statement, depth + 1));
  const { valuesLists, targetList = [] } = level.select;
  if (valuesLists !== undefined)
    return valuesLists.every((list) => isLiteral(bare(list, 'List')?.items?.[index], type));
  const through = statement.names.passedThrough(level)[index];
  if (through !== undefined) return isColumnOfType(through.item, through.name, type, statement, depth + 1);
  const starred = targetList.some((node) => isStar(targetOf(node)));
  return !starred && isLiteral(targetOf(targetList[index]), type);
}

/** `remote_ip::inet` of a virtual table's column that is inet already: it cannot fail. */
export function castsToOwnType({ arg, typeName }: TypeCast, statement: Statement): boolean {
  const { names = [], arrayBounds = [], typmods = [] } = typeName ?? {};
  const [schema = '', name = ''] = ['pg_catalog', ...names.map((part) => bare(part, 'String')?.sval)].slice(-2);
  const type = CASTS[name];
  const column = bare(arg, 'ColumnRef');
  const meaning = column !== undefined && statement.scopes.levelOf.has(column) && statement.names.resolve(column);
  if (type === undefined || schema !== 'pg_catalog' || arrayBounds.length + typmods.length > 0) return false;
  if (meaning === false || meaning.kind !== 'column') return false;
  // A literal in a subquery has no type of its own: of such a column nothing is known here.
  const reference = statement.referenceOf(meaning.item);
  const index = statement.names.columnsOf(meaning.item).names.indexOf(meaning.name);
  return reference?.view.columns[index]?.type === type;
}

/** Whether a column of an item surely has a type, as isOfType() says it of an output column. */
export function isColumnOfType(item: Item, name: string, type: string, statement: Statement, depth = 0): boolean {
  const index = statement.names.columnsOf(item).names.indexOf(name);
  const reference = statement.referenceOf(item);
  if (reference !== undefined) return reference.view.columns[index]?.type === type;
  const level = item.cte === undefined ? item.subquery : item.cte.level;
  return level !== undefined && isOfType(level, index, type, statement, depth);
}

function isLiteral(node: Node | undefined, type: string): boolean {
  const cast = bare(node, 'TypeCast');
  if (cast !== undefined) {
    const { names = [], arrayBounds = [], typmods = [] } = cast.typeName ?? {};
    const name = bare(names.at(-1), 'String')?.sval ?? '';
    // A cast keeps the collation of what it casts.
    const collated = type === 'text' && bare(cast.arg, 'A_Const') === undefined;
    return CASTS[name] === type && !collated && arrayBounds.length + typmods.length === 0;
  }
  // An untyped literal takes the type of the other branches.
  const literal = bare(node, 'A_Const');
  return literal !== undefined && (literal.sval !== undefined || literal.isnull === true);
}

function targetOf(node: Node | undefined): Node | undefined {
  return bare(node, 'ResTarget')?.val;
}
