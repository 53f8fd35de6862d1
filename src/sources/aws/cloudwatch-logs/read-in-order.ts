import type { Part } from '../../merge-parts.ts';
import { intersect, isEmptyRange, type TimeRange } from '../../time-range.ts';
import { piecesOf, quartersOf } from './pieces.ts';
import { type Delivered, type LogGroupRead, type TooMuch, logGroupPart } from './read-log-group.ts';
import type { CompiledScan } from './scan-plan.ts';
import { msPerPage, pagesOf } from './shards.ts';
import type { TimeOrder } from './time-order.ts';

/** How far a scan in an order has come, as `Page.reached` says. */
export interface Reached {
  readonly reached: number;
}

type Merge = (parts: readonly (readonly [LogGroupRead, Part<Delivered>])[]) => AsyncIterable<Delivered>;

/** Fewer pages are read sooner than pieces of them; where the first one does not tell, so many are read to find out. */
const FEWEST_PAGES = 3;
/** A piece of more pages is divided, but for as many as have been read. */
const PAGES_A_PIECE = 16;

/**
 * FilterLogEvents gives a range's oldest events first, whatever is wanted of it. Newest first are pieces of time, each
 * read whole, by all log groups that have more than a few pages.
 */
export async function* readInOrder(
  reads: readonly LogGroupRead[],
  order: TimeOrder,
  scan: CompiledScan,
  merge: Merge,
): AsyncGenerator<Delivered | Reached, void, undefined> {
  const { direction } = order;
  const large = new Map<LogGroupRead, TooMuch>();
  const isLarge = (read: LogGroupRead, first: TooMuch): boolean => {
    const { pages, pageMs } = first.soFar;
    const isTold = pageMs !== undefined && pagesOf(read.range, first.soFar, Date.now()) >= FEWEST_PAGES;
    if (isTold || pages > FEWEST_PAGES) large.set(read, first);
    return large.has(read);
  };
  yield* merge(reads.map((read) => [read, logGroupPart(read, scan, (first) => isLarge(read, first))]));
  if (large.size === 0) return;
  const largeReads = [...large].map(([read, { delivered }]): LogGroupRead => ({ ...read, delivered }));
  const ranges = largeReads.map(({ range }) => range);
  const range = {
    start: Math.min(...ranges.map(({ start }) => start)),
    end: Math.max(...ranges.map(({ end }) => end)),
  };
  const told = [...large.values()].map(({ soFar }) => soFar);
  const known = {
    msPerPage: least(told.map(msPerPage)),
    oldest: least(told.map(({ span }) => span?.first)),
    now: Math.min(Date.now(), scan.latest),
  };
  const piecewise = new Piecewise(order, scan, merge);
  for (const piece of piecesOf(range, direction, known)) yield* piecewise.read(largeReads, piece);
}

/** Reads one piece after the other. */
class Piecewise {
  readonly #order: TimeOrder;
  readonly #scan: CompiledScan;
  readonly #merge: Merge;
  #pages = 0;

  constructor(order: TimeOrder, scan: CompiledScan, merge: Merge) {
    this.#order = order;
    this.#scan = scan;
    this.#merge = merge;
  }

  /** Where a piece turns out to hold far more than the ones before it, its quarters are read in their order. */
  async *read(reads: readonly LogGroupRead[], piece: TimeRange): AsyncGenerator<Delivered | Reached, void, undefined> {
    const { direction } = this.#order;
    const most = Math.max(PAGES_A_PIECE, this.#pages);
    const within = reads.flatMap((read): LogGroupRead[] => {
      const range = intersect(read.range, piece);
      return isEmptyRange(range) ? [] : [{ ...read, range }];
    });
    const tooLarge: LogGroupRead[] = [];
    const isTooMuch = (read: LogGroupRead, { soFar }: TooMuch): boolean => {
      const pages = soFar.pages === 1 ? pagesOf(read.range, soFar, Date.now()) : 0;
      const isSo = pages > most && Number.isFinite(pages) && Number.isFinite(piece.end - piece.start);
      if (isSo) tooLarge.push(read);
      return isSo;
    };
    const parts = within.map(
      (read) => [read, logGroupPart(read, this.#scan, (first) => isTooMuch(read, first))] as const,
    );
    for await (const delivered of this.#merge(parts)) {
      this.#pages += 1;
      yield delivered;
    }
    if (tooLarge.length > 0) {
      for (const quarter of quartersOf(piece, direction)) yield* this.read(tooLarge, quarter);
    }
    yield { reached: this.#order.reachedAt(direction === 'desc' ? piece.start - 1 : piece.end + 1) };
  }
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.flatMap((value) => value ?? []);
  return known.length === 0 ? undefined : Math.min(...known);
}
