import { randomBytes } from 'node:crypto';
import type { Pool } from '../engine/pool.ts';
import { withPoolClient } from '../engine/pool.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import type { StoredColumn } from './hydrator.ts';
import { ProcessLock } from '../engine/process-lock.ts';
import { RelationCopy } from './relation-copy.ts';

/** Made by schema/. Nothing else of ours stands in it. */
const SCHEMA = 'trailhound_rows';

/** `rows_<process>_<random>`, both in hexadecimal: the name says whose it is, which survives what empties a registry. */
const NAME = /^rows_([0-9a-f]{8})_[0-9a-f]{16}$/;

/** Until a relation that somebody still reads is tried again. */
const RETRY_MS = 1_000;

export interface RelationsOptions {
  readonly pool: Pool;
  readonly log: Logger;
  readonly clock: Clock;
  /** Default: one of its own. */
  readonly lock?: ProcessLock | undefined;
}

/** The relations that this process has made in the engine, from their creation until they are dropped. */
export class Relations {
  readonly #pool: Pool;
  readonly #log: Logger;
  readonly #clock: Clock;
  /** Tells other processes that this one lives, until `close`. */
  readonly lock: ProcessLock;
  readonly #live = new Set<string>();
  readonly #refused = new Set<string>();
  #cancelRetry: (() => void) | undefined;
  #closed = false;

  constructor(options: RelationsOptions) {
    this.#pool = options.pool;
    this.#log = options.log;
    this.#clock = options.clock;
    this.lock = options.lock ?? new ProcessLock(options.pool);
  }

  async create(columns: readonly StoredColumn[], role: string): Promise<RelationCopy> {
    await this.lock.hold();
    const owner = this.lock.id.toString(16).padStart(8, '0');
    const name = `${SCHEMA}.rows_${owner}_${randomBytes(8).toString('hex')}`;
    this.#live.add(name);
    try {
      return await RelationCopy.open(this.#pool, name, columns, role);
    } catch (error) {
      this.#live.delete(name);
      throw error;
    }
  }

  /** It was rolled back: there is nothing to drop. */
  forget(name: string): void {
    this.#live.delete(name);
  }

  /** Drops it, later again where a lock prevents it. Idempotent, never throws. */
  async release(name: string): Promise<void> {
    if (!this.#live.has(name) || this.#refused.has(name)) return;
    if (await this.#drop(name)) this.#live.delete(name);
    else if (!this.#closed) {
      this.#refused.add(name);
      this.#retryLater();
    }
  }

  /** Drops what processes that no longer live have left. Returns how many relations that were. */
  async sweep(): Promise<number> {
    await this.lock.hold();
    const { rows } = await this.#pool.query<{ relname: string }>(
      `select relname from pg_catalog.pg_class
        where relnamespace = (select oid from pg_catalog.pg_namespace where nspname = $1) and relkind = 'r'`,
      [SCHEMA],
    );
    const byOwner = new Map<number, string[]>();
    for (const { relname } of rows) {
      const owner = Number.parseInt(NAME.exec(relname)?.[1] ?? '0', 16);
      if (owner === 0 || owner === this.lock.id) continue;
      byOwner.set(owner, [...(byOwner.get(owner) ?? []), `${SCHEMA}.${relname}`]);
    }
    let dropped = 0;
    for (const [owner, names] of byOwner) {
      await this.lock.ifDead(owner, async () => {
        for (const name of names) if (await this.#drop(name)) dropped += 1;
      });
    }
    return dropped;
  }

  /** Drops what is left, once; what is still refused is swept by the next process. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    for (const name of this.#live) await this.#drop(name);
    this.#live.clear();
    this.#refused.clear();
    await this.lock.release();
  }

  /** False where a lock or a broken connection prevented it. */
  async #drop(name: string): Promise<boolean> {
    try {
      // Several statements in one Query message are one transaction, so SET LOCAL holds for the DROP alone.
      await withPoolClient(this.#pool, (client) =>
        client.query(`set local lock_timeout = '50ms'; drop table if exists ${name}`),
      );
      return true;
    } catch (error) {
      this.#log.debug({ err: error, relation: name }, 'relation could not be dropped yet');
      return false;
    }
  }

  #retryLater(): void {
    this.#cancelRetry ??= this.#clock.schedule(RETRY_MS, () => void this.#retry());
  }

  async #retry(): Promise<void> {
    for (const name of this.#refused) {
      if (this.#closed) return;
      if (!(await this.#drop(name))) continue;
      this.#refused.delete(name);
      this.#live.delete(name);
    }
    this.#cancelRetry = undefined;
    if (this.#refused.size > 0 && !this.#closed) this.#retryLater();
  }
}
