import { abortable, untilAborted } from '../kernel/abort.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { aggregationText } from '../sources/aggregation-text.ts';
import type { ScanRequest, ScanSource } from '../sources/source.ts';
import type { CallScheduler } from './call-scheduler.ts';
import type { Fetch } from './fetch.ts';
import { KeptScans, type KeptScansOptions } from './kept-scans.ts';
import type { Answer } from './key-cache.ts';
import { scanOverQuota } from './over-quota.ts';
import type { QuotaClaim, QuotaLedger } from './quota-ledger.ts';
import type { CachedScan } from './scan-cache/cached-scan.ts';

export interface ScanParts extends KeptScansOptions {
  readonly scheduler: CallScheduler;
  readonly quotas: QuotaLedger;
  /** Of tables whose rows are kept. */
  readonly cached: CachedScan | undefined;
}

/** Reads a scan's pages into the fetch, one after the other, or what is kept of an earlier one. */
export async function fillScan(
  source: ScanSource,
  request: ScanRequest,
  fetch: Fetch,
  parts: ScanParts,
): Promise<void> {
  const { statement, tally } = fetch;
  const { settings } = statement;
  const { name } = request.table;
  const kept = new KeptScans(parts, source, request);
  const plan = source.plan(request);
  fetch.pushed = plan.pushed.flatMap(({ predicate: { column, operator, values }, exactness, as }) =>
    exactness === 'none' ? [] : [as ?? `${column.name} ${operator} ${values.join(', ')}`.trimEnd()],
  );
  if (request.aggregation !== undefined) fetch.pushed = [...fetch.pushed, aggregationText(request.aggregation)];
  const empty = plan.empty || request.limit === 0;
  const take = async ({ records }: Answer): Promise<void> => {
    tally.cacheHits += 1;
    await fetch.add(records.slice(0, request.limit));
  };
  const answer = empty ? undefined : await kept.find(fetch);
  if (answer !== undefined) {
    await take(answer);
    return;
  }
  const missing = empty || parts.cached === undefined ? request : await parts.cached.find(fetch);
  if (missing !== request) tally.cacheHits += 1;
  if (missing === undefined) return;
  if (settings.sources === 'cache') {
    statement.notice('NOTICE', `nothing of ${name} is cached, and trailhound.sources is cache: it was not read`);
    return;
  }
  for (const notice of plan.notices) statement.notice('NOTICE', notice);
  if (empty) return;
  const turn = await kept.turn(fetch);
  if (turn.answer !== undefined) {
    await take(turn.answer);
    return;
  }
  try {
    await readPages(source, missing, fetch, parts, kept);
  } finally {
    turn.release();
  }
}

async function readPages(
  source: ScanSource,
  request: ScanRequest,
  fetch: Fetch,
  { scheduler, quotas, cached }: ScanParts,
  kept: KeptScans,
): Promise<void> {
  const { statement, signal, tally } = fetch;
  const { name } = request.table;
  let quota: QuotaClaim | undefined;
  if (source.quota !== undefined) {
    quota = await quotas.claim(source.quota, 1, signal);
    if (!quota.granted) throw scanOverQuota(source.quota, quota, name);
  }
  const context = scheduler.context({
    source: request.table.source,
    signal,
    tally,
    partial: statement.settings.partial,
    quota: (...said) => quotas.seen(...said),
    spent: (of) => quotas.spent(of),
    searched: (where) => fetch.searched.push(where),
    notice: (severity, message) => (cached ?? statement).notice(severity, message),
  });
  // A LIMIT's rows are counted one by one.
  const copied = request.limit === undefined && request.aggregation === undefined;
  try {
    for await (const page of untilAborted(source.scan({ ...request, copied }, context), signal)) {
      const { records, bytes, continued, newest, reached } = page;
      if (request.aggregation !== undefined && records.some(({ added }) => added['aggregates'] === undefined))
        throw new TrailhoundError('internal', `rows of ${name} were read in the place of aggregates`);
      if (continued !== true) tally.pages += 1;
      tally.bytes += bytes;
      if (newest !== undefined) fetch.newest = Math.max(newest, fetch.newest ?? newest);
      const wanted = request.limit === undefined ? records.length : request.limit - fetch.rows;
      const used = wanted < records.length ? records.slice(0, wanted) : records;
      await fetch.add(used);
      if (page.copied !== undefined) await fetch.addCopied(page.copied);
      kept.add(used);
      fetch.progress(() => ({ table: name, rows: fetch.rows, callsDone: tally.calls, callsKnown: undefined }));
      if (request.limit !== undefined && fetch.rows >= request.limit) break;
      if (reached !== undefined && (await fetch.isEnough(reached))) return;
    }
    cached?.whole();
    // Rows may be missing of it.
    if (!statement.settings.partial) await abortable(kept.keep(), signal);
  } finally {
    quota?.release();
  }
}
