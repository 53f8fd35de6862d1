import type { Column } from '../../catalog/table.ts';
import type { Asked } from './asked.ts';
import type { KeptPart } from './kept-parts.ts';

/** What was read of a part, and of which times it holds all rows. */
export interface EntryPart {
  readonly part: KeptPart;
  readonly from: number;
  readonly before: number;
}

export interface SourceNotice {
  readonly severity: 'NOTICE' | 'WARNING';
  readonly message: string;
}

/** What is said of a reading beside its rows. */
export interface Said {
  readonly notices: readonly SourceNotice[];
  readonly searched: readonly string[];
  readonly newest: number | undefined;
}

/** A scan whose rows are kept. */
export interface Entry extends Said {
  readonly asked: Asked;
  readonly parts: readonly EntryPart[];
  /** Rows before it are complete for good; undefined: none can be told apart. */
  readonly settledUntil: number | undefined;
  /** When the first of the parts was begun, the last one, and when that ended. */
  readonly oldest: number;
  readonly fetchedAt: number;
  readonly endedAt: number;
}

/** Rows that have settled live so many times as long as their table's others. */
const SETTLED_TTLS = 12;

/** From the beginning of its first part. */
export function livesFor({ asked, settledUntil }: Entry): number {
  return asked.table.ttlMs * (settledUntil === undefined ? 1 : SETTLED_TTLS);
}

/** A scan under way. */
export interface Flight {
  readonly asked: Asked;
  /** Whether others may wait for it. */
  readonly willBeKept: boolean;
  /** It reads the newest rows alone, the others are kept. */
  readonly readsTail: boolean;
  /** Whether it can still read further columns for who asks for its rows. */
  canTake(columns: ReadonlySet<Column>): boolean;
  take(columns: ReadonlySet<Column>): void;
  /** Resolves when its rows are kept, or will not be. */
  readonly ended: Promise<void>;
}
