import { mergeParts, type Part } from '../../merge-parts.ts';
import type { CallContext, Page } from '../../source.ts';
import { CONCURRENT_REGIONS } from '../each-place.ts';
import type { PageReader } from './page-reader.ts';

/**
 * The first page of each, and from then on one page at a time of the quarter that has come the least far: what is older than
 * a statement needs is not asked for.
 */
export async function* readNewestFirst(
  readers: readonly PageReader[],
  context: CallContext,
): AsyncGenerator<Page, void, undefined> {
  let open = readers;
  for (let next = open; next.length > 0; next = open.slice(0, Math.ceil(open.length / 4))) {
    const parts = next.map(
      (reader): Part<Page> =>
        async function* onePage(partContext) {
          yield await reader.next(partContext);
        },
    );
    yield* mergeParts(parts, context, { concurrency: CONCURRENT_REGIONS });
    open = open.filter(({ ended }) => !ended).toSorted(byReached);
    const [newest] = open;
    if (newest !== undefined && Number.isFinite(newest.reached)) {
      yield { records: [], bytes: 0, continued: true, reached: newest.reached };
    }
  }
}

/** The least far first; infinite where nobody knows how far. */
function byReached({ reached: one }: PageReader, { reached: other }: PageReader): number {
  return one === other ? 0 : other - one;
}
