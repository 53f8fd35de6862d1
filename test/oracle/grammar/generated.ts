/** A bound value as a client sends it. */
export interface Argument {
  /** pg_type's oid; 0 leaves it to PostgreSQL. */
  readonly type: number;
  readonly format: 0 | 1;
  readonly value: Buffer | null;
}

/**
 * Whether every look-up of a statement has its keys by construction. `bounded`: a refusal counts; `unbounded`: an answer
 * is a mistake; `unknown`: either is right, so long as the rows are.
 */
export type Label = 'bounded' | 'unbounded' | 'unknown';

export interface Generated {
  readonly text: string;
  readonly values: readonly Argument[];
  readonly label: Label;
  /** It runs in a transaction that is rolled back; this reads before that what it has changed. */
  readonly after?: string | undefined;
  /** Statements that it needs before it, and what takes them back: then it runs through the endpoint alone. */
  readonly stage?: { readonly before: readonly string[]; readonly afterwards: readonly string[] } | undefined;
  /** Its rows are those that COPY TO STDOUT sends. */
  readonly copies?: boolean | undefined;
  /** Rows come in one order: ties are equal rows. */
  readonly ordered: boolean;
  /** Set where LIMIT leaves a choice: the same statement without it, and how many rows it may take. */
  readonly choice?: { readonly text: string; readonly count: number; readonly offset: number } | undefined;
  /**
   * By table, statements over the plain tables that together give every key that may be asked for. A table that is absent
   * is not checked.
   */
  readonly allowed: ReadonlyMap<string, readonly string[]>;
  /** Shapes that it is made of, for counting. */
  readonly shapes: ReadonlySet<string>;
}
