import type { Column, Operator, VirtualTable } from '../catalog/table.ts';

/**
 * One conjunct over one column, its values already computed by PostgreSQL.
 *
 * `values`: `=` has one or more (IN list); `<>`, `<`, `<=`, `>`, `>=`, `like`, `not like` exactly one; the `is …` none.
 * Texts are PostgreSQL's output form, but for timestamptz, which is milliseconds since the epoch as a decimal number
 * that may carry a fraction (`1763761234567.123`) or be `Infinity`/`-Infinity`.
 */
export interface Predicate {
  readonly column: Column;
  /**
   * Of a jsonb column: the place within it whose text (`#>>`) is compared. Names of members, numbers of elements; empty: all of it,
   * as PostgreSQL writes it (`::text`).
   */
  readonly steps?: readonly (string | number)[] | undefined;
  readonly operator: Operator;
  readonly values: readonly string[];
}

/** What a conjunct says that is more than one predicate; `or` has an alternative at least. */
export type Condition =
  | { readonly kind: 'predicate'; readonly predicate: Predicate }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Condition[] };

/** What is true of every row that counts. */
export type Conjuncts = Pick<ScanRequest, 'predicates' | 'conditions'>;

/** `exact`: the source returns just the rows that satisfy it; `inexact`: a superset; `none`: it does not look at it. */
export type Exactness = 'exact' | 'inexact' | 'none';

export interface Pushed {
  readonly predicate: Predicate;
  readonly exactness: Exactness;
  /** What the source is asked, in its own words: `startTime=…`, `{ $.eventName = "CreateUser" }`. Shown by EXPLAIN. */
  readonly as?: string | undefined;
}

export interface PushedCondition {
  readonly columns: readonly Column[];
  readonly exactness: Exactness;
  readonly as?: string | undefined;
}

/** `any_value`: of some row; NULL only where it is NULL in all of them. */
export interface Aggregate {
  readonly function: 'count' | 'min' | 'max' | 'any_value';
  /** Undefined: `count(*)`. */
  readonly column: Column | undefined;
}

/** What is wanted of a scan in the place of its rows. */
export interface Aggregation {
  /** Rows with the same values are a group, NULL a value like any other. Empty: all rows are one, even where there are none. */
  readonly groupBy: readonly Column[];
  /** The first of them is `count(*)`. */
  readonly aggregates: readonly Aggregate[];
}

/** The order in which a statement wants rows, of which it needs the first ones. The column is a number or a time. */
export interface Order {
  readonly column: Column;
  readonly direction: 'asc' | 'desc';
  readonly nulls: 'first' | 'last';
}

export interface ScanRequest {
  readonly table: VirtualTable;
  /** The columns that the statement uses and that have a path. */
  readonly columns: readonly Column[];
  /** Conjuncts; the statement keeps them all, so a source may return too many rows but never too few. */
  readonly predicates: readonly Predicate[];
  /** Further conjuncts, with alternatives or of places within a column: a source need not look at them. */
  readonly conditions?: readonly Condition[] | undefined;
  /** Only set when every conjunct was planned `exact`. */
  readonly limit?: number | undefined;
  /**
   * Only set when every conjunct was planned `exact`; a scan is asked for it only where the source plans it `exact`. Its
   * records are groups then: `added.groups` and `added.aggregates` have the values in the order of the request, which
   * `columns` name. A group may come in parts, as from several regions.
   */
  readonly aggregation?: Aggregation | undefined;
  /**
   * The consumer stops where it has all rows that it needs. Only set for a scan that the source plans `exact`: then its
   * pages say how far they have come (`Page.reached`). Rows between two such pages may come in any order.
   */
  readonly order?: Order | undefined;
  /**
   * Optional columns by which the statement chooses rows, be it by a predicate or in a way that none says, of a table with an
   * input that has a default: where predicates and conditions do not say how far, all of them may be wanted.
   */
  readonly chosenBy?: readonly Column[] | undefined;
  /** Rows may come as COPY reads them (`Page.copied`), with `columns` in this order. */
  readonly copied?: boolean | undefined;
  /** Of which it asks for the rest, because earlier rows are kept: what is told of where it looks is told of all. */
  readonly restOf?: ScanRequest | undefined;
}

