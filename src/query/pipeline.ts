import type { ClientBackend, Parameter } from './backend.ts';

/** One statement of a simple Query's text. */
export interface StatementText {
  readonly text: string;
  /** Characters before it in the whole text: error positions are shifted by it. */
  readonly offset: number;
  /** Its columns are told before it runs; else once it has given a row, or is done. */
  readonly describedFirst: boolean;
}

export interface RewriteRequest {
  readonly text: string;
  /** As PostgreSQL resolved them in the client's statement, one a parameter. */
  readonly parameterTypes: readonly number[];
  readonly parameters: readonly Parameter[];
  /** Aborted by cancel, disconnect, shutdown, with a TrailhoundError as reason. */
  readonly signal: AbortSignal;
  /** The role of the session at log-in, for messages only. */
  readonly user: string;
  /** The same object for all statements of one session. */
  readonly session: object;
  /** Names of settings that the client set as it connected. */
  readonly startupSettings?: readonly string[];
  /** Of the backend that runs the statement. */
  readonly pid?: number | undefined;
  /** A scan of postgres_fdw: the pid of the client's backend that asks. */
  readonly caller?: number | undefined;
  /** Nothing has run in the statement's transaction yet, and what is injected before it is a transaction of its own. */
  readonly fresh?: boolean | undefined;
  /** Outside of a block, and the first of the client's in its transaction: PostgreSQL refuses what wants a block. */
  readonly outsideBlock?: boolean | undefined;
  /**
   * Lets the statement begin a transaction of its own, of which nothing else will be part. False: it cannot. What is
   * injected before it is called must be done.
   */
  ownTransaction?(): Promise<boolean>;
  /** Where the statement is relayed as it is: called once it has ended. */
  relayed?(ended: () => void): void;
  /** Sent to the client as NoticeResponse, at once. */
  notice(severity: 'NOTICE' | 'WARNING', message: string): void;
}

/** What the backend gets instead of the client's statement. */
export interface Rewrite {
  readonly text: string;
  readonly parameterTypes: readonly number[];
  readonly parameters: readonly Parameter[];
  /** Per result column, what RowDescription must say; undefined: as the backend says. */
  readonly origins: readonly ({ readonly tableOid: number; readonly attnum: number } | undefined)[] | undefined;
  /** EXPLAIN: given the result's only column of all its rows, returns the rows to send instead. */
  readonly explain?: ((lines: readonly string[]) => readonly string[]) | undefined;
  /** The statement's relations outlive Execute (cursors): release when the transaction has ended. */
  readonly holdUntilTransactionEnd: boolean;
  /**
   * To be called when the backend has worked off all that it was sent, before its Bind and each Execute is sent; what it
   * returns, once that is answered, and before anything else is sent. Undefined: it need not be known when it runs.
   */
  readonly run?: (() => () => void) | undefined;
  /** Its portal is gone, or is done: nothing of it will be scanned any more. */
  ended?: (() => void) | undefined;
  /** Never throws. */
  release(): Promise<void>;
}

/** The one road of a statement: analyse, plan, hydrate, substitute. Session, hunts and console all use it. */
export interface QueryPipeline {
  /** Cheap, no parse: false means that no virtual table can be named in it. */
  mayConcern(text: string, pid?: number): boolean;
  /** Undefined where the text does not parse: relay it, PostgreSQL says why. */
  split(text: string): readonly StatementText[] | undefined;
  /**
   * Undefined: names no virtual table after all, or must be relayed as it is.
   * Rejects with TrailhoundError (to be raised by the backend) or BackendError (to be relayed).
   */
  rewrite(request: RewriteRequest, backend: ClientBackend): Promise<Rewrite | undefined>;
}
