import type { Pool } from '../engine/pool.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import { OwnTokens, type Tokens } from './tokens.ts';

/** What was granted and not used by then is nobody's: the bucket has filled again. */
const GRANTED_FOR_MS = 1_000;

export interface SharedTokensOptions {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly log: Logger;
  /** As the source declares it, `RateLimit.key`. */
  readonly key: string;
  /** What was asked is known. */
  readonly changed: () => void;
}

interface Granted {
  readonly granted: number;
  /** Seconds. */
  readonly wait: number;
}

const NONE: Granted = { granted: 0, wait: 1 };

/** A bucket in the engine, which all processes share: asked for as many as wait, one question at a time. */
export class SharedTokens implements Tokens {
  readonly #options: SharedTokensOptions;
  /** Where the engine does not answer a process keeps the rate by itself. */
  readonly #own = new OwnTokens();
  #granted = 0;
  #grantedAt = 0;
  #notBefore = 0;
  #asking = false;

  constructor(options: SharedTokensOptions) {
    this.#options = options;
  }

  waitFor(perSecond: number, wanted: number, now: number): number | undefined {
    if (now - this.#grantedAt > GRANTED_FOR_MS) this.#granted = 0;
    if (this.#granted > 0) return 0;
    if (this.#asking) return undefined;
    if (this.#notBefore > now) return this.#notBefore - now;
    this.#asking = true;
    void this.#ask(perSecond, wanted);
    return undefined;
  }

  take(): void {
    this.#granted -= 1;
  }

  empty(): void {
    this.#granted = 0;
  }

  async #ask(perSecond: number, wanted: number): Promise<void> {
    const { pool, clock, log, key, changed } = this.#options;
    const { granted, wait } = await pool
      .query<Granted>('select granted, wait from trailhound.take_requests($1, $2, $3)', [key, perSecond, wanted])
      .then(({ rows }) => rows[0] ?? NONE)
      .catch((error: unknown) => {
        log.warn({ err: error }, 'a rate cannot be shared with other processes');
        return this.#takeOwn(perSecond, wanted);
      });
    const now = clock.now();
    this.#granted = granted;
    this.#grantedAt = now;
    this.#notBefore = now + Math.ceil(wait * 1000);
    this.#asking = false;
    changed();
  }

  #takeOwn(perSecond: number, wanted: number): Granted {
    const waitMs = this.#own.waitFor(perSecond, wanted, this.#options.clock.now());
    if (waitMs > 0) return { granted: 0, wait: waitMs / 1000 };
    this.#own.take();
    return { granted: 1, wait: 0 };
  }
}
