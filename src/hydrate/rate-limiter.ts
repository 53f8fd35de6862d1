import type { Clock } from '../kernel/clock.ts';
import type { RateLimit } from '../sources/source.ts';

interface Waiter {
  readonly limit: RateLimit;
  readonly admit: () => void;
}

/**
 * Who may send now. Requests with the same `RateLimit.key` share a semaphore and a token bucket that holds one second's
 * worth of requests; they are admitted in the order in which they asked. A timer runs only while the head of a queue
 * waits for a token or for a pause to end.
 */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves with what must be called once the request has ended; rejects with the signal's reason. */
  acquire(limit: RateLimit, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const bucket = this.#bucket(limit);
      const waiter: Waiter = {
        limit,
        admit: () => {
          signal.removeEventListener('abort', onAbort);
          let released = false;
          resolve(() => {
            if (released) return;
            released = true;
            bucket.release();
          });
        },
      };
      const onAbort = () => {
        bucket.leave(waiter);
        reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      bucket.enter(waiter);
    });
  }

  /** Nothing with this limit's key starts for `ms`: the service said so (Retry-After). */
  pause(limit: RateLimit, ms: number): void {
    this.#bucket(limit).pause(ms);
  }

  #bucket(limit: RateLimit): Bucket {
    let bucket = this.#buckets.get(limit.key);
    if (bucket === undefined) {
      bucket = new Bucket(this.#clock);
      this.#buckets.set(limit.key, bucket);
    }
    return bucket;
  }
}

class Bucket {
  readonly #clock: Clock;
  readonly #queue: Waiter[] = [];
  #running = 0;
  /** Undefined until the first request: the bucket starts full. */
  #tokens: number | undefined;
  #refilledAt = 0;
  #pausedUntil = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  enter(waiter: Waiter): void {
    this.#queue.push(waiter);
    this.#admit();
  }

  leave(waiter: Waiter): void {
    const index = this.#queue.indexOf(waiter);
    if (index < 0) return;
    this.#queue.splice(index, 1);
    this.#admit();
  }

  release(): void {
    this.#running -= 1;
    this.#admit();
  }

  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#clock.now() + ms);
    this.#admit();
  }

  #admit(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (;;) {
      const head = this.#queue[0];
      if (head === undefined || this.#running >= Math.max(1, head.limit.concurrency)) return;
      const wait = this.#waitFor(head.limit);
      if (wait > 0) {
        this.#cancelTimer = this.#clock.schedule(Math.ceil(wait), () => this.#admit());
        return;
      }
      this.#queue.shift();
      this.#running += 1;
      if (this.#tokens !== undefined) this.#tokens -= 1;
      head.admit();
    }
  }

  /** Milliseconds until the next request may start; 0: now. */
  #waitFor(limit: RateLimit): number {
    const now = this.#clock.now();
    const pause = this.#pausedUntil - now;
    const rate = limit.requestsPerSecond;
    if (rate === undefined) return pause;
    const capacity = Math.max(1, rate);
    const gained = ((now - this.#refilledAt) / 1000) * rate;
    this.#tokens = this.#tokens === undefined ? capacity : Math.min(capacity, this.#tokens + Math.max(0, gained));
    this.#refilledAt = now;
    // A token is whole within a rounding error: 0.2 s × 5/s must be 1.
    const missing = 1 - this.#tokens;
    return Math.max(pause, missing > 1e-9 ? (missing / rate) * 1000 : 0);
  }
}
