import { linkAbort } from '../kernel/abort.ts';
import { TrailhoundError } from '../kernel/errors.ts';

export interface Deadline {
  /** Aborted by the client's own signal, by the time, or by `abort`. */
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  clear(): void;
}

/** statement_timeout counts from the statement's arrival, hydration included. Milliseconds; 0: no time limit. */
export function deadlineOf(timeoutMs: number, arrived: number, signal: AbortSignal): Deadline {
  const linked = linkAbort(signal);
  const timeOut = (): void => {
    linked.abort(new TrailhoundError('statement_timeout', 'canceling statement due to statement timeout'));
  };
  const left = Math.max(0, arrived + timeoutMs - Date.now());
  const timer = timeoutMs === 0 ? undefined : setTimeout(timeOut, left);
  return {
    signal: linked.signal,
    abort: (reason) => {
      linked.abort(reason);
    },
    clear: () => {
      clearTimeout(timer);
      linked.unlink();
    },
  };
}
