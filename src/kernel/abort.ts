import { setMaxListeners } from 'node:events';

/** A controller that follows other signals until it is unlinked from them. */
export interface LinkedController {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  unlink(): void;
}

/**
 * `AbortSignal.any` keeps every derived signal reachable from a long-lived parent in Node 20; this one unlinks itself.
 */
export function linkAbort(...parents: readonly AbortSignal[]): LinkedController {
  const controller = new AbortController();
  const follow = (event: Event) => controller.abort((event.target as AbortSignal).reason);
  for (const parent of parents) {
    letManyListen(parent);
    if (parent.aborted) controller.abort(parent.reason);
    else parent.addEventListener('abort', follow, { once: true });
  }
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    unlink: () => {
      for (const parent of parents) parent.removeEventListener('abort', follow);
    },
  };
}

/** A statement may wait for hundreds of calls at once: Node's warning at the eleventh listener is about leaks, not this. */
function letManyListen(signal: AbortSignal): void {
  setMaxListeners(0, signal);
}

/** The promise's outcome, or the signal's reason if that comes first. The promise's late rejection is not unhandled. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    letManyListen(signal);
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** The items until the signal is aborted, whose reason it throws then. A producer that is slow to stop holds nobody up. */
export async function* untilAborted<T>(
  items: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await abortable(iterator.next(), signal);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    iterator.return?.().catch(() => undefined);
  }
}
