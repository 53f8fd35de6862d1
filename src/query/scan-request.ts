import type { Reference } from '../planner/statement.ts';
import type { Predicate, ScanRequest, Source } from '../sources/source.ts';
import type { KnownRestrictions } from './constants.ts';
import { groupColumns, withWitnesses } from './group-rows.ts';
import { columnsToFetch } from './hydrated-sql.ts';

/**
 * What a scan is asked: in an order, where first rows are enough and the source knows it; with a LIMIT, or for aggregates, only where the source leaves no row for
 * PostgreSQL to drop.
 */
export function scanRequest(
  reference: Reference,
  known: KnownRestrictions | undefined,
  source: Source | undefined,
  keys: readonly Predicate[] = [],
): ScanRequest {
  const { table } = reference.view;
  const predicates = [...(known?.predicates ?? []), ...keys];
  const { conditions = [], chosenBy = [] } = known ?? {};
  const request = {
    table,
    columns: columnsToFetch(reference),
    predicates,
    ...(conditions.length > 0 && { conditions }),
    ...(chosenBy.length > 0 && { chosenBy }),
  };
  const { limit, aggregation, first } = known ?? {};
  if (first !== undefined && source?.kind === 'scan') {
    const ordered = { ...request, order: first.order };
    return request.columns.includes(first.order.column) && source.plan(ordered).order === 'exact' ? ordered : request;
  }
  const wanted = reference.below || conditions.length + keys.length > 0 ? undefined : aggregation;
  if ((limit ?? wanted) === undefined || source?.kind !== 'scan') return request;
  const { pushed } = source.plan(request);
  const allExact = pushed.length >= request.predicates.length && pushed.every(({ exactness }) => exactness === 'exact');
  if (!allExact) return request;
  if (limit !== undefined) return { ...request, limit };
  const asked = wanted && withWitnesses(wanted, predicates);
  const aggregated = asked && { ...request, columns: groupColumns(asked), aggregation: asked };
  return aggregated !== undefined && source.plan(aggregated).aggregation === 'exact' ? aggregated : request;
}
