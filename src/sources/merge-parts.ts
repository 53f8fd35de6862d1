import { abortable, linkAbort } from '../kernel/abort.ts';
import type { CallContext } from './source.ts';
import { SourceError } from './source.ts';

/** One region, log group or detector, read by itself, by calls that end when the merge does. Starts when first asked for a page. What it divides itself into is read next. */
export type Part<T> = (
  context: CallContext,
  divide: (into: readonly Part<T>[]) => void,
) => AsyncGenerator<T, void, undefined>;

export interface MergeOptions {
  /** Parts read at once; without `mostAhead` each of them holds one page that was fetched ahead. */
  readonly concurrency: number;
  /**
   * Of all parts together: fetch no more pages ahead than these, and than the consumer needs not to wait. Two at first, two more
   * each time that it has to wait for long, one fewer where pages wait for it. The last parts are read side by side, however
   * many may be read at once, so that no long one is left alone at the end.
   */
  readonly mostAhead?: number | undefined;
  /** True where the part's failure has been told to the user and the others go on. */
  readonly tolerate?: ((error: unknown) => boolean) | undefined;
}

const FEWEST_AHEAD = 2;
/** As many as one range is divided into; a part that is begun holds little but what tells its events apart. */
const LAST_TOGETHER = 32;
const LONG_WAIT_MS = 50;

type Step<T> =
  | { readonly kind: 'page'; readonly page: T }
  | { readonly kind: 'end' }
  | { readonly kind: 'failure'; readonly error: unknown };

/**
 * Pages of all parts as they come; each part fetches its next page while the consumer works on the last. When a part
 * fails, those that answered before are stopped, those that did not answer yet are waited for, and every failure is told.
 */
export async function* mergeParts<T>(
  parts: readonly Part<T>[],
  context: CallContext,
  options: MergeOptions,
): AsyncGenerator<T, void, undefined> {
  const { mostAhead = Number.POSITIVE_INFINITY } = options;
  let ahead = options.mostAhead === undefined ? mostAhead : FEWEST_AHEAD;
  const stop = new AbortController();
  const stoppable = stoppableContext(context, stop.signal);
  const waiting: AsyncGenerator<T, void, undefined>[] = [];
  const divide = (into: readonly Part<T>[]): void => {
    waiting.unshift(...into.map((part) => part(stoppable, divide)));
    if (failures.length === 0) open();
  };
  const opened = new Set<AsyncGenerator<T, void, undefined>>();
  const unanswered = new Set<AsyncGenerator<T, void, undefined>>();
  const ready: { readonly from: AsyncGenerator<T, void, undefined>; readonly step: Step<T> }[] = [];
  const failures: unknown[] = [];
  /** Parts that were not asked for their next page yet. */
  const paused: AsyncGenerator<T, void, undefined>[] = [];
  let asked = 0;
  let active = 0;
  let wake = () => {};

  const advance = (from: AsyncGenerator<T, void, undefined>) => {
    asked += 1;
    const settle = (step: Step<T>) => {
      asked -= 1;
      ready.push({ from, step });
      wake();
    };
    from.next().then(
      (result) => settle(result.done === true ? { kind: 'end' } : { kind: 'page', page: result.value }),
      (error: unknown) => settle({ kind: 'failure', error }),
    );
  };
  const open = () => {
    while (asked + ready.length < ahead) {
      const isLast = options.mostAhead !== undefined && active + waiting.length <= LAST_TOGETHER;
      const again = isLast && waiting.length > 0 ? undefined : paused.shift();
      if (again !== undefined) {
        advance(again);
        continue;
      }
      const next = isLast || active < options.concurrency ? waiting.shift() : undefined;
      if (next === undefined) return;
      active += 1;
      opened.add(next);
      unanswered.add(next);
      advance(next);
    }
  };

  try {
    divide(parts);
    while (failures.length === 0 ? active > 0 : unanswered.size > 0) {
      const settled = ready.shift();
      if (settled === undefined) {
        if (failures.length === 0) open();
        const since = performance.now();
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        // Shorter waits are of a service that keeps up: more pages ahead of them would only fill memory.
        if (performance.now() - since > LONG_WAIT_MS) ahead = Math.min(ahead + 2, mostAhead);
        continue;
      }
      const { from, step } = settled;
      unanswered.delete(from);
      switch (step.kind) {
        case 'page':
          if (failures.length > 0) break;
          if (ready.length >= FEWEST_AHEAD) ahead = Math.max(FEWEST_AHEAD, ahead - 1);
          paused.push(from);
          open();
          yield step.page;
          break;
        case 'end':
          active -= 1;
          if (failures.length === 0) open();
          break;
        case 'failure':
          context.signal.throwIfAborted();
          active -= 1;
          if (failures.length === 0 && options.tolerate?.(step.error) === true) open();
          else failures.push(step.error);
          break;
      }
    }
    if (failures.length > 0) throw combine(failures);
  } finally {
    stop.abort(new DOMException('the scan was stopped', 'AbortError'));
    await Promise.allSettled([...opened].map((part) => part.return()));
  }
}

/** A scan may be stopped while one of its calls waits for the rate limit and the statement goes on. */
function stoppableContext(context: CallContext, stop: AbortSignal): CallContext {
  return {
    signal: context.signal,
    ...(context.partial !== undefined && { partial: context.partial }),
    called: (connection) => context.called?.(connection),
    quota: (quota, state) => context.quota?.(quota, state),
    notice: (severity, message) => context.notice(severity, message),
    call: (limit, send) =>
      abortable(
        context.call(limit, async (signal) => {
          const linked = linkAbort(signal, stop);
          try {
            linked.signal.throwIfAborted();
            return await send(linked.signal);
          } finally {
            linked.unlink();
          }
        }),
        stop,
      ),
  };
}

function combine(failures: readonly unknown[]): unknown {
  const [first] = failures;
  const errors = failures.filter((failure) => failure instanceof SourceError);
  const [representative] = errors;
  if (representative === undefined || errors.length < failures.length) return first;
  const different = [...new Map(errors.map((error) => [error.message, error])).values()];
  if (different.length === 1) return representative;
  return new SourceError(
    representative.kind,
    representative.connection,
    `${representative.message}, and ${different.length - 1} more ${different.length > 2 ? 'failures' : 'failure'}`,
    {
      detail: different
        .map((error) => `${error.message}${error.detail === undefined ? '.' : `: ${error.detail}`}`)
        .join('\n'),
      hint: representative.hint,
      cause: representative,
    },
  );
}
