import type { Node } from '@pgsql/types';
import type { Clause, Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import { conjunctsOf } from './dependencies.ts';
import { isAggregated } from './grouping.ts';
import { and, integer, operation, or } from './nodes.ts';
import { isConstant } from './predicates.ts';
import type { Statement } from './statement.ts';

/**
 * Conditions that name no column and without which a level gives no row, whatever its FROM holds: of HAVING, and
 * `limit <> 0`. (Those of WHERE and ON count for an item of FROM, and so belong to what surrounds it.)
 */
export function constantsOfLevel(level: Level, statement: Statement): Node[] {
  const { havingClause, limitCount } = level.select;
  const having = conjunctsOf(havingClause).filter((node) => isConstant(node, level, statement));
  if (limitCount === undefined || !isConstant(limitCount, level, statement)) return having;
  // Zero has no member of its own in PostgreSQL's tree.
  if ((bare(limitCount, 'A_Const')?.ival?.ival ?? 0) !== 0) return having;
  return [...having, isNotZero(limitCount)];
}

/** Those without which an expression of a level is never computed, or its value never read. */
export function constantsOfExpression(level: Level, clause: Clause, statement: Statement): Node[] {
  const { whereClause } = level.select;
  // An aggregate without GROUP BY has a row even over none; with grouping sets, too.
  const isRowOfNone = clause.kind === 'other' && isAggregated(level, statement);
  const where = isRowOfNone ? [] : conjunctsOf(whereClause);
  return [...where.filter((node) => isConstant(node, level, statement)), ...constantsOfLevel(level, statement)];
}

/** One condition that holds where all of some set of them do; nothing where a set has none. */
export function eitherOf(sets: readonly (readonly Node[])[]): Node[] {
  return sets.length === 0 || sets.some((set) => set.length === 0) ? [] : [or(sets.map((set) => and(set)))];
}

/** `coalesce(limit, 1) <> 0`: LIMIT NULL is no limit. */
function isNotZero(limit: Node): Node {
  return operation({ CoalesceExpr: { args: [limit, integer(1)] } }, '<>', integer(0));
}
