import type { Hunt } from '../hunt.ts';

/** A row as those who are told read it: each column's text, as PostgreSQL writes it. */
export type ToldRow = Readonly<Record<string, string | null>>;

export interface RowsNotification {
  readonly kind: 'rows';
  readonly hunt: Hunt;
  /** The first of them, in the hunt's order. */
  readonly rows: readonly ToldRow[];
  /** How many are new, those that `rows` leaves out included. */
  readonly total: number;
  /** Of all of them. */
  readonly bySeverity: Counts;
  readonly byAccount: Counts;
  readonly byRegion: Counts;
}

/** How often each value is there. */
export type Counts = ReadonlyMap<string, number>;

export interface FailedNotification {
  readonly kind: 'failed';
  /** Undefined: no hunt could run, because the server is not there. */
  readonly hunt: Hunt | undefined;
  readonly sqlstate: string;
  readonly message: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
}

export interface RecoveredNotification {
  readonly kind: 'recovered';
  readonly hunt: Hunt | undefined;
  /** A timestamp as PostgreSQL writes it; undefined: not known. */
  readonly failedSince: string | undefined;
}

export type Notification = RowsNotification | FailedNotification | RecoveredNotification;

/** What `rows` holds at most. */
export const TOLD_ROWS = 100;

/** From most to least frequent. */
export function byFrequency(counts: Counts): readonly (readonly [value: string, count: number])[] {
  return [...counts].sort(([a, more], [b, less]) => less - more || (a < b ? -1 : 1));
}