/** Rows in PostgreSQL's COPY text format, UTF-8: all of its characters can be stored, its values are such as their columns take. */
export interface CopiedRows {
  readonly bytes: Uint8Array;
  readonly rows: number;
}

/** What a source would do, found out without any call: pure, and what EXPLAIN prints. */
export interface ScanPlan {
  readonly pushed: readonly Pushed[];
  /** Of the request's conditions. */
  readonly pushedConditions?: readonly PushedCondition[] | undefined;
  /** Of the request's aggregation; by default `none`. */
  readonly aggregation?: 'exact' | 'none' | undefined;
  /** Of the request's order; by default `none`. */
  readonly order?: 'exact' | 'none' | undefined;
  /** True when the predicates contradict one another: nothing is called, no row returned. */
  readonly empty: boolean;
  /** One line an independent part (region and log group), for EXPLAIN. */
  readonly parts: readonly string[];
  /** What it costs in calls, for EXPLAIN; undefined: one or more for each part. */
  readonly calls?: string | undefined;
  /** NOTICEs to send before the scan: what a missing bound costs. */
  readonly notices: readonly string[];
}

/** One record of a source, before it is cut into columns. */
export interface SourceRecord {
  /** The record as parsed JSON; column paths lead into it. */
  readonly value: unknown;
  /** What the source adds: path `@x` reads `added.x`. */
  readonly added: Readonly<Record<string, unknown>>;
  /** The record's own text: path `@record`. */
  readonly text?: string | undefined;
  /** Where it was read, for messages: `log group x, event y`. Called only when a message is made. */
  readonly origin: () => string;
}

export interface Page {
  readonly records: readonly SourceRecord[];
  /** Further rows, of records that nobody needs to see as such; only where the request says so. */
  readonly copied?: CopiedRows | undefined;
  /** Response bytes as received, for statistics. */
  readonly bytes: number;
  /** When the newest of its events happened, wanted or not: milliseconds since the epoch. */
  readonly newest?: number | undefined;
  /** A big page may come in parts, so that not all of its records are held at once: true of each but the first. */
  readonly continued?: boolean;
  /**
   * Of a scan in an order: the value before which no row of a later page comes, though equal ones may. Milliseconds since
   * the epoch for a time. Where NULLs come first, all of them have come.
   */
  readonly reached?: number | undefined;
}

/** Declared by a source, kept by hydrate/: all requests with the same key share the limit. */
export interface RateLimit {
  /** `logs:FilterLogEvents:111122223333:us-east-1` */
  readonly key: string;
  /** Requests started at once. */
  readonly concurrency: number;
  readonly requestsPerSecond?: number | undefined;
  /** Whose requests they are: the connection's name in the configuration. */
  readonly connection?: string | undefined;
}

/** Requests that a service allows an account until a time. It counts them itself, and hydrate/ keeps what it says; or hydrate/ counts. */
export interface Quota {
  /** As `trailhound.quota` names it: `abuseipdb_check`. */
  readonly source: string;
  /** Tells accounts apart without saying whose they are: never a secret. */
  readonly account: string;
  /** For messages: `AbuseIPDB`. */
  readonly service: string;
  /** So many a day, by UTC, where answers do not say what remains: the source tells of each request that it makes. */
  readonly perDay?: number | undefined;
}

/** As a service's answer says. */
export interface QuotaState {
  readonly limit: number;
  readonly remaining: number;
  /** Milliseconds since the epoch; undefined where it is not said. */
  readonly resetsAt: number | undefined;
}

