import type { CopiedRows, SourceRecord } from '../sources/source.ts';
import type { Progress, StatementContext } from './hydrator.ts';

/** What one scan or lookup has cost so far. */
export interface FetchTally {
  calls: number;
  pages: number;
  bytes: number;
  cacheHits: number;
  waitMs: number;
}

/** The rows of one reference on their way: what scans and look-ups see of it. */
export interface Fetch {
  readonly statement: StatementContext;
  /** Aborted with the statement, with the hydrator, and when the fetch ends. */
  readonly signal: AbortSignal;
  readonly tally: FetchTally;
  /** What the source is told of the statement's conditions, for `trailhound.scan`. */
  pushed: readonly string[];
  /** Where the source says that it looks, and when the newest of what came happened: for `trailhound.scan`. */
  readonly searched: string[];
  newest: number | undefined;
  /** So far. */
  readonly rows: number;
  /** Resolves when more may come. */
  add(records: readonly SourceRecord[]): Promise<void>;
  addCopied(copied: CopiedRows): Promise<void>;
  /** A scan in an order has come so far. True: the statement has what it needs. */
  isEnough(reached: number): Promise<boolean>;
  progress(state: () => Progress): void;
}
