import type { Node, SelectStmt } from '@pgsql/types';
import type { Level } from '../sql/scope.ts';
import { functionNames } from './dependencies.ts';
import { isConstant } from './predicates.ts';
import type { Statement } from './statement.ts';

/** LIMIT and OFFSET of one level, as the statement writes them. */
export interface Limit {
  readonly count: Node | undefined;
  readonly offset: Node | undefined;
}

/** Whether a level gives its rows one by one as they come: nothing in it sorts, groups, multiplies or locks them. */
export function passesRows(level: Level, statement: Statement): boolean {
  const { select, items, branches } = level;
  const { targetList, limitOption } = select;
  if (limitOption === 'LIMIT_OPTION_WITH_TIES') return false;
  if (branches.length > 0) return isUnionAll(select) && (select.sortClause ?? []).length === 0;
  const lists = [
    select.groupClause,
    select.distinctClause,
    select.windowClause,
    select.sortClause,
    select.lockingClause,
  ];
  if (items.length !== 1 || select.havingClause !== undefined || lists.some((list) => (list ?? []).length > 0))
    return false;
  const { aggregate, setReturning } = statement.functions;
  return !functionNames(targetList).some((name) => aggregate.has(name) || setReturning.has(name));
}

function isUnionAll({ op, all }: SelectStmt): boolean {
  return op === 'SETOP_UNION' && all === true;
}

/** Undefined where LIMIT or OFFSET is not the same for the whole statement. */
export function limitOf(level: Level, statement: Statement): Limit | undefined {
  const { limitCount: count, limitOffset: offset } = level.select;
  const known = [count, offset].every((bound) => bound === undefined || isConstant(bound, level, statement));
  return known ? { count, offset } : undefined;
}
