import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../engine/engine.ts';
import { Listener } from '../engine/listener.ts';
import type { Logger } from '../kernel/log.ts';
import type { CancelRequest } from '../wire/frontend/cancel-request.ts';
import { forwardCancel } from './cancel-keys.ts';

/** Any role may notify it: it says no more than that the table should be looked at. */
const CHANNEL = 'trailhound_cancel';

/** For the other process to act. */
const PATIENCE_MS = 1_000;
const LOOK_AGAIN_MS = 10;
/** Whoever can connect can ask, with any key. */
const MOST_AT_ONCE = 8;

export interface CancelBoardOptions {
  readonly engine: Engine;
  /** Cancels what a client of this process runs; false where the request is of none, or its key is wrong. */
  readonly cancelOwn: (request: CancelRequest) => Promise<boolean>;
  readonly log: Logger;
}

/**
 * Where processes on one engine leave cancel requests for each other: a balancer may lead them to another process than the
 * client's. The engine alone would end what runs in it, but not what is being fetched.
 */
export class CancelBoard {
  readonly #options: CancelBoardOptions;
  readonly #listener: Listener;
  #posted = 0;

  constructor(options: CancelBoardOptions) {
    this.#options = options;
    this.#listener = new Listener({ pool: options.engine.pool, channel: CHANNEL, heard: () => void this.#look() });
  }

  open(): Promise<void> {
    return this.#listener.open();
  }

  /** Resolves when the process whose client it is has acted, or the engine has in its place. Never rejects. */
  async post(request: CancelRequest): Promise<void> {
    if (this.#posted >= MOST_AT_ONCE) return;
    this.#posted += 1;
    try {
      if (!(await this.#taken(request).catch(() => false))) await forwardCancel(this.#options.engine, request);
    } finally {
      this.#posted -= 1;
    }
  }

  async close(): Promise<void> {
    await this.#listener.close();
  }

  async #taken({ pid, key }: CancelRequest): Promise<boolean> {
    const { pool } = this.#options.engine;
    const id = randomUUID();
    const { rowCount } = await pool.query(
      `with posted as (
         insert into trailhound.cancel_request (id, pid, key) select $1, $2, $3
         where exists (select from pg_stat_activity where pid = $2 and datname = current_database())
         returning id)
       select pg_notify($4, '') from posted`,
      [id, pid, key, CHANNEL],
    );
    // There is no such backend.
    if (rowCount === 0) return true;
    const until = Date.now() + PATIENCE_MS;
    for (let pause = LOOK_AGAIN_MS; Date.now() < until; pause *= 1.5) {
      await sleep(pause);
      const { rows } = await pool.query('select from trailhound.cancel_request where id = $1', [id]);
      if (rows.length === 0) return true;
    }
    const withdrawn = await pool.query('delete from trailhound.cancel_request where id = $1', [id]);
    return withdrawn.rowCount === 0;
  }

  async #look(): Promise<void> {
    const { engine, cancelOwn, log } = this.#options;
    try {
      const { rows } = await engine.pool.query<{ id: string; pid: number; key: Buffer }>(
        'select id, pid, key from trailhound.cancel_request',
      );
      for (const { id, pid, key } of rows) {
        if (await cancelOwn({ pid, key }))
          await engine.pool.query('delete from trailhound.cancel_request where id = $1', [id]);
      }
    } catch (error) {
      log.debug({ err: error }, 'cancel requests cannot be read');
    }
  }
}
