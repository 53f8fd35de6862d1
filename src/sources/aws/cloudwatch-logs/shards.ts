import type { TimeRange } from '../../time-range.ts';

/** A shard costs its last page, which is half empty, and ends alone: this many pages make both matter little. */
const PAGES_A_SHARD = 16;
/** Fewer pages are read one after the other sooner than they are divided. */
const FEWEST_PAGES = 6;
/** A shard is divided again where its time turns out to hold far more than its share. */
const FEWEST_PAGES_OF_SHARD = 3 * PAGES_A_SHARD;
const MOST_SHARDS = 32;
/** Such an estimate may be wrong by much, as of a log group that ended long ago: a few shards tell more. */
const VAGUE_PAGES = 2_000;
const VAGUE_SHARDS = 8;

/** The first page of a range, which has more. */
export interface FirstPage {
  /** Timestamps of its first and last event; undefined where it has none. */
  readonly span: { readonly first: number; readonly last: number } | undefined;
  /** Whether it ends because it has all that a page holds, rather than because the service stopped to search. */
  readonly isFull: boolean;
  /** Of a range that is a shard itself. */
  readonly isShard?: boolean | undefined;
}

/**
 * Ranges that make up a range, none of them empty, no millisecond in two of them; undefined where it is not worth it. Only
 * how large they are depends on the order of a page's events, which are "sorted by event timestamp".
 *
 * @param now where the range has no end: nothing much lies beyond
 */
export function shardsOf(range: TimeRange, page: FirstPage, now: number): readonly TimeRange[] | undefined {
  const end = Math.min(range.end, Math.max(now, page.span?.last ?? now));
  const start = page.span?.first ?? range.start;
  if (!Number.isFinite(start) || end <= start) return undefined;
  const count = shardCount(page, end - start);
  if (count < 2) return undefined;
  const borders = Array.from({ length: count - 1 }, (_, index) =>
    Math.floor(start + ((index + 1) * (end - start)) / count),
  ).filter((border, index, all) => border > start && border !== all[index - 1]);
  if (borders.length === 0) return undefined;
  const starts = [range.start, ...borders];
  return starts.map((from, index) => {
    const next = starts[index + 1];
    return { start: from, end: next === undefined ? range.end : next - 1 };
  });
}

/** What a page spans, as the first one lets us think; undefined where that says nothing. */
export function msPerPage({ span, isFull }: FirstPage): number | undefined {
  return isFull && span !== undefined && span.last > span.first ? span.last - span.first : undefined;
}

/** How many pages a range has; infinitely many where the first one does not tell. */
export function pagesOf(range: TimeRange, page: FirstPage, now: number): number {
  const { span } = page;
  const length = msPerPage(page);
  if (length === undefined || span === undefined) return Number.POSITIVE_INFINITY;
  return (Math.min(range.end, Math.max(now, span.last)) - span.first) / length;
}

function shardCount({ span, isFull, isShard = false }: FirstPage, length: number): number {
  if (!isFull) return isShard ? 0 : VAGUE_SHARDS;
  if (span === undefined || span.last <= span.first) return 0;
  const pages = length / (span.last - span.first);
  if (pages < (isShard ? FEWEST_PAGES_OF_SHARD : FEWEST_PAGES)) return 0;
  if (pages > VAGUE_PAGES) return VAGUE_SHARDS;
  return Math.min(MOST_SHARDS, Math.max(Math.ceil(pages / PAGES_A_SHARD), Math.min(8, Math.floor(pages / 3))));
}
