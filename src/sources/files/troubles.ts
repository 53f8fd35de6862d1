import type { CallContext, SourceError } from '../source.ts';

/** What is wrong with a file is told here, and thrown from here where it fails the statement. */
export interface Troubles {
  /** `rest`: neither can what follows in the file be read. */
  unreadable(error: SourceError, rest: boolean): void;
  /** So many records are no UTF-8: bytes that are no character have become U+FFFD. */
  replaced(records: number): void;
  /** So many records are no events of CloudTrail; `where`: the first one. Nothing is wrong with that, but their columns are NULL. */
  eventless(records: number, where: string): void;
}

/** Fails the statement at the first thing that cannot be read; where the session takes partial answers, counts them. */
export function createTroubles(table: string, context: CallContext): Troubles & { tell(): void } {
  const records = { count: 0, first: '' };
  const files = { count: 0, first: '' };
  let replaced = 0;
  const eventless = { count: 0, first: '' };
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
    eventless: (more, where) => {
      if (eventless.count === 0) eventless.first = where;
      eventless.count += more;
    },
    tell: () => {
      const warn = (message: string) => context.notice('WARNING', message);
      if (files.count > 0) {
        warn(`${files.count} files of ${table} could not be read, or not to their end; the first: ${files.first}`);
      }
      if (records.count > 0) {
        warn(`${records.count} records of ${table} could not be read and are missing; the first: ${records.first}`);
      }
      if (eventless.count > 0) {
        context.notice(
          'NOTICE',
          `${eventless.count} records of ${table} have no eventTime, eventName or eventSource, so they are no events of CloudTrail; the first: ${eventless.first}. A condition on path leaves out their files`,
        );
      }
      if (replaced > 0) {
        warn(`${replaced} records of ${table} are not UTF-8: bytes that are no character were replaced by U+FFFD`);
      }
    },
  };
}
