import type { VirtualTable } from '../catalog/table.ts';
import type { Pool } from '../engine/pool.ts';
import type { ProcessLock } from '../engine/process-lock.ts';
import { untilAborted } from '../kernel/abort.ts';
import type { Clock } from '../kernel/clock.ts';
import { systemClock } from '../kernel/clock.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { ScanRequest, Source } from '../sources/source.ts';
import type { Patience } from './call-scheduler.ts';
import { CallScheduler, DEFAULT_PATIENCE } from './call-scheduler.ts';
import { Cleaning } from './cleaning.ts';
import { ConnectionStates } from './connection-states.ts';
import { fillLookup } from './fill-lookup.ts';
import { fillScan } from './fill-scan.ts';
import { Flights } from './flights.ts';
import { hydrate, type Task } from './hydrate.ts';
import type { HydratedRows, Hydrator, LookupRequest, StatementContext } from './hydrator.ts';
import { KeyCache } from './key-cache.ts';
import { KeyClaims } from './key-claims.ts';
import type { Spent } from './lookup-parts.ts';
import { QuotaLedger } from './quota-ledger.ts';
import type { HydrationMetrics } from './metrics.ts';
import { createHydrationCounters } from './metrics.ts';
import { RateLimiter } from './rate-limiter.ts';
import { Relations } from './relations.ts';
import { CachedScan, mayBeKept } from './scan-cache/cached-scan.ts';
import { KeptParts } from './scan-cache/kept-parts.ts';
import { ScanCache } from './scan-cache/scan-cache.ts';
import { ScanLog } from './scan-log.ts';
import { SharedTokens } from './shared-tokens.ts';
import { Sweeper } from './sweeper.ts';
import { Turns } from './turns.ts';
import { toStatementError } from './source-failure.ts';

