/** One JSON object of a file, cut out by its bytes alone: not parsed yet. */
export interface SplitRecord {
  readonly kind: 'record';
  readonly bytes: Buffer;
  /** Where it begins, from 1. */
  readonly line: number;
  /** What stands before it in a line of CloudWatch Logs' export: `2026-11-21T20:00:00.000Z`. */
  readonly time: string | undefined;
  /** It has a key by which files hold their records, and something else than a list behind it. */
  readonly namesList: boolean;
}

/** A place where no record can be found. */
export interface Malformed {
  readonly kind: 'malformed';
  readonly line: number;
  /** In lower case, without a full stop. */
  readonly reason: string;
  /** Nothing after it is read, as nobody can tell where the next record begins. */
  readonly rest: boolean;
}

/** Records that are done with: they cannot be wanted and were not looked at, or their rows are written. */
export interface Passed {
  readonly kind: 'passed';
  readonly records: number;
}

/** As many records as nobody has counted cannot be wanted; from here on they are counted anew. */
export interface Skipped {
  readonly kind: 'skipped';
  /** Bytes of the file, decompressed, that come before. */
  readonly bytes: number;
}

export type Split = SplitRecord | Malformed;
