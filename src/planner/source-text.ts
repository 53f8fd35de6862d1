import type { SelectStmt } from '@pgsql/types';
import { deparse } from '../sql/deparse.ts';
import { bare } from '../sql/walk.ts';

/** Where keys come from, as messages and EXPLAIN say it. */
export function describeSource(source: SelectStmt): string {
  const simple = source.fromClause === undefined && source.targetList?.length === 1;
  const [list] = bare(bare(source.targetList?.[0], 'ResTarget')?.val, 'FuncCall')?.args ?? [];
  if (simple && bare(bare(list, 'TypeCast')?.arg, 'A_ArrayExpr') !== undefined) return 'the list in the statement';
  const value = simple ? deparse({ SelectStmt: source }).slice('SELECT '.length) : 'a subquery';
  return value.length > 80 ? `${value.slice(0, 77)}...` : value;
}
