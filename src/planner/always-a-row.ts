import type { Level } from '../sql/scope.ts';
import { functionNames } from './dependencies.ts';
import type { Statement } from './statement.ts';

/** An aggregate without GROUP BY has a row whatever it reads; so have the grouping sets that group by nothing. */
export function hasRowAnyway({ select }: Level, statement: Statement): boolean {
  const { groupClause = [], havingClause, targetList, sortClause } = select;
  if (groupClause.length > 0) return groupClause.some((node) => 'GroupingSet' in node);
  const called = functionNames([targetList, sortClause]);
  return havingClause !== undefined || called.some((name) => statement.functions.aggregate.has(name));
}
