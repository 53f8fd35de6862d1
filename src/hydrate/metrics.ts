import type { SourceErrorKind } from '../sources/source.ts';

/** How one request to a source ended. */
export type CallStatus = 'ok' | 'aborted' | 'failed' | SourceErrorKind;

/** What hydration counts. Times are seconds, sizes bytes, as Prometheus wants them. */
export interface HydrationMetrics {
  call(source: string, status: CallStatus): void;
  retry(source: string): void;
  /** Time that a call spent waiting for a rate limit or before a retry. */
  wait(source: string, seconds: number): void;
  /** One scan or lookup of a table has ended. */
  hydration(table: string, outcome: 'ok' | 'failed', seconds: number, rows: number, bytes: number): void;
  /** Keys answered without a call, because somebody had asked before. */
  cached(table: string, keys: number): void;
}

/** Upper bounds in seconds of the histogram of hydration times: from one cached answer to a minute-long scan. */
export const HYDRATION_SECONDS = [0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300] as const;

export interface HydrationHistogram {
  /** Not cumulative: one more than HYDRATION_SECONDS, the last for what is above them all. */
  readonly counts: readonly number[];
  readonly sum: number;
}

export interface HydrationCounters {
  /** By source, then by status. */
  readonly calls: ReadonlyMap<string, ReadonlyMap<CallStatus, number>>;
  readonly retries: ReadonlyMap<string, number>;
  readonly waitSeconds: ReadonlyMap<string, number>;
  /** By table, then by outcome. */
  readonly hydrations: ReadonlyMap<string, ReadonlyMap<'ok' | 'failed', number>>;
  readonly rows: ReadonlyMap<string, number>;
  readonly bytes: ReadonlyMap<string, number>;
  readonly cacheHits: ReadonlyMap<string, number>;
  readonly seconds: ReadonlyMap<string, HydrationHistogram>;
}

/** Counters in memory: given to the hydrator, read by whoever serves /metrics. */
export function createHydrationCounters(): HydrationMetrics & HydrationCounters {
  const calls = new Map<string, Map<CallStatus, number>>();
  const retries = new Map<string, number>();
  const waitSeconds = new Map<string, number>();
  const hydrations = new Map<string, Map<'ok' | 'failed', number>>();
  const rowCounts = new Map<string, number>();
  const byteCounts = new Map<string, number>();
  const hits = new Map<string, number>();
  const seconds = new Map<string, { counts: number[]; sum: number }>();
  return {
    calls,
    retries,
    waitSeconds,
    hydrations,
    rows: rowCounts,
    bytes: byteCounts,
    cacheHits: hits,
    seconds,
    call: (source, status) => add(inner(calls, source), status, 1),
    cached: (table, keys) => add(hits, table, keys),
    retry: (source) => add(retries, source, 1),
    wait: (source, spent) => add(waitSeconds, source, spent),
    hydration: (table, outcome, spent, rows, bytes) => {
      add(inner(hydrations, table), outcome, 1);
      add(rowCounts, table, rows);
      add(byteCounts, table, bytes);
      let histogram = seconds.get(table);
      if (histogram === undefined) {
        histogram = { counts: new Array<number>(HYDRATION_SECONDS.length + 1).fill(0), sum: 0 };
        seconds.set(table, histogram);
      }
      const index = HYDRATION_SECONDS.findIndex((bound) => spent <= bound);
      const bucket = index < 0 ? HYDRATION_SECONDS.length : index;
      histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
      histogram.sum += spent;
    },
  };
}

function add<K>(counter: Map<K, number>, key: K, value: number): void {
  counter.set(key, (counter.get(key) ?? 0) + value);
}

function inner<V>(outer: Map<string, Map<V, number>>, key: string): Map<V, number> {
  let map = outer.get(key);
  if (map === undefined) outer.set(key, (map = new Map<V, number>()));
  return map;
}
