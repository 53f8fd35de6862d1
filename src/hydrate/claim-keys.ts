import { abortable } from '../kernel/abort.ts';
import type { LookupSource } from '../sources/source.ts';
import { type AskedKey, isFirst } from './asked-key.ts';
import type { Fetch } from './fetch.ts';
import { FRESH } from './flights.ts';
import type { LookupRequest } from './hydrator.ts';
import type { LookupParts, Spent } from './lookup-parts.ts';
import { overBudget } from './over-budget.ts';
import { overQuota } from './over-quota.ts';
import type { QuotaClaim } from './quota-ledger.ts';

/** Gives each key its cached answer or a ticket for a call; fails before any call where there would be too many. */
export async function claimKeys(
  asked: readonly AskedKey[],
  request: LookupRequest,
  fetch: Fetch,
  parts: LookupParts,
): Promise<void> {
  const { statement, tally } = fetch;
  const { settings } = statement;
  const { table } = request;
  const notOlder = Math.min(table.ttlMs, settings.cacheMaxAgeMs ?? Infinity);
  const cached = (settings.cache || settings.sources === 'cache') && notOlder > 0;
  const read = parts.flights.beginRead();
  try {
    for (const one of asked) {
      const answer = parts.spent.answers.get(one.id);
      if (answer !== undefined) one.answer = answer;
    }
    const unknown = asked.filter((one) => one.answer === undefined);
    const since = cached ? Math.max(0, parts.clock.now() - notOlder) : FRESH;
    if (cached && unknown.length > 0) {
      const answers = await abortable(
        parts.cache.read(
          unknown.map((one) => one.cacheKey),
          since,
        ),
        fetch.signal,
      );
      for (const [index, answer] of answers) (unknown[index] as AskedKey).answer = answer;
      tally.cacheHits += answers.size;
    }
    const missing = asked.filter((one) => one.answer === undefined);
    if (settings.sources === 'cache') {
      if (missing.length > 0) {
        statement.notice(
          'NOTICE',
          `${missing.length} of ${request.keys.length} keys of ${table.name} are not cached, and trailhound.sources is cache: they were not asked`,
        );
      }
      return;
    }
    const needed = missing.filter((one) => !parts.flights.has(one.id, since)).length;
    if (parts.spent.lookups + needed > settings.maxLookups) {
      const known = `${request.keys.length - needed} of them need no call, because they are cached or known. ${callsBefore(parts.spent)}`;
      throw overBudget(parts.spent.lookups + needed, settings.maxLookups, request, known);
    }
    for (const one of missing) {
      one.ticket = parts.flights.join(one.id, since, (severity, message) => statement.notice(severity, message));
    }
    // Set aside for them: what others mean to ask must not use it up.
    parts.spent.lookups += needed;
  } finally {
    read.end();
  }
}

/** Sets the calls aside that nobody else means to make; fails where fewer remain. */
export async function claimQuota(
  { quota }: LookupSource,
  asked: readonly AskedKey[],
  request: LookupRequest,
  { signal }: Fetch,
  { quotas }: LookupParts,
): Promise<QuotaClaim | undefined> {
  if (quota === undefined) return undefined;
  const own = () => asked.filter((one) => isFirst(one) && one.ticket?.flight.state === 'queued').length;
  for (let needed = own(); needed > 0;) {
    const decided = await quotas.claim(quota, needed, signal);
    if (decided.granted) return decided;
    // Others who wait for the same keys may have asked meanwhile.
    const still = own();
    if (still >= needed) throw overQuota(quota, needed, decided, request);
    needed = still;
  }
  return undefined;
}

function callsBefore({ lookups }: Spent): string {
  return lookups === 0 ? 'No call was made.' : `The statement has made ${lookups} calls before these.`;
}
