import { createHash } from 'node:crypto';
import type { Pool } from '../engine/pool.ts';
import { onAbort } from '../kernel/abort.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import { cacheKeyText, type Answer, type CacheKey, type KeyCache } from './key-cache.ts';
import { LOCK_CLASS, type ProcessLock } from '../engine/process-lock.ts';

/** A process that asks writes its answer down within a few milliseconds after it came. */
const RETRY_MS = 20;
const LONGEST_RETRY_MS = 200;
/** A service that takes as long must not hold everybody up: the key is asked for twice then. */
const PATIENCE_MS = 60_000;
/** Of what is being asked for. Others take it over from a process that has not for 10 s (schema/42-key-claims.sql): it is stopped, or cut off. */
const RENEW_MS = 3_000;

export interface KeyClaimsOptions {
  readonly pool: Pool;
  readonly lock: ProcessLock;
  readonly cache: KeyCache;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Either another process has asked meanwhile, or this one is to ask, while no other does until `release`. */
export type Taken =
  { readonly kind: 'answered'; readonly answer: Answer } | { readonly kind: 'ours'; readonly release: () => void };

const UNCLAIMED: Taken = { kind: 'ours', release: () => undefined };

interface Waiting {
  readonly digest: string;
  readonly key: CacheKey;
  /** An answer that came at this time or later will do; it may change while waiting. */
  readonly since: () => number;
  readonly until: number;
  readonly resolve: (taken: Taken) => void;
}

/** Which process on the engine asks for a key: as Flights for statements of one process, so this for processes. */
export class KeyClaims {
  readonly #options: KeyClaimsOptions;
  readonly #waiting = new Set<Waiting>();
  /** Not tried yet. */
  readonly #fresh = new Set<Waiting>();
  /** Asked for, and not yet deleted. */
  readonly #released = new Set<string>();
  /** Being asked for by this process. */
  readonly #held = new Set<string>();
  #working: Promise<void> | undefined;
  #retryMs = RETRY_MS;
  #cancelRetry: (() => void) | undefined;
  #cancelRenewal: (() => void) | undefined;

  constructor(options: KeyClaimsOptions) {
    this.#options = options;
  }

  /** Waits while another living process asks for the same. Rejects with the signal's reason. */
  take(key: CacheKey, since: () => number, signal: AbortSignal): Promise<Taken> {
    return new Promise((resolve, reject) => {
      const digest = createHash('sha256').update(cacheKeyText(key)).digest('base64url');
      const stop = onAbort(signal, () => {
        this.#waiting.delete(waiting);
        this.#fresh.delete(waiting);
        reject(signal.reason);
      });
      const waiting: Waiting = {
        digest,
        key,
        since,
        until: this.#options.clock.now() + PATIENCE_MS,
        resolve: (taken) => {
          stop();
          this.#waiting.delete(waiting);
          this.#fresh.delete(waiting);
          resolve(taken);
        },
      };
      if (signal.aborted) return;
      this.#waiting.add(waiting);
      this.#fresh.add(waiting);
      this.#retryMs = RETRY_MS;
      this.#work();
    });
  }

  /** Resolves once nothing of this process is left in the table. */
  async close(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
    this.#cancelRetry?.();
    this.#cancelRenewal?.();
    await this.#delete().catch(() => undefined);
  }

  /** What comes in one turn of the event loop is one query. */
  #work(all = false): void {
    this.#working ??= this.#drain(all).then((done) => {
      this.#working = undefined;
      if (done && (this.#fresh.size > 0 || this.#released.size > 0)) this.#work();
      else if (this.#waiting.size > 0 || this.#released.size > 0) this.#retryLater();
    });
  }

  #retryLater(): void {
    this.#cancelRetry ??= this.#options.clock.schedule(this.#retryMs, () => {
      this.#cancelRetry = undefined;
      this.#retryMs = Math.min(LONGEST_RETRY_MS, this.#retryMs * 1.5);
      this.#work(true);
    });
  }

  /** False where the engine did not answer. */
  async #drain(all: boolean): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve));
    const asked = [...(all ? this.#waiting : this.#fresh)];
    this.#fresh.clear();
    try {
      await this.#delete();
      if (asked.length > 0) await this.#claim(asked);
      return true;
    } catch (error) {
      this.#options.log.warn({ err: error }, 'keys could not be shared with other processes');
      for (const one of asked) {
        // It may be ours by now, and must not stay so.
        this.#held.delete(one.digest);
        this.#released.add(one.digest);
        // Rather asked twice than never.
        if (this.#waiting.has(one)) one.resolve(UNCLAIMED);
      }
      return false;
    }
  }

  async #claim(asked: readonly Waiting[]): Promise<void> {
    const { pool, lock, cache, clock } = this.#options;
    await lock.hold();
    const { rows } = await pool.query<{ key: string }>('select key from trailhound.claim_keys($1, $2, $3) as c (key)', [
      lock.id,
      LOCK_CLASS,
      [...new Set(asked.map(({ digest }) => digest))],
    ]);
    const granted = new Set(rows.map(({ key }) => key));
    for (const digest of granted) this.#held.add(digest);
    this.#renewLater();
    const ours = asked.filter(({ digest }) => granted.has(digest));
    // Since they were missed in the cache somebody may have asked, and been answered.
    const since = ours.reduce((earliest, one) => Math.min(earliest, one.since()), Number.POSITIVE_INFINITY);
    const answers = Number.isFinite(since)
      ? await cache.read(
          ours.map(({ key }) => key),
          since,
        )
      : new Map<number, Answer>();
    for (const [index, one] of ours.entries()) {
      const release = () => this.#release(one.digest);
      const answer = answers.get(index);
      if (!this.#waiting.has(one)) release();
      else if (answer === undefined || answer.fetchedAt < one.since()) one.resolve({ kind: 'ours', release });
      else {
        release();
        one.resolve({ kind: 'answered', answer });
      }
    }
    for (const one of asked) if (this.#waiting.has(one) && one.until <= clock.now()) one.resolve(UNCLAIMED);
  }

  #release(digest: string): void {
    this.#held.delete(digest);
    this.#released.add(digest);
    this.#work();
  }

  #renewLater(): void {
    if (this.#held.size === 0) return;
    this.#cancelRenewal ??= this.#options.clock.schedule(RENEW_MS, () => {
      this.#cancelRenewal = undefined;
      if (this.#held.size > 0) void this.#renew().finally(() => this.#renewLater());
    });
  }

  async #renew(): Promise<void> {
    const { pool, lock, log } = this.#options;
    await pool
      .query(
        'update trailhound.key_claim set renewed_at = clock_timestamp() where process = $1 and key = any ($2::text[])',
        [lock.id, [...this.#held]],
      )
      .catch((error: unknown) => log.debug({ err: error }, 'claims cannot be renewed'));
  }

  async #delete(): Promise<void> {
    if (this.#released.size === 0) return;
    const digests = [...this.#released];
    const { pool, lock } = this.#options;
    await pool.query('delete from trailhound.key_claim where process = $1 and key = any ($2::text[])', [
      lock.id,
      digests,
    ]);
    for (const digest of digests) this.#released.delete(digest);
  }
}
