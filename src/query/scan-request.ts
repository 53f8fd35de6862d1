import type { Reference } from '../planner/statement.ts';
import type { Predicate, ScanRequest, Source } from '../sources/source.ts';
import type { KnownRestrictions } from './constants.ts';
import { columnsToFetch } from './hydrated-sql.ts';

/** What a scan is asked: with a LIMIT only where the source leaves no row for PostgreSQL to drop. */
export function scanRequest(
  reference: Reference,
  known: KnownRestrictions | undefined,
  source: Source | undefined,
  keys: readonly Predicate[] = [],
): ScanRequest {
  const { table } = reference.view;
  const predicates = [...(known?.predicates ?? []), ...keys];
  const conditions = known?.conditions ?? [];
  const request = {
    table,
    columns: columnsToFetch(reference),
    predicates,
    ...(conditions.length > 0 && { conditions }),
  };
  if (known?.limit === undefined || source?.kind !== 'scan') return request;
  const { pushed } = source.plan(request);
  const allExact = pushed.length >= request.predicates.length && pushed.every(({ exactness }) => exactness === 'exact');
  return allExact ? { ...request, limit: known.limit } : request;
}
