import type { Pool } from '../engine/pool.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { Batches } from './batches.ts';
import type { FetchStatistics } from './hydrator.ts';
import { storableJson } from './storable-text.ts';

/** One scan or look-up that has ended, as `trailhound.scan` shows it. */
export interface ScanEntry {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** The role that logged in. */
  readonly user: string;
  readonly statement: string;
  /** Of the client's backend. */
  readonly pid: number | undefined;
  readonly table: string;
  readonly kind: 'scan' | 'lookup';
  /** What the source was told of the statement's conditions. */
  readonly pushed: readonly string[];
  /** Where it was asked to look. */
  readonly searched: readonly string[];
  /** Of what came: milliseconds since the epoch. */
  readonly newest: number | undefined;
  /** Of a look-up: distinct keys, cached ones included. */
  readonly keys: number | undefined;
  readonly statistics: FetchStatistics;
  /** What it failed with. */
  readonly error: unknown;
}

/** As `trailhound.scan` promises. */
const KEPT = 1_000;
/** A write is a transaction of its own, which would take more of the engine than a short statement does. */
const GATHER_MS = 100;
/** Characters of a statement, an error, or all conditions: pg_stat_activity cuts at 1,024 bytes by default. */
const LONGEST = 8_192;

/** Recent scans, in the engine: seen by every process on it, and by whoever PostgreSQL lets see them. */
export class ScanLog {
  readonly #pool: Pool;
  readonly #batches: Batches<ScanEntry>;
  #count = 0;

  constructor(pool: Pool, log: Logger) {
    this.#pool = pool;
    this.#batches = new Batches({
      size: 100,
      most: KEPT,
      gatherMs: GATHER_MS,
      write: (entries) => this.#insert(entries),
      lost: (error, count) => log.warn({ err: error, entries: count }, 'scans could not be recorded'),
    });
  }

  /** Holds nobody up. */
  add(entry: ScanEntry): void {
    this.#count += 1;
    void this.#batches.add(this.#count, entry);
  }

  /** Resolves once all that was added can be read, or could not be written. */
  flush(): Promise<void> {
    return this.#batches.flush();
  }

  async #insert(entries: readonly ScanEntry[]): Promise<void> {
    await this.#pool.query('select trailhound.record_scans($1::json, $2)', [
      storableJson(JSON.stringify(entries.map(asRow)), { count: 0 }),
      KEPT,
    ]);
  }
}

/** By the columns of trailhound.scan_entry; times in seconds. */
function asRow(entry: ScanEntry): Record<string, unknown> {
  const { statistics, error } = entry;
  const failed = error === undefined ? undefined : failureOf(error);
  return {
    started_at: new Date(entry.startedAt).toISOString(),
    duration: entry.durationMs / 1000,
    role: entry.user,
    statement: cut(entry.statement),
    table_name: entry.table,
    kind: entry.kind,
    pushed: cutAll(entry.pushed),
    keys: entry.keys,
    calls: statistics.calls,
    pages: statistics.pages,
    rows: statistics.rows,
    bytes: statistics.bytes,
    cache_hits: statistics.cacheHits,
    waited: statistics.waitMs / 1000,
    sqlstate: failed?.sqlstate,
    pid: entry.pid,
    searched: cutAll(entry.searched),
    newest: entry.newest === undefined ? undefined : new Date(entry.newest).toISOString(),
    error: failed === undefined ? undefined : cut(failed.message),
  };
}

/** What is not of ours has been logged, and may say what nobody should read here. */
function failureOf(error: unknown): { readonly sqlstate: string; readonly message: string } {
  return error instanceof TrailhoundError ? error : { sqlstate: 'XX000', message: 'internal error' };
}

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

function cutAll(texts: readonly string[]): string[] {
  let left = LONGEST;
  return texts.flatMap((text) => {
    left -= text.length;
    return left >= 0 ? [text] : [];
  });
}
