import { TrailhoundError } from '../kernel/errors.ts';
import type { LookupRequest } from './hydrator.ts';

/** trailhound.max_lookups does not allow as many calls. `known`: a sentence on those that need none, or were made. */
export function overBudget(needed: number, allowed: number, request: LookupRequest, known: string): TrailhoundError {
  const { table, keys, keyExpression } = request;
  return new TrailhoundError(
    'lookup_budget',
    `${needed} lookups needed, ${allowed} allowed by trailhound.max_lookups`,
    {
      detail: `${table.name} is asked for ${keys.length} distinct values of ${keyExpression}; ${known}`,
      hint: `Narrow what ${keyExpression} is read from, by a condition or by a LIMIT in a derived table, or raise the limit: set trailhound.max_lookups = ${needed}.`,
    },
  );
}
