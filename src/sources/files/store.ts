import type { CallContext, SourceError } from '../source.ts';

/** One file of a store; `path` as the column of that name has it: `/evidence/a.json.gz`, `s3://bucket/a.json.gz`. */
export type StoredFile = LocalFile | StoredObject;

/** Of this machine: who reads it opens it. */
export interface LocalFile {
  readonly kind: 'local';
  readonly path: string;
}

export interface StoredObject {
  readonly kind: 'object';
  readonly path: string;
  /**
   * Its bytes as they are stored. What is open is closed when the iteration ends, in any way, and when the statement is
   * aborted.
   */
  open(context: CallContext): Promise<AsyncIterable<Uint8Array>>;
}

/** Which files of a store matter. What is left out by its path is never listed or opened. */
export interface Wanted {
  /** `path` ends in a slash. False: no file below it matters, however deep. */
  folder(path: string): boolean;
  /** Of a folder that matters: no condition leaves out anything below it, but by the files' own paths. */
  allBelow(path: string): boolean;
  file(path: string): boolean;
  /** Throws it where a folder that cannot be read, or a file that is not there, fails the statement. */
  failed(error: SourceError): void;
}

/** What was not read, and why, once all has been listed. */
export interface Listed {
  /** Globs and folders without any evidence, and below which no folder was left out. */
  readonly unmatched: readonly string[];
  /** Files whose names do not end as those of evidence do, where the pattern does not say which are. */
  readonly otherNames: { readonly count: number; readonly first: string };
}

/** A place that holds files: a machine's file system, a bucket. */
export interface Store {
  /** The files that a connection's paths mean, each once, as many at a time as are found together. */
  list(wanted: Wanted, context: CallContext): AsyncGenerator<readonly StoredFile[], Listed, undefined>;
}
