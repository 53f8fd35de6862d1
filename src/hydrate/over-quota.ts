import { TrailhoundError } from '../kernel/errors.ts';
import type { Quota } from '../sources/source.ts';
import type { LookupRequest } from './hydrator.ts';
import type { QuotaClaim } from './quota-ledger.ts';

/** More calls are needed than the service still allows. Before the first of them. */
export function overQuota(quota: Quota, needed: number, { left }: QuotaClaim, request: LookupRequest): TrailhoundError {
  const { table, keys, keyExpression } = request;
  return new TrailhoundError('lookup_budget', `${needed} lookups needed, ${leftText(quota, left)}`, {
    detail: `${table.name} is asked for ${keys.length} distinct values of ${keyExpression}; ${keys.length - needed} of them need no call, because they are cached or known. No call was made for them.`,
    hint: `Narrow what ${keyExpression} is read from, by a condition or by a LIMIT in a derived table, or run the statement again after the quota is renewed; set trailhound.sources = cache uses what is known.`,
  });
}

export function scanOverQuota(quota: Quota, { left }: QuotaClaim, table: string): TrailhoundError {
  return new TrailhoundError('rate_limited', `${table} needs a call, ${leftText(quota, left)}`, {
    detail: 'No call was made.',
    hint: 'Run the statement again after the quota is renewed; set trailhound.sources = cache uses what is known.',
  });
}

function leftText({ service }: Quota, left: QuotaClaim['left']): string {
  const until = left?.resetsAt === undefined ? '' : ` until ${utcText(left.resetsAt)}`;
  return `${left?.remaining ?? 0} left in ${service}'s quota${until}`;
}

/** `2026-11-22 00:00 UTC` */
function utcText(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
