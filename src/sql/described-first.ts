import type { Node } from '@pgsql/types';
import { modificationOf } from './modification.ts';
import { bare } from './walk.ts';

/**
 * Whether PostgreSQL tells the columns of a simple Query's statement before it runs it. Rows of EXECUTE, FETCH, EXPLAIN,
 * RETURNING and of queries that modify in WITH are collected first (ChoosePortalStrategy in tcop/pquery.c).
 */
export function describedFirst(node: Node): boolean {
  const select = bare(node, 'SelectStmt');
  if (select === undefined) return false;
  const queries = select.withClause?.ctes?.map((cte) => bare(cte, 'CommonTableExpr')?.ctequery) ?? [];
  return !queries.some((query) => query !== undefined && modificationOf(query) !== undefined);
}