export interface HydratorOptions {
  /** The engine's: close the hydrator before it. */
  readonly pool: Pool;
  /** By `VirtualTable.source`. Whoever made them closes them. */
  readonly sources: ReadonlyMap<string, Source>;
  /** Whose answers the key cache may keep, and for how long. */
  readonly tables?: () => readonly VirtualTable[];
  /** Tells other processes on the engine that this one lives; released by `close`. Default: one of its own. */
  readonly lock?: ProcessLock;
  /** Other processes may use the same engine: a key is asked for by one of them, and rates are of all. Default: false. */
  readonly shared?: boolean;
  /** Of the key cache. Default: no limit. */
  readonly cacheMaxBytes?: number;
  readonly log: Logger;
  readonly metrics?: HydrationMetrics;
  readonly patience?: Patience;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface RunningHydrator extends Hydrator {
  /**
   * Removes what dead processes left, and from then on what the key cache holds too long; call it once at start. Returns how many relations.
   */
  sweep(): Promise<number>;
  /** Calls left by source, where an answer has said so. */
  quotas(): readonly (readonly [source: string, remaining: number])[];
}

export function createHydrator(options: HydratorOptions): RunningHydrator {
  const { pool, sources, log, shared = false, metrics = createHydrationCounters(), clock = systemClock } = options;
  const limiter = new RateLimiter(
    clock,
    shared ? (key, changed) => new SharedTokens({ pool, clock, log, key, changed }) : undefined,
  );
  const relations = new Relations({ pool, log, clock, lock: options.lock });
  const quotas = new QuotaLedger({ pool, lock: relations.lock, clock, log });
  const cache = new KeyCache({ pool, log, clock, maxBytes: options.cacheMaxBytes ?? Number.POSITIVE_INFINITY });
  const claims = shared ? new KeyClaims({ pool, lock: relations.lock, cache, clock, log }) : undefined;
  const scanCache = new ScanCache({
    parts: new KeptParts(pool, relations.lock),
    clock,
    log,
    maxBytes: options.cacheMaxBytes ?? Number.POSITIVE_INFINITY,
  });
  const sweeper = new Sweeper({ pool, relations, shared, clock, log });
  const cleaning = new Cleaning({ cache, tables: options.tables ?? (() => []), clock, log });
  const scans = new ScanLog(pool, log);
  const connections = new ConnectionStates({ pool, clock, log });
  const flights = new Flights();
  const turns = new Turns();
  const scheduler = new CallScheduler({
    clock,
    limiter,
    metrics,
    patience: options.patience ?? DEFAULT_PATIENCE,
    random: options.random ?? Math.random,
    answered: (connection) => connections.answered(connection),
  });
  const spent = new WeakMap<object, Spent>();
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();
  // Half of the pool, so that cached keys can be read and relations dropped while others are filled.
  const copies = Math.max(1, Math.floor(pool.options.max / 2));

  function spentBy(statement: StatementContext): Spent {
    const budget = statement.budget ?? statement;
    let so = spent.get(budget);
    if (so === undefined) spent.set(budget, (so = { lookups: 0, answers: new Map() }));
    return so;
  }

  const parts = { relations, limiter, copies, clock, log, metrics, scans, connections, closing: closing.signal };

  /** close() waits for what runs, so that nothing touches the pool after it. */
  function run(task: Task): Promise<HydratedRows> {
    const work = hydrate(task, parts);
    running.add(work);
    const forget = () => void running.delete(work);
    work.then(forget, forget);
    return work;
  }

  return {
    scan: async (request, statement, isEnough) => {
      const source = sourceOf(sources, request.table.source, 'scan');
      const asked = { source, request, statement };
      const scan = (cached: CachedScan | undefined) =>
        run({
          ...taskOf(request, statement),
          isEnough: request.order === undefined ? undefined : isEnough,
          recorded: { kind: 'scan' },
          cached,
          fill: (fetch) => fillScan(source, request, fetch, { scheduler, cache, turns, claims, quotas, clock, cached }),
        });
      const cached = mayBeKept(source, request) ? new CachedScan(scanCache, clock, asked) : undefined;
      return scan(cached).catch((error: unknown) => {
        // A value of a column that only others have asked for is no failure of this statement.
        const mayBeOthers = error instanceof TrailhoundError && error.code === 'unreadable_record';
        if (!mayBeOthers || cached?.readsMore !== true) throw error;
        return scan(new CachedScan(scanCache, clock, asked, false));
      });
    },
    lookup: (request, statement) =>
      run({
        ...taskOf(request, statement),
        recorded: { kind: 'lookup', keys: request.keys.length },
        fill: (fetch) => {
          const own = { scheduler, flights, cache, claims, quotas, clock, spent: spentBy(statement) };
          return fillLookup(sourceOf(sources, request.table.source, 'lookup'), request, fetch, own);
        },
      }),
    store: (columns, rows, statement) =>
      run({
        name: 'statement',
        columns,
        mapped: [],
        recorded: undefined,
        ofSession: true,
        statement,
        fill: async (fetch, write) => {
          for await (const some of untilAborted(rows, fetch.signal)) await write(some);
        },
        // What the client's backend says is relayed as it is.
        failure: (error) => error,
      }),
    recorded: async () => {
      await Promise.all([scans.flush(), quotas.flush(), connections.flush()]);
    },
    quotas: () => quotas.remaining(),
    sweep: async () => {
      const sweeping = Promise.all([sweeper.start(), cleaning.start()]);
      // Who closes right after the start waits for it: the pool must not end under it.
      running.add(sweeping);
      try {
        const [dropped] = await sweeping;
        return dropped;
      } finally {
        running.delete(sweeping);
      }
    },
    close: async () => {
      closing.abort(new TrailhoundError('admin_shutdown', 'terminating connection due to administrator command'));
      await Promise.allSettled(running);
      await scanCache.close();
      await Promise.all([claims?.close(), sweeper.close()]);
      await Promise.all([cache.flush(), scans.flush(), quotas.flush(), connections.flush(), cleaning.close()]);
      await relations.close();
    },
  };
}

function taskOf(request: ScanRequest | LookupRequest, statement: StatementContext): Omit<Task, 'fill' | 'recorded'> {
  const { table, columns } = request;
  return {
    name: table.name,
    columns,
    mapped: columns,
    ofSession: false,
    statement,
    failure: (error) => toStatementError(error, table.name),
  };
}

function sourceOf<Kind extends Source['kind']>(
  sources: ReadonlyMap<string, Source>,
  name: string,
  kind: Kind,
): Extract<Source, { kind: Kind }> {
  const source = sources.get(name);
  if (source?.kind === kind) return source as Extract<Source, { kind: Kind }>;
  throw new TrailhoundError(
    'internal',
    `no source named ${name} can ${kind === 'scan' ? 'be scanned' : 'look up keys'}`,
  );
}
