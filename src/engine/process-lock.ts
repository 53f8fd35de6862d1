import { randomInt } from 'node:crypto';
import type { Pool } from './pool.ts';
import { connectBeside, withPoolClient } from './pool.ts';

/** First half of our advisory locks' key, so that they meet nobody else's: "trh" in ASCII. */
export const LOCK_CLASS = 0x747268;

/** Where its connection broke: until it is taken again, others believe this process dead and clean up behind it. */
const TAKE_AGAIN_MS = 500;

type LockClient = Awaited<ReturnType<typeof connectBeside>>;

/**
 * A session advisory lock that this process holds while it lives; the server lets go of it when the process is gone,
 * however it went.
 */
export class ProcessLock {
  readonly id = randomInt(1, 2 ** 31);
  readonly #pool: Pool;
  #held: Promise<LockClient> | undefined;
  #takeAgain: NodeJS.Timeout | undefined;
  #released = false;
  #regained: () => void = () => undefined;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Resolves once it is held; from then on it is taken again where its connection breaks. */
  async hold(): Promise<void> {
    const held = (this.#held ??= this.#take());
    try {
      await held;
    } catch (error) {
      if (this.#held === held) this.#held = undefined;
      throw error;
    }
  }

  /** Called each time that it is held again, after a time in which others took this process for dead. */
  onRegained(listener: () => void): void {
    this.#regained = listener;
  }

  /** Runs `work` if no process holds the lock with this id, and lets none take it meanwhile. */
  async ifDead(id: number, work: () => Promise<void>): Promise<void> {
    await withPoolClient(this.#pool, async (client) => {
      const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1, $2) as taken', [
        LOCK_CLASS,
        id,
      ]);
      if (rows[0]?.taken !== true) return;
      try {
        await work();
      } finally {
        await client.query('select pg_advisory_unlock($1, $2)', [LOCK_CLASS, id]);
      }
    });
  }

  async release(): Promise<void> {
    this.#released = true;
    clearTimeout(this.#takeAgain);
    const held = this.#held;
    this.#held = undefined;
    const client = await held?.catch(() => undefined);
    await client?.end().catch(() => undefined);
  }

  async #take(): Promise<LockClient> {
    const client = await connectBeside(this.#pool);
    try {
      await client.query('select pg_advisory_lock($1, $2)', [LOCK_CLASS, this.id]);
      client.once('end', () => {
        this.#held = undefined;
        this.#takeAgainLater();
      });
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    return client;
  }

  #takeAgainLater(): void {
    if (this.#released) return;
    clearTimeout(this.#takeAgain);
    this.#takeAgain = setTimeout(() => {
      this.hold().then(
        () => this.#regained(),
        () => this.#takeAgainLater(),
      );
    }, TAKE_AGAIN_MS).unref();
  }
}
