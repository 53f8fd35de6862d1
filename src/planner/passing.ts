import type { ColumnRef, Node } from '@pgsql/types';
import { isWithin, type Item, type Level } from '../sql/scope.ts';
import { bare, walk, type NodeKind } from '../sql/walk.ts';
import { isSafe } from './cannot-fail.ts';
import { dependenciesOf, functionNames, hasWindow } from './dependencies.ts';
import { isAggregated } from './grouping.ts';
import { replaced } from './nodes.ts';
import type { Statement } from './statement.ts';
import { isNullable, surroundingsOf } from './surroundings.ts';

/** Whether a level's rows are those of its FROM entries that WHERE passes: which of them come out depends on no other. */
export function passesEach(level: Level, statement: Statement): boolean {
  const { limitCount, limitOffset, valuesLists, sortClause = [], distinctClause = [] } = level.select;
  if (valuesLists !== undefined || limitCount !== undefined || limitOffset !== undefined) return false;
  if (sortClause.length > 0 || distinctClause.some((node) => Object.keys(node).length > 0)) return false;
  return isRowByRow(level, statement);
}

/** Whether what comes out is one row for each that WHERE passes, but for what ORDER BY, DISTINCT and LIMIT do with them. */
export function isRowByRow(level: Level, statement: Statement): boolean {
  const { targetList, sortClause, windowClause = [], lockingClause = [] } = level.select;
  if (level.branches.length > 0 || windowClause.length > 0 || lockingClause.length > 0) return false;
  const computed = [targetList, sortClause];
  if (hasWindow(computed) || isAggregated(level, statement)) return false;
  return !functionNames(computed).some((name) => statement.functions.setReturning.has(name));
}

/** What alone reads a level's rows. */
export function readerOf(level: Level): Item | undefined {
  const { place } = level;
  switch (place.kind) {
    case 'from':
      return place.item;
    case 'cte': {
      const [only, ...others] = place.cte.references;
      return only === undefined || others.length > 0 || isWithin(only.level, level) ? undefined : only;
    }
    case 'statement':
    case 'branch':
    case 'sublink':
      return undefined;
  }
}

/** What levels around a level say of which of its rows count, as conditions of its own WHERE would. */
export function conditionsAround(level: Level, statement: Statement): readonly Node[] {
  const reader = passesEach(level, statement) ? readerOf(level) : undefined;
  if (reader === undefined) return [];
  const beside = surroundingsOf(reader, statement).conditions.filter(({ seesItem }) => seesItem);
  // A row of NULLs in the place of one that is not there might pass what is asked further out.
  const beyond = isNullable(reader, statement) ? [] : conditionsAround(reader.level, statement);
  return [...beside.map(({ node }) => node), ...beyond].flatMap((node) => inside(node, reader, level, statement) ?? []);
}

/**
 * An expression over the columns of what reads a level, as one of the level itself.
 *
 * @returns undefined where it names anything else, a column that the level computes, or may fail for rows that it is not
 *   computed for there
 */
export function inside(node: Node, reader: Item, level: Level, statement: Statement): Node | undefined {
  if (!statement.functions.ownEquality || !cannotFail(node)) return undefined;
  const { items, unrepeatable } = dependenciesOf(node, reader.level, statement);
  if (unrepeatable || items.size !== 1 || !items.has(reader)) return undefined;
  const { names } = statement.names.columnsOf(reader);
  const through = statement.names.passedThrough(level);
  const lost = new Set<ColumnRef>();
  const own = replaced(node, (each) => {
    const column = bare(each, 'ColumnRef');
    if (column === undefined || !statement.scopes.levelOf.has(column)) return undefined;
    const meaning = statement.names.resolve(column);
    const passed = meaning.kind === 'column' ? through[names.indexOf(meaning.name)] : undefined;
    const value = passed && statement.columnOf(passed.item, passed.name, level);
    if (value === undefined) lost.add(column);
    return value;
  });
  return lost.size === 0 ? own : undefined;
}

/** Besides those of constants. */
const SAFE: ReadonlySet<NodeKind> = new Set<NodeKind>([
  'ColumnRef',
  'BooleanTest',
  'CaseExpr',
  'CaseWhen',
  'CoalesceExpr',
]);
const PATTERNS: ReadonlySet<string> = new Set(['~~', '!~~', '~~*', '!~~*']);

/** Whether it has a value whatever its columns hold, and hands them to no function of anybody's. */
function cannotFail(node: Node): boolean {
  let safe = true;
  walk(node, (each, kind) => {
    const operator = bare(each, 'A_Expr')?.name ?? [];
    const name = bare(operator.at(-1), 'String')?.sval ?? '';
    // What is computed of a column may be out of range.
    const isComputed = kind === 'FuncCall' || name === '+' || name === '-';
    const isKnown = SAFE.has(kind) || PATTERNS.has(name) || isSafe(each, kind);
    if (!isKnown || operator.length > 1 || (isComputed && namesColumns(each))) safe = false;
    return safe;
  });
  return safe;
}

function namesColumns(node: Node): boolean {
  let found = false;
  walk(node, (_each, kind) => {
    if (kind === 'ColumnRef') found = true;
    return undefined;
  });
  return found;
}
