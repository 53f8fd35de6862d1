import { randomUUID } from 'node:crypto';
import type { Pool } from '../../engine/pool.ts';
import { quoteIdent } from '../../sql/substitute.ts';
import type { HydratedRows } from '../hydrator.ts';
import type { ProcessLock } from '../../engine/process-lock.ts';
import { ANALYZE_ABOVE } from '../relation-copy.ts';
import type { Asked } from './asked.ts';
import { SharedRows } from './shared-rows.ts';

/** Rows of one reading, as they were written. */
export interface KeptPart {
  readonly id: string;
  readonly rows: SharedRows;
  readonly kind: 'values' | 'relation';
  readonly bytes: number;
}

/**
 * `trailhound.kept_scan`: which rows of scans are kept. It is unlogged, as the relations are: what empties those after a
 * crash empties it too, so that nobody takes the one for the other; and whoever deletes from it has cleared the cache.
 */
export class KeptParts {
  readonly #pool: Pool;
  readonly #lock: ProcessLock;

  constructor(pool: Pool, lock: ProcessLock) {
    this.#pool = pool;
    this.#lock = lock;
  }

  /** Undefined: they stand in more than one relation. */
  async add({ table, time }: Asked, rows: HydratedRows, fetchedAt: number): Promise<KeptPart | undefined> {
    const { kind } = rows;
    if (kind === 'parts' || (kind === 'relation' && rows.name.startsWith('('))) return undefined;
    await this.#lock.hold();
    const id = randomUUID();
    const relation = kind === 'relation' ? rows.name : null;
    // They are told apart by their times: where nothing is known of those, two bounds are taken to leave very few rows.
    if (relation !== null && time !== undefined && rows.statistics.rows <= ANALYZE_ABOVE)
      await this.#pool.query(`analyze ${relation} (${quoteIdent(time.name)})`);
    const { rows: inserted } = await this.#pool.query<{ bytes: number }>(
      `insert into trailhound.kept_scan (id, process, table_name, bytes, fetched_at)
       values ($1, $2, $3, coalesce(pg_catalog.pg_table_size($4::pg_catalog.regclass), $5), $6)
       returning bytes::float8 as bytes`,
      [id, this.#lock.id, table.name, relation, kind === 'values' ? sizeOf(rows.rows) : 0, new Date(fetchedAt)],
    );
    const release = async (): Promise<void> => {
      await rows.release();
      await this.#pool.query('delete from trailhound.kept_scan where id = $1', [id]).catch(() => undefined);
    };
    return { id, rows: new SharedRows({ ...rows, release }), kind, bytes: inserted[0]?.bytes ?? 0 };
  }

  /** Those that were neither lost nor cleared since. */
  async present(parts: readonly KeptPart[]): Promise<ReadonlySet<KeptPart>> {
    const { rows } = await this.#pool.query<{ id: string }>(
      'select id from trailhound.kept_scan where id = any ($1::uuid[])',
      [parts.map(({ id }) => id)],
    );
    const ids = new Set(rows.map(({ id }) => id));
    return new Set(parts.filter(({ id }) => ids.has(id)));
  }
}

function sizeOf(rows: readonly (readonly (string | null)[])[]): number {
  let characters = 0;
  for (const row of rows) for (const value of row) characters += value?.length ?? 4;
  return characters;
}
