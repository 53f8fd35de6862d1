import type { CallContext, SourceError } from '../source.ts';

/** One file of a store. */
export interface StoredFile {
  /** As the column `path` has it: `/evidence/a.json.gz`, `s3://bucket/a.json.gz`. */
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
  /** Files that are opened before anybody is free to read them, where opening takes its time and holds nothing open. */
  readonly openedAhead: number;
  /** The files that a connection's paths mean, each once. */
  list(wanted: Wanted, context: CallContext): AsyncGenerator<StoredFile, Listed, undefined>;
}
