import type { ColumnRef, Node } from '@pgsql/types';
import type { Item } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import { functionNames } from './dependencies.ts';
import { replaced } from './nodes.ts';
import type { Statement } from './statement.ts';
import { isNullable } from './surroundings.ts';

/**
 * An expression with the columns of rows that the statement writes out replaced by what they are: the arguments of a
 * function that stand beside its body, `(select 30 as days) as given`, `with given as (…)`, VALUES of one row. What it
 * names otherwise, and what is volatile, stays.
 */
export function withGivenValues(node: Node, statement: Statement): Node {
  return replaced(node, (inner) => {
    const column = bare(inner, 'ColumnRef');
    const value = column && givenValue(column, statement);
    return value && withGivenValues(value, statement);
  });
}

/** Whether an item is one row, which the statement writes out. */
export function isGiven(item: Item, statement: Statement): boolean {
  return valuesOf(item) !== undefined && !isNullable(item, statement);
}

function givenValue(column: ColumnRef, statement: Statement): Node | undefined {
  const meaning = statement.scopes.levelOf.has(column) ? statement.names.resolve(column) : undefined;
  if (meaning?.kind !== 'column' || !isGiven(meaning.item, statement)) return undefined;
  const { names } = statement.names.columnsOf(meaning.item);
  const value = valuesOf(meaning.item)?.[names.indexOf(meaning.name)];
  // Several rows of it, or a name that means another column outside of its level.
  const isSet = functionNames(value).some((name) => name === 'unnest' || statement.functions.setReturning.has(name));
  return value === undefined || isSet ? undefined : value;
}

/** The expressions of a subquery without FROM: one row, or none. */
function valuesOf({ subquery, cte }: Item): readonly (Node | undefined)[] | undefined {
  const level = subquery ?? (cte?.recursive === true ? undefined : cte?.level);
  if (level === undefined || level.branches.length > 0 || level.select.fromClause !== undefined) return undefined;
  const { valuesLists, targetList = [] } = level.select;
  if (valuesLists === undefined) return targetList.map((target) => bare(target, 'ResTarget')?.val);
  const [only, ...others] = valuesLists;
  return others.length > 0 ? undefined : (bare(only, 'List')?.items ?? []);
}
