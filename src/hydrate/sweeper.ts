import type { Pool } from '../engine/pool.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import { LOCK_CLASS } from '../engine/process-lock.ts';
import type { Relations } from './relations.ts';

const EVERY_MS = 60_000;

export interface SweeperOptions {
  readonly pool: Pool;
  readonly relations: Relations;
  /** Other processes may use the engine, and may die while this one lives. */
  readonly shared: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Removes what dead processes have left in the engine: at start, and where there may be others every minute from then on. */
export class Sweeper {
  readonly #options: SweeperOptions;
  #running: Promise<unknown> = Promise.resolve();
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  /** Returns how many relations it has dropped. */
  start(): Promise<number> {
    const sweeping = this.#sweep();
    this.#running = sweeping.catch(() => undefined);
    return sweeping;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#running;
  }

  async #sweep(): Promise<number> {
    const { pool, relations, shared, clock, log } = this.#options;
    try {
      const dropped = await relations.sweep();
      await pool.query('select trailhound.forget_dead_processes($1)', [LOCK_CLASS]);
      return dropped;
    } finally {
      if (shared && !this.#closed) {
        this.#cancel = clock.schedule(EVERY_MS, () => {
          this.start().catch((error: unknown) =>
            log.warn({ err: error }, 'what dead processes left cannot be removed yet'),
          );
        });
      }
    }
  }
}
