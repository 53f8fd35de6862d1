import { LOOPBACK_ROLE } from '../engine/loopback.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { bare } from '../sql/walk.ts';
import type { RewriteRequest } from './pipeline.ts';
import type { Reading } from './plan-cache.ts';

/**
 * postgres_fdw (18.4) has the other server aggregate without saying so where nothing reads what is aggregated: for `select 1 from
 * (select count(*) from …)` it writes `SELECT NULL::bigint FROM …`, which has as many rows as there are, and not one. Of a
 * scan or a join it writes columns or a bare NULL: a list of typed constants alone is the list of an aggregate.
 *
 * @returns the statement with its aggregate; undefined where it is none
 * @throws not_supported where it cannot be given one
 */
export function withAggregate({ user, text }: RewriteRequest, { classified }: Reading): string | undefined {
  if (user !== LOOPBACK_ROLE) return undefined;
  const {
    targetList = [],
    groupClause = [],
    havingClause,
    sortClause,
    limitCount,
    limitOffset,
  } = bare(classified.query, 'SelectStmt') ?? {};
  const values = targetList.map((target) => bare(target, 'ResTarget')?.val);
  const isConstant = values.every(
    (value) =>
      bare(value, 'A_Const')?.isnull !== true && bare(bare(value, 'TypeCast')?.arg ?? value, 'A_Const') !== undefined,
  );
  if (values.length === 0 || !isConstant || groupClause.length > 0 || havingClause !== undefined) return undefined;
  if (sortClause === undefined && limitCount === undefined && limitOffset === undefined) return `${text} HAVING true`;
  throw new TrailhoundError('not_supported', 'postgres_fdw has left out an aggregate that nothing reads', {
    detail: 'Below a view or in a function, LIMIT stands over aggregates none of which the statement names.',
    hint: 'Name a column of the aggregates, or leave out LIMIT.',
  });
}
