import type { Column, VirtualTable } from '../catalog/table.ts';
import type { LookupKey, ScanRequest } from '../sources/source.ts';

/** One row: PostgreSQL's text input form a column, in the order of `HydratedRows.columns`. */
export type Row = readonly (string | null)[];

/** What one virtual statement carries through hydration. */
export interface StatementContext {
  /** Aborted by cancel, statement_timeout, disconnect, shutdown. Its reason is a TrailhoundError. */
  readonly signal: AbortSignal;
  readonly settings: StatementSettings;
  /** Shared by all scans that trailhound.max_lookups bounds together; by default the context itself. */
  readonly budget?: object | undefined;
  /** The role that runs the statement, granted SELECT on relations made for it. */
  readonly role: string;
  /** The role that logged in, and what it sent: for `trailhound.scan`. */
  readonly user: string;
  readonly text: string;
  /** Of the client's backend, once it is known. */
  readonly pid?: number | undefined;
  /** A relation is needed even for few rows (COPY, non-UTF8 clients). */
  readonly relationOnly: boolean;
  notice(severity: 'NOTICE' | 'WARNING', message: string): void;
  progress(state: Progress): void;
}

export interface StatementSettings {
  /** trailhound.cache */
  readonly cache: boolean;
  /** trailhound.cache_max_age in ms; undefined: the table's TTL alone. */
  readonly cacheMaxAgeMs: number | undefined;
  readonly sources: 'live' | 'cache' | 'off';
  readonly maxLookups: number;
  readonly concurrency: number;
  readonly partial: boolean;
  readonly progress: boolean;
}

export interface Progress {
  readonly table: string;
  readonly rows: number;
  readonly callsDone: number;
  /** Undefined where nobody can know (pages). */
  readonly callsKnown: number | undefined;
}

export interface FetchStatistics {
  readonly calls: number;
  readonly pages: number;
  readonly rows: number;
  readonly bytes: number;
  readonly cacheHits: number;
  readonly waitMs: number;
}

/** Rows that will stand for one reference: bound as parameters while they are few, a relation in the engine else. */
export type HydratedRows = (
  | { readonly kind: 'values'; readonly rows: readonly Row[] }
  | {
      readonly kind: 'relation';
      /** As it stands in FROM: quoted and qualified, or a subquery of one. */
      readonly name: string;
    }
  | {
      readonly kind: 'parts';
      readonly parts: readonly TimedRows[];
      /** The column that tells of which part a row is. */
      readonly time: string;
    }
) & {
  /** The fetched columns, in the order of each row or of the relation. */
  readonly columns: readonly StoredColumn[];
  readonly statistics: FetchStatistics;
  /** Drops the relation, later again where a lock prevents it. Idempotent, never throws. */
  release(): Promise<void>;
};

/** Rows whose time is at least `from` and less than `before`, in milliseconds since the epoch; none of them is NULL. */
export interface TimedRows {
  readonly rows: HydratedRows;
  readonly from: number;
  readonly before: number;
}

export interface StoredColumn {
  readonly name: string;
  /** As format_type() prints it. */
  readonly type: string;
}

/**
 * Whether a statement has what it needs of a scan in an order: of all rows so far, which stand until it has answered.
 *
 * @param reached as `Page.reached` says
 */
export type IsEnough = (rows: HydratedRows, reached: number) => Promise<boolean>;

export interface LookupRequest {
  readonly table: VirtualTable;
  /** Distinct, valid for the key column's type. */
  readonly keys: readonly LookupKey[];
  /** The columns that the statement uses and that have a path. */
  readonly columns: readonly Column[];
  /** For messages: which expression gives the keys. */
  readonly keyExpression: string;
}

/** Turns what the planner asks for into rows: scheduling, concurrency, retry, budget, key cache, relations. */
export interface Hydrator {
  /** @param isEnough of a request with an order: asked as the scan comes forward */
  scan(request: ScanRequest, statement: StatementContext, isEnough?: IsEnough): Promise<HydratedRows>;
  lookup(request: LookupRequest, statement: StatementContext): Promise<HydratedRows>;
  /** Rows that came from the client's own backend (a level that must be evaluated once). */
  store(
    columns: readonly StoredColumn[],
    rows: AsyncIterable<readonly Row[]>,
    statement: StatementContext,
  ): Promise<HydratedRows>;
  /** Resolves once what has ended so far can be read in `trailhound.scan` and `trailhound.cache`. */
  recorded(): Promise<void>;
  close(): Promise<void>;
}
