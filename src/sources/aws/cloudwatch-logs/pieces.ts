import type { TimeRange } from '../../time-range.ts';

/** Each piece is so much larger than the one before: as keys are asked for, in sets of 16, 64, 256. */
const GROWTH = 4;
/** Nothing is known of how many events there are. */
const VAGUE_PIECES = 64;
const VAGUE_MS = 3_600_000;
/** Older than anything that is looked for piece by piece. */
const LONGEST_MS = 400 * 86_400_000;

/** What is known of the events in a range before it is read in pieces. */
export interface Known {
  /** Of a page of them; undefined where that is not known. */
  readonly msPerPage: number | undefined;
  /** Nothing much lies before. */
  readonly oldest: number | undefined;
  /** Nothing much that is wanted lies beyond. */
  readonly now: number;
}

/** A range in growing pieces, from its end or from its start on, none of them empty, no millisecond in two of them. */
export function* piecesOf(
  range: TimeRange,
  direction: 'asc' | 'desc',
  { msPerPage, oldest = range.start, now }: Known,
): Generator<TimeRange, void, undefined> {
  const last = Math.min(range.end, now);
  const first = Math.max(range.start, oldest);
  const vague = Number.isFinite(last - first) ? Math.ceil((last - first) / VAGUE_PIECES) : VAGUE_MS;
  let { start, end } = range;
  for (let length = Math.max(1, msPerPage ?? vague); length <= LONGEST_MS; length *= GROWTH) {
    if (direction === 'desc') {
      const border = Math.min(end, last) - length + 1;
      if (!(border > start)) break;
      yield { start: border, end };
      end = border - 1;
    } else {
      const border = Math.max(start, first) + length - 1;
      if (!(border < end && Number.isFinite(border))) break;
      yield { start, end: border };
      start = border + 1;
    }
  }
  yield { start, end };
}

/** A range in four parts as large as each other, as far as it has milliseconds. */
export function quartersOf({ start, end }: TimeRange, direction: 'asc' | 'desc'): readonly TimeRange[] {
  const borders = [0, 1, 2, 3, 4].map((part) => start + Math.floor((part * (end - start + 1)) / 4));
  const quarters = borders.slice(1).flatMap((next, index): TimeRange[] => {
    const from = borders[index] ?? start;
    return next > from ? [{ start: from, end: next - 1 }] : [];
  });
  return direction === 'asc' ? quarters : quarters.reverse();
}
