import type { VirtualTable } from '../catalog/table.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import type { KeyCache } from './key-cache.ts';

/** Answers live for hours or days: what is kept too long in between only takes room. */
const EVERY_MS = 3_600_000;

export interface CleaningOptions {
  readonly cache: KeyCache;
  /** Those that there are at the time. */
  readonly tables: () => readonly VirtualTable[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** Keeps the key cache free of what has outlived its table's time to live: now, and every hour from then on. */
export class Cleaning {
  readonly #options: CleaningOptions;
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(options: CleaningOptions) {
    this.#options = options;
  }

  /** Resolves when the first one is through. Never rejects. */
  start(): Promise<void> {
    this.#running = this.#clean();
    return this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#running;
  }

  async #clean(): Promise<void> {
    const { cache, tables, clock, log } = this.#options;
    const ttlMs = new Map(tables().map((table) => [table.name, table.ttlMs]));
    await cache
      .clean(ttlMs, clock.now())
      .catch((error: unknown) => log.warn({ err: error }, 'old answers could not be removed from the key cache'));
    if (!this.#closed) this.#cancel = clock.schedule(EVERY_MS, () => void this.start());
  }
}
