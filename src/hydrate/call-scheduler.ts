import type { Clock } from '../kernel/clock.ts';
import { sleep } from '../kernel/clock.ts';
import type { CallContext, Quota, QuotaState, RateLimit } from '../sources/source.ts';
import { SourceError } from '../sources/source.ts';
import type { CallStatus, HydrationMetrics } from './metrics.ts';
import type { RateLimiter } from './rate-limiter.ts';

/** How long a statement puts up with a service that refuses. */
export interface Patience {
  /** Requests for one call, the first included. */
  readonly attempts: number;
  /** What the waits before retries of one call may add up to; waiting for a rate limit does not count. */
  readonly waitMs: number;
}

/** AWS's SDKs give up after 3 or 5 attempts; 60 s is one window of AbuseIPDB's per-minute limit. */
export const DEFAULT_PATIENCE: Patience = { attempts: 5, waitMs: 60_000 };

/** Full jitter: a random time below base × 2^attempt, no more than the cap (AWS Architecture Blog, "Exponential backoff and jitter"). */
const BACKOFF = { baseMs: 100, capMs: 20_000 };

/** What calls cost, added up for one scan or lookup. */
export interface CallTally {
  calls: number;
  waitMs: number;
}

export interface CallScope {
  /** For the counters: which source is called. */
  readonly source: string;
  readonly signal: AbortSignal;
  readonly tally: CallTally;
  readonly partial: boolean;
  quota?(quota: Quota, state: QuotaState): void;
  spent?(quota: Quota): void;
  searched?(where: string): void;
  notice(severity: 'NOTICE' | 'WARNING', message: string): void;
  /** A request is about to be sent. */
  sending?(): void;
}

export interface CallSchedulerOptions {
  readonly clock: Clock;
  readonly limiter: RateLimiter;
  readonly metrics: HydrationMetrics;
  readonly patience: Patience;
  /** From 0 up to 1, as Math.random. */
  readonly random: () => number;
  /** A request through this connection was answered. */
  readonly answered?: ((connection: string) => void) | undefined;
}

const attempts = new WeakMap<SourceError, number>();

/** How many requests were made before this error was given up on; 1 where it was not retried. */
export function attemptsOf(error: SourceError): number {
  return attempts.get(error) ?? 1;
}

/** Every request of every source passes here: rate limit, abort, retry, counters. */
export class CallScheduler {
  readonly #options: CallSchedulerOptions;

  constructor(options: CallSchedulerOptions) {
    this.#options = options;
  }

  context(scope: CallScope): CallContext {
    return {
      signal: scope.signal,
      partial: scope.partial,
      call: (limit, send) => this.#call(scope, limit, send),
      called: (connection) => {
        scope.tally.calls += 1;
        this.#options.answered?.(connection);
        this.#options.metrics.call(scope.source, 'ok');
      },
      quota: (quota, state) => scope.quota?.(quota, state),
      spent: (quota) => scope.spent?.(quota),
      searched: (where) => scope.searched?.(where),
      notice: (severity, message) => scope.notice(severity, message),
    };
  }

  async #call<T>(scope: CallScope, limit: RateLimit, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, metrics, patience } = this.#options;
    let waited = 0;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(scope, limit, send);
      } catch (error) {
        if (scope.signal.aborted) throw scope.signal.reason;
        if (!(error instanceof SourceError)) throw error;
        attempts.set(error, attempt);
        if (error.kind === 'throttled') this.#options.limiter.throttled(limit);
        const delay = this.#delay(error, attempt);
        if (!error.retryable || attempt >= patience.attempts || waited + delay > patience.waitMs) throw error;
        if (error.retryAfterMs !== undefined) this.#options.limiter.pause(limit, error.retryAfterMs);
        metrics.retry(scope.source);
        waited += delay;
        await this.#wait(scope, () => sleep(delay, scope.signal, clock));
      }
    }
  }

  async #attempt<T>(scope: CallScope, limit: RateLimit, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const release = await this.#wait(scope, () => this.#options.limiter.acquire(limit, scope.signal));
    try {
      // The abort may have come between the admission and this turn of the event loop.
      scope.signal.throwIfAborted();
      scope.tally.calls += 1;
      let status: CallStatus = 'failed';
      scope.sending?.();
      try {
        const answer = await send(scope.signal);
        status = 'ok';
        if (limit.connection !== undefined) this.#options.answered?.(limit.connection);
        return answer;
      } catch (error) {
        if (scope.signal.aborted) status = 'aborted';
        else if (error instanceof SourceError) status = error.kind;
        throw error;
      } finally {
        this.#options.metrics.call(scope.source, status);
      }
    } finally {
      release();
    }
  }

  #delay(error: SourceError, attempt: number): number {
    return error.retryAfterMs ?? this.#options.random() * Math.min(BACKOFF.capMs, BACKOFF.baseMs * 2 ** attempt);
  }

  async #wait<T>(scope: CallScope, work: () => Promise<T>): Promise<T> {
    const start = this.#options.clock.now();
    try {
      return await work();
    } finally {
      const spent = this.#options.clock.now() - start;
      if (spent > 0) {
        scope.tally.waitMs += spent;
        this.#options.metrics.wait(scope.source, spent / 1000);
      }
    }
  }
}
