import type { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { Pool, PoolClient } from '../engine/pool.ts';
import { LOOPBACK_ROLE } from '../engine/loopback.ts';
import { copyIn } from '../engine/pool.ts';
import type { CopiedRows } from '../sources/source.ts';
import { copyLine } from './copy-text.ts';
import type { Row, StoredColumn } from './hydrator.ts';

/** Characters handed to COPY at once: a system call a few hundred rows, and little to hold back when the engine is slower. */
const CHUNK = 64 * 1024;

/** Below it the planner's guess from the relation's size in pages is good enough (semantics: ANALYZE above 10,000 rows). */
export const ANALYZE_ABOVE = 10_000;
/**
 * Of PostgreSQL's 100: it looks at 300 rows for each, and sorts them by each column, while whoever asked waits and the other
 * processors are idle. It was a tenth of the time of counting 200,000 rows of files by five columns; a third of that sample
 * tells as well which of two tables is the larger, and what is rare.
 */
const STATISTICS_TARGET = 30;

/**
 * `create unlogged table` and `copy … with (freeze)` in one transaction: its rows are visible even to older snapshots
 * once it commits. Holds one connection of the pool until `commit` or `rollback`.
 */
export class RelationCopy {
  readonly name: string;
  readonly #client: PoolClient;
  readonly #stream: Writable;
  readonly #failed: Promise<never>;
  #buffer = '';
  #rows = 0;

  private constructor(name: string, client: PoolClient, stream: Writable) {
    this.name = name;
    this.#client = client;
    this.#stream = stream;
    this.#failed = new Promise((_, reject) => stream.once('error', reject));
    this.#failed.catch(() => undefined);
  }

  /** `name`: quoted and qualified. */
  static async open(pool: Pool, name: string, columns: readonly StoredColumn[], role: string): Promise<RelationCopy> {
    const client = await pool.connect();
    try {
      const list = columns.map((column) => `${client.escapeIdentifier(column.name)} ${column.type}`).join(', ');
      await client.query(
        `begin; create unlogged table ${name} (${list}); grant select on ${name} to ${client.escapeIdentifier(role)}, ${LOOPBACK_ROLE}`,
      );
      return new RelationCopy(name, client, copyIn(client, `copy ${name} from stdin with (freeze)`));
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  /** Resolves when the engine has taken enough for more to be read. */
  async write(rows: readonly Row[]): Promise<void> {
    for (const row of rows) {
      this.#buffer += copyLine(row);
      if (this.#buffer.length >= CHUNK) await this.#send();
    }
    this.#rows += rows.length;
  }

  /** The same, of rows that are written already. */
  async writeCopied({ bytes, rows }: CopiedRows): Promise<void> {
    if (this.#buffer !== '') await this.#send();
    await this.#take(bytes);
    this.#rows += rows;
  }

  async commit(): Promise<void> {
    if (this.#buffer !== '') await this.#send();
    const finished = new Promise<void>((resolve) => this.#stream.once('finish', resolve));
    this.#stream.end();
    await Promise.race([finished, this.#failed]);
    const analyze = `set local default_statistics_target = ${STATISTICS_TARGET}; analyze ${this.name}`;
    await this.#client.query(this.#rows > ANALYZE_ABOVE ? `${analyze}; commit` : 'commit');
    this.#client.release();
  }

  /** After any failure, and to give up: the connection ends, and with it the transaction. */
  rollback(): void {
    this.#stream.on('error', () => undefined);
    this.#client.release(true);
  }

  async #send(): Promise<void> {
    const chunk = this.#buffer;
    this.#buffer = '';
    await this.#take(chunk);
  }

  async #take(chunk: string | Uint8Array): Promise<void> {
    const taken = new Promise<void>((resolve, reject) => {
      this.#stream.write(chunk, (error) => (error ? reject(error) : resolve()));
    });
    try {
      await Promise.race([this.#failed, taken]);
    } catch (error) {
      // The stream of a COPY that was refused fails to write, maybe before it has said why.
      await Promise.race([this.#failed, setImmediate()]);
      throw error;
    }
  }
}