/** What hydrate/ gives a source: the only road to the outside. */
export interface CallContext {
  readonly signal: AbortSignal;
  /** trailhound.partial: a part that fails (a region) may become a `notice` WARNING that counts what is missing. */
  readonly partial?: boolean;
  /** Waits for the rate limit, sends, retries what `SourceError` says is retryable (jitter, Retry-After), counts. */
  call<T>(limit: RateLimit, send: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** A call that waits for nobody and is not repeated, as a file of this machine is read: counted as one that was answered. */
  called?(connection: string): void;
  /** What an answer said of a quota. */
  quota?(quota: Quota, state: QuotaState): void;
  /** A request of a quota `perDay` is on its way. */
  spent?(quota: Quota): void;
  /** Where is looked, in the user's words: for the message under an empty result, and `trailhound.scan`. */
  searched?(where: string): void;
  /** Something the user should know, sent as a WARNING or NOTICE. */
  notice(severity: 'NOTICE' | 'WARNING', message: string): void;
}

/** What an answer depends on, as the key cache has it. */
export interface KeptAs {
  readonly key: string;
  readonly inputs: Readonly<Record<string, string>>;
}

/** Rows never change, and have all come once the time at this path of theirs lies so far back. */
export interface Settled {
  readonly path: string;
  readonly afterMs: number;
}

export interface ScanSource {
  readonly kind: 'scan';
  /** Undefined: rows may change, so that none can be kept but as all of them were at once. */
  readonly settled?: Settled | undefined;
  /**
   * The path of a column whose `=` says where to look, which may be where nothing is read without it: rows that were read
   * without it hold none of there.
   */
  readonly places?: string | undefined;
  /** Its records are whole, whichever columns are asked for: rows of further columns can be cut from the same answers. */
  readonly wholeRecords?: boolean | undefined;
  /** Each scan takes one request of it. */
  readonly quota?: Quota | undefined;
  /**
   * Of a small answer that costs quota: as what it is kept for the table's time to live. Others under which an answer
   * may stand that will do as well come first, its own last. Undefined: answers are never kept.
   */
  keptAs?(request: ScanRequest): readonly KeptAs[];
  plan(request: ScanRequest): ScanPlan;
  /** Pages in any order; parts are fetched in parallel; the consumer's stopping stops them. */
  scan(request: ScanRequest, context: CallContext): AsyncIterable<Page>;
  close(): Promise<void>;
}

export interface LookupKey {
  /** In PostgreSQL's output form: `203.0.113.7`. */
  readonly key: string;
  /** Input columns by name, in text: `{ max_age_in_days: '90' }`. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** An input whose default leaves out rows that conditions on another column ask for. */
export interface InputReach {
  readonly input: string;
  /** The other column's. */
  readonly path: string;
  /** What the input must be at least for the rows that satisfy conjuncts; undefined: they say nothing of the column. */
  least(conjuncts: Conjuncts): string | undefined;
  /** For a NOTICE: they ask for more than the service tells with any value. */
  beyond(conjuncts: Conjuncts): string | undefined;
}

export interface LookupSource {
  readonly kind: 'lookup';
  readonly reach?: InputReach | undefined;
  /** Requests in flight at once when the session says nothing else. */
  readonly limit: RateLimit;
  /** Each look-up takes one request of it, or more. */
  readonly quota?: Quota | undefined;
  /** Answers that need no call (private addresses): undefined where one is needed. */
  answerLocally(key: LookupKey): readonly SourceRecord[] | undefined;
  /**
   * Names what else answers depend on: who is asked (an address in the configuration), and which kind of answer these
   * columns need (`verbose`). Part of the cache's key, and so never a secret. Undefined: nothing else.
   */
  variant?(columns: readonly Column[]): string | undefined;
  /** One call. `columns`: what the statement uses (`reports` is asked for only when it does). */
  lookup(key: LookupKey, columns: readonly Column[], context: CallContext): Promise<readonly SourceRecord[]>;
  close(): Promise<void>;
}

export type Source = ScanSource | LookupSource;

export type SourceErrorKind =
  'credentials' | 'unreachable' | 'throttled' | 'invalid_request' | 'not_found' | 'quota' | 'nonsense';

/** What a source throws; hydrate/ retries or turns it into a TrailhoundError. Never holds a secret. */
export class SourceError extends Error {
  readonly kind: SourceErrorKind;
  readonly retryable: boolean;
  /** As the service said it (Retry-After), in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The connection's name in the configuration. */
  readonly connection: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;

  constructor(
    kind: SourceErrorKind,
    connection: string,
    message: string,
    fields: {
      retryable?: boolean;
      retryAfterMs?: number | undefined;
      detail?: string | undefined;
      hint?: string | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.name = 'SourceError';
    this.kind = kind;
    this.connection = connection;
    this.retryable = fields.retryable ?? false;
    this.retryAfterMs = fields.retryAfterMs;
    this.detail = fields.detail;
    this.hint = fields.hint;
  }
}
