import { setMaxListeners } from 'node:events';

/** A controller that follows other signals until it is unlinked from them. */
export interface LinkedController {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  unlink(): void;
}

/**
 * Calls back with the signal's reason, at once where it is aborted already, until the returned function is called. From
 * then on the listener holds nothing: in Node a removed one still points to the one added after it, so that through a
 * statement's signal the old generation would keep every page of a scan until its next collection.
 */
export function onAbort(signal: AbortSignal, callback: (reason: unknown) => void): () => void {
  if (signal.aborted) {
    callback(signal.reason);
    return () => undefined;
  }
  // A statement may wait for hundreds of calls at once: Node's warning at the eleventh listener is about leaks, not this.
  setMaxListeners(0, signal);
  let listening: typeof callback | undefined = callback;
  const listener = () => listening?.(signal.reason);
  signal.addEventListener('abort', listener, { once: true });
  return () => {
    listening = undefined;
    signal.removeEventListener('abort', listener);
  };
}

/**
 * `AbortSignal.any` keeps every derived signal reachable from a long-lived parent in Node 20; this one unlinks itself.
 */
export function linkAbort(...parents: readonly AbortSignal[]): LinkedController {
  const controller = new AbortController();
  const unlinks = parents.map((parent) => onAbort(parent, (reason) => controller.abort(reason)));
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    unlink: () => {
      for (const unlink of unlinks) unlink();
    },
  };
}

/** The promise's outcome, or the signal's reason if that comes first. The promise's late rejection is not unhandled. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = onAbort(signal, reject);
    promise.then(resolve, reject).finally(stop);
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
