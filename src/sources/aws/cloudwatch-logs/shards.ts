import type { TimeRange } from '../../time-range.ts';

/** `piece`: one of growing size, of which little is known; `shard`: one of many that should be as large as each other. */
export type PartKind = 'whole' | 'piece' | 'shard';

/** A part of a range, to be read by itself. */
export interface Division {
  readonly range: TimeRange;
  readonly kind: PartKind;
}

/** What the pages of a range have told that have come so far, the last of which has a token for more. */
export interface SoFar {
  readonly pages: number;
  /** Timestamps of the first and the last event that came; undefined where none did. */
  readonly span: { readonly first: number; readonly last: number } | undefined;
  /** Milliseconds that the last page spans; undefined where it ends because the service stopped to search: that tells little. */
  readonly pageMs: number | undefined;
}

/** A shard costs its last page, which is half empty, and ends alone: this many pages make both matter little. */
const PAGES_A_SHARD = 20;
const MOST_SHARDS = 32;
/** Of a few pages: where all events are near the beginning, the other shards are asked for nothing. */
const FEW_SHARDS = 8;
/** Each piece is so much longer than what lies before it. */
const GROWTH = 4;
/** Fewer pages are read one after the other sooner than they are divided. */
const FEWEST_PAGES: Readonly<Record<PartKind, number>> = { whole: 6, piece: 24, shard: 48 };
/** From more on, one page is no reason to believe that the others are like it: pieces tell more. */
const MOST_EQUAL_PAGES: Readonly<Record<PartKind, number>> = { whole: 100, piece: 512, shard: 0 };
/** Where the first page did not tell, or told less than there is, this one is the next to be asked. */
export const LATE_PAGES = 8;
/** What has been read is read again then, so that more must be left. */
const FEWEST_PAGES_LEFT: Readonly<Record<PartKind, number>> = { whole: 24, piece: 64, shard: 64 };
/** Of a range where pages come and come without an event. */
const VAGUE_SHARDS = 8;

/**
 * Ranges that make up a range, none of them empty, no millisecond in two of them; undefined where the next page is to be
 * read sooner. Only how large they are depends on the order of a page's events, which are "sorted by event timestamp":
 * what has come is in them again.
 *
 * @param now where the range has no end: nothing much lies beyond
 */
export function divisionOf(
  range: TimeRange,
  soFar: SoFar,
  kind: PartKind,
  now: number,
): readonly Division[] | undefined {
  switch (soFar.pages) {
    case 1:
      return byFirstPage(range, soFar, kind, now);
    case LATE_PAGES:
      return byManyPages(range, soFar, kind, now);
    default:
      return undefined;
  }
}

/** How many pages a range has that has some; infinitely many where those that came do not tell. */
export function pagesOf(range: TimeRange, soFar: SoFar, now: number): number {
  const length = msPerPage(soFar);
  if (length === undefined || soFar.span === undefined) return Number.POSITIVE_INFINITY;
  return (endOf(range, soFar, now) - soFar.span.first) / length;
}

/** What a page spans, as the last one or all of them let us think; undefined where they say nothing. */
export function msPerPage({ pages, span, pageMs }: SoFar): number | undefined {
  if (pageMs !== undefined) return pageMs;
  return pages > 1 && span !== undefined && span.last > span.first ? (span.last - span.first) / pages : undefined;
}

function byFirstPage(range: TimeRange, soFar: SoFar, kind: PartKind, now: number): readonly Division[] | undefined {
  const { span, pageMs } = soFar;
  const pages = pagesOf(range, soFar, now);
  if (span === undefined || pageMs === undefined || !(pages >= FEWEST_PAGES[kind])) return undefined;
  const end = endOf(range, soFar, now);
  if (pages > MOST_EQUAL_PAGES[kind]) return divided(range, 'piece', growing(span.first, end, pageMs));
  const few = kind === 'whole' ? Math.min(FEW_SHARDS, Math.floor(pages / 3)) : 1;
  const count = Math.min(MOST_SHARDS, Math.max(Math.ceil(pages / PAGES_A_SHARD), few));
  return divided(range, 'shard', equal(span.first, end, count));
}

function byManyPages(range: TimeRange, soFar: SoFar, kind: PartKind, now: number): readonly Division[] | undefined {
  const { span } = soFar;
  const length = msPerPage(soFar);
  const end = endOf(range, soFar, now);
  if (span === undefined || length === undefined) {
    return kind === 'whole' && Number.isFinite(range.start)
      ? divided(range, 'shard', equal(range.start, end, VAGUE_SHARDS))
      : undefined;
  }
  if ((end - span.last) / length < FEWEST_PAGES_LEFT[kind]) return undefined;
  return divided(range, 'piece', [span.last + 1, ...growing(span.last, end, length)]);
}

function endOf({ end }: TimeRange, { span }: SoFar, now: number): number {
  return Math.min(end, Math.max(now, span?.last ?? now));
}

function equal(start: number, end: number, count: number): readonly number[] {
  return Array.from({ length: Math.max(0, count - 1) }, (_, index) => start + ((index + 1) * (end - start)) / count);
}

function growing(start: number, end: number, pageMs: number): readonly number[] {
  const borders: number[] = [];
  for (let length = PAGES_A_SHARD * pageMs; start + 1.5 * length < end; length *= GROWTH) borders.push(start + length);
  return borders;
}

/** At the borders that lie within it. */
function divided(range: TimeRange, kind: PartKind, borders: readonly number[]): readonly Division[] | undefined {
  const within = [...new Set(borders.map(Math.floor))].filter((border) => border > range.start && border <= range.end);
  if (within.length === 0) return undefined;
  return [range.start, ...within].map((start, index) => {
    const next = within[index];
    return { range: { start, end: next === undefined ? range.end : next - 1 }, kind };
  });
}
