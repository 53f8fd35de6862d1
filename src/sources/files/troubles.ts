import type { CallContext, SourceError } from '../source.ts';

/** What is wrong with a file is told here, and thrown from here where it fails the statement. */
export interface Troubles {
  /** `rest`: neither can what follows in the file be read. */
  unreadable(error: SourceError, rest: boolean): void;
  /** So many records are no UTF-8: bytes that are no character have become U+FFFD. */
  replaced(records: number): void;
}

/** Fails the statement at the first thing that cannot be read; where the session takes partial answers, counts them. */
export function createTroubles(table: string, context: CallContext): Troubles & { tell(): void } {
  const records = { count: 0, first: '' };
  const files = { count: 0, first: '' };
  let replaced = 0;
  const count = (of: { count: number; first: string }, error: SourceError) => {
    of.count += 1;
    if (of.count === 1) of.first = error.message;
  };
  return {
    unreadable: (error, rest) => {
      if (context.partial !== true) throw error;
      count(rest ? files : records, error);
    },
    replaced: (more) => {
      replaced += more;
    },
    tell: () => {
      const warn = (message: string) => context.notice('WARNING', message);
      if (files.count > 0) {
        warn(`${files.count} files of ${table} could not be read, or not to their end; the first: ${files.first}`);
      }
      if (records.count > 0) {
        warn(`${records.count} records of ${table} could not be read and are missing; the first: ${records.first}`);
      }
      if (replaced > 0) {
        warn(`${replaced} records of ${table} are not UTF-8: bytes that are no character were replaced by U+FFFD`);
      }
    },
  };
}
