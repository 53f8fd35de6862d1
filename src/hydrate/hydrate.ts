import type { Column } from '../catalog/table.ts';
import { linkAbort } from '../kernel/abort.ts';
import type { Clock } from '../kernel/clock.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { quoteIdent } from '../sql/substitute.ts';
import type { ConnectionStates } from './connection-states.ts';
import type { Fetch } from './fetch.ts';
import type { FetchStatistics, HydratedRows, IsEnough, Row, StatementContext, StoredColumn } from './hydrator.ts';
import type { HydrationMetrics } from './metrics.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { IncomingRows } from './incoming-rows.ts';
import type { Relations } from './relations.ts';
import type { WrittenRows } from './row-writer.ts';
import type { CachedScan } from './scan-cache/cached-scan.ts';
import type { ScanLog } from './scan-log.ts';
import { throttleProgress } from './throttle-progress.ts';

/** The rows of one reference, or of one level, that are to be filled. */
export interface Task {
  /** For messages and counters. */
  readonly name: string;
  readonly columns: readonly StoredColumn[];
  readonly mapped: readonly Column[];
  /** Undefined: nothing that `trailhound.scan` should show. */
  readonly recorded: { readonly kind: 'scan' | 'lookup'; readonly keys?: number } | undefined;
  /** Values are the text of the client's session, which alone reads it: types may be the user's own. */
  readonly ofSession: boolean;
  readonly statement: StatementContext;
  readonly isEnough?: IsEnough | undefined;
  /** Of a scan whose rows are kept, or may be. */
  readonly cached?: CachedScan | undefined;
  fill(fetch: Fetch, write: (rows: readonly Row[]) => Promise<void>): Promise<void>;
  failure(error: unknown): unknown;
}

export interface HydrateParts {
  readonly relations: Relations;
  readonly limiter: RateLimiter;
  /** How many relations may be written at once. */
  readonly copies: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: HydrationMetrics;
  readonly scans: ScanLog;
  readonly connections: ConnectionStates;
  /** Aborted when the hydrator closes. */
  readonly closing: AbortSignal;
}

/** Lets a task fill its rows, and tells the statistics what became of it. */
export async function hydrate(task: Task, parts: HydrateParts): Promise<HydratedRows> {
  const { name, columns, mapped, recorded, ofSession, statement } = task;
  const { relations, limiter, copies, clock, log, metrics, scans, connections, closing } = parts;
  const start = clock.now();
  const link = linkAbort(statement.signal, closing);
  const { signal } = link;
  const tally = { calls: 0, pages: 0, bytes: 0, cacheHits: 0, waitMs: 0 };
  let begun: IncomingRows | undefined;
  // Until its first rows come, a scan can do for others with further columns.
  const incoming = (): IncomingRows => (begun ??= begin(task.cached?.fixColumns()));
  const begin = (all: readonly Column[] | undefined): IncomingRows =>
    new IncomingRows({
      name,
      columns: all ?? columns,
      mapped: all ?? mapped,
      ofSession,
      partial: statement.settings.partial,
      relations,
      limiter,
      copies,
      role: statement.role,
      relationOnly: statement.relationOnly,
      signal,
    });
  const rowsSoFar = (): number => begun?.stages.rows ?? 0;
  const fetch: Fetch = {
    statement,
    signal,
    tally,
    get rows() {
      return rowsSoFar();
    },
    add: (records) => (records.length === 0 ? Promise.resolve() : incoming().add(records)),
    addCopied: (copied) => incoming().stages.addCopied(copied),
    isEnough: async (reached) => {
      if (task.isEnough === undefined) return false;
      return task.isEnough(
        hydrated(await incoming().stages.soFar(), () => Promise.resolve()),
        reached,
      );
    },
    pushed: [],
    searched: [],
    newest: undefined,
    progress: throttleProgress(clock, (state) => statement.progress(state)),
  };
  const hydrated = (written: WrittenRows, release: () => Promise<void>): HydratedRows => ({
    ...(written.kind === 'relation' && ofSession ? { ...written, name: asTyped(written.name, columns) } : written),
    columns: incoming().columns,
    statistics: { ...tally, rows: rowsSoFar() },
    release,
  });
  let failed: unknown;
  let outcome: 'ok' | 'failed' = 'failed';
  let statistics: FetchStatistics | undefined;
  try {
    signal.throwIfAborted();
    await task.fill(fetch, (rows) => incoming().stages.add(rows));
    signal.throwIfAborted();
    const { stages, mapper, warning } = incoming();
    const written = await stages.finish();
    outcome = 'ok';
    if (mapper.replaced > 0) {
      const message = `${mapper.replaced} characters of ${name} that PostgreSQL cannot store (U+0000, lone surrogates) were replaced by U+FFFD`;
      (task.cached ?? statement).notice('WARNING', message);
    }
    if (warning !== undefined) statement.notice('WARNING', warning);
    const read = hydrated(written, () => stages.release());
    const rows = (await task.cached?.finish(read, fetch)) ?? read;
    ({ statistics } = rows);
    return rows;
  } catch (error) {
    connections.failed(error);
    const failure = (failed = signal.aborted ? (signal.reason as unknown) : task.failure(error));
    if (failure instanceof TrailhoundError && failure.code === 'internal' && !signal.aborted)
      log.error({ err: failure, table: name }, 'hydration failed');
    throw failure;
  } finally {
    if (outcome === 'failed') {
      begun?.stages.discard();
      await task.cached?.giveUp();
    }
    task.cached?.end();
    link.unlink();
    // What the source may still have under way (pages read ahead) is wanted by nobody.
    link.abort(new Error('no more rows are wanted'));
    const durationMs = clock.now() - start;
    const { user, text, pid } = statement;
    statistics ??= { ...tally, rows: rowsSoFar() };
    if (recorded !== undefined) {
      const { kind, keys } = recorded;
      const { pushed, searched, newest } = fetch;
      const error = outcome === 'failed' ? failed : undefined;
      scans.add({
        startedAt: start,
        durationMs,
        user,
        statement: text,
        pid,
        table: name,
        kind,
        keys,
        pushed,
        searched,
        newest,
        statistics,
        error,
      });
    }
    metrics.hydration(name, outcome, durationMs / 1000, statistics.rows, tally.bytes);
    if (tally.cacheHits > 0) metrics.cached(name, tally.cacheHits);
  }
}

/**
 * A superuser fills the relation: a domain's CHECK would run with its rights, and dates would be read by the pool's
 * DateStyle. So it holds text, and whoever reads it casts that with rights and settings of their own.
 */
function asTyped(relation: string, columns: readonly StoredColumn[]): string {
  const typed = columns.map(({ name, type }) => `${quoteIdent(name)}::${type}`);
  return `(select ${typed.join(', ')} from ${relation})`;
}
