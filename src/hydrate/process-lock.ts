import { randomInt } from 'node:crypto';
import type { Pool, PoolClient } from '../engine/pool.ts';
import { withPoolClient } from '../engine/pool.ts';

/** First half of our advisory locks' key, so that they meet nobody else's: "trh" in ASCII. */
const CLASS = 0x747268;

/**
 * A session advisory lock that this process holds while it lives; the server lets go of it when the process is gone,
 * however it went. Takes one connection of the pool.
 */
export class ProcessLock {
  readonly id = randomInt(1, 2 ** 31);
  readonly #pool: Pool;
  #held: Promise<PoolClient> | undefined;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Takes it again where its connection broke. */
  async hold(): Promise<void> {
    const held = (this.#held ??= this.#take());
    try {
      await held;
    } catch (error) {
      if (this.#held === held) this.#held = undefined;
      throw error;
    }
  }

  /** Runs `work` if no process holds the lock with this id, and lets none take it meanwhile. */
  async ifDead(id: number, work: () => Promise<void>): Promise<void> {
    await withPoolClient(this.#pool, async (client) => {
      const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1, $2) as taken', [
        CLASS,
        id,
      ]);
      if (rows[0]?.taken !== true) return;
      try {
        await work();
      } finally {
        await client.query('select pg_advisory_unlock($1, $2)', [CLASS, id]);
      }
    });
  }

  async release(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    const client = await held?.catch(() => undefined);
    client?.release(true);
  }

  async #take(): Promise<PoolClient> {
    const client = await this.#pool.connect();
    try {
      await client.query('select pg_advisory_lock($1, $2)', [CLASS, this.id]);
    } catch (error) {
      client.release(true);
      throw error;
    }
    client.once('error', () => {
      if (this.#held === undefined) return;
      this.#held = undefined;
      client.release(true);
    });
    return client;
  }
}
