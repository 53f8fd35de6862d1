import { onAbort } from '../kernel/abort.ts';
import type { Clock } from '../kernel/clock.ts';
import type { RateLimit } from '../sources/source.ts';
import { OwnTokens, type Tokens } from './tokens.ts';

/** Refusals within this time are of requests that were sent together. */
const ONE_SIGN_MS = 1_000;
const LEAST_SHARE = 1 / 16;
/** From half of its rate a limit needs so long back to the whole. */
const DOUBLING_MS = 10_000;

type TokensOf = (key: string, changed: () => void) => Tokens;

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
  readonly #tokensOf: TokensOf;
  readonly #buckets = new Map<string, Bucket>();

  /** `tokensOf`: where the requests of a key come from. */
  constructor(clock: Clock, tokensOf: TokensOf = () => new OwnTokens()) {
    this.#clock = clock;
    this.#tokensOf = tokensOf;
  }

  /** Resolves with what must be called once the request has ended; rejects with the signal's reason. */
  acquire(limit: RateLimit, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const bucket = this.#bucket(limit);
      const waiter: Waiter = {
        limit,
        admit: () => {
          stop();
          let released = false;
          resolve(() => {
            if (released) return;
            released = true;
            bucket.release();
          });
        },
      };
      const stop = onAbort(signal, () => {
        bucket.leave(waiter);
        reject(signal.reason);
      });
      bucket.enter(waiter);
    });
  }

  /** Nothing with this limit's key starts for `ms`: the service said so (Retry-After). */
  pause(limit: RateLimit, ms: number): void {
    this.#bucket(limit).pause(ms);
  }

  /** The service says that even what the limit allows is too much: it halves, and recovers with time. */
  throttled(limit: RateLimit): void {
    this.#bucket(limit).throttled();
  }

  #bucket(limit: RateLimit): Bucket {
    let bucket = this.#buckets.get(limit.key);
    if (bucket === undefined) {
      bucket = new Bucket(this.#clock, (changed) => this.#tokensOf(limit.key, changed));
      this.#buckets.set(limit.key, bucket);
    }
    return bucket;
  }
}

class Bucket {
  readonly #clock: Clock;
  readonly #queue: Waiter[] = [];
  #running = 0;
  readonly #tokens: Tokens;
  #pausedUntil = 0;
  #cancelTimer: (() => void) | undefined;
  /** Of the limit's rate, as of `#slowedAt`. */
  #share = 1;
  #slowedAt = 0;

  constructor(clock: Clock, tokensOf: (changed: () => void) => Tokens) {
    this.#clock = clock;
    this.#tokens = tokensOf(() => this.#admit());
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

  throttled(): void {
    const now = this.#clock.now();
    // Requests that were on their way together are refused together: that is one sign, not many.
    if (this.#share < 1 && now - this.#slowedAt < ONE_SIGN_MS) return;
    this.#share = Math.max(LEAST_SHARE, this.#shareAt(now) / 2);
    this.#slowedAt = now;
    this.#tokens.empty(now);
    this.#admit();
  }

  #shareAt(now: number): number {
    return Math.min(1, this.#share * 2 ** ((now - this.#slowedAt) / DOUBLING_MS));
  }

  #admit(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (;;) {
      const head = this.#queue[0];
      if (head === undefined || this.#running >= Math.max(1, head.limit.concurrency)) return;
      const wait = this.#waitFor(head.limit);
      if (wait === undefined) return;
      if (wait > 0) {
        this.#cancelTimer = this.#clock.schedule(Math.ceil(wait), () => this.#admit());
        return;
      }
      this.#queue.shift();
      this.#running += 1;
      if (head.limit.requestsPerSecond !== undefined) this.#tokens.take();
      head.admit();
    }
  }

  /** Milliseconds until the next request may start, 0 or less for now; undefined: it is being asked. */
  #waitFor({ requestsPerSecond }: RateLimit): number | undefined {
    const now = this.#clock.now();
    const pause = this.#pausedUntil - now;
    if (requestsPerSecond === undefined || pause > 0) return pause;
    return this.#tokens.waitFor(requestsPerSecond * this.#shareAt(now), this.#queue.length, now);
  }
}
