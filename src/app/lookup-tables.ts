import { loadCatalog } from '../catalog/load.ts';
import type { LiveCatalog } from '../catalog/live-catalog.ts';
import type { VirtualTable } from '../catalog/table.ts';
import type { Pool } from '../engine/pool.ts';
import type { Logger } from '../kernel/log.ts';
import type { HttpClient } from '../sources/http/client.ts';
import type { LookupDefinition } from '../sources/http/definition.ts';
import { httpListSource } from '../sources/http/list-source.ts';
import { httpLookupSource } from '../sources/http/lookup-source.ts';
import { unusableSource } from '../sources/http/unusable-source.ts';
import type { Source } from '../sources/source.ts';

export interface LookupTablesOptions {
  readonly pool: Pool;
  readonly catalog: LiveCatalog;
  /** Gets a source for each definition, and loses none: statements under way may still ask it. */
  readonly sources: Map<string, Source>;
  /** By the connection's name. */
  readonly clients: ReadonlyMap<string, HttpClient>;
  /** What the configuration says of how long answers of single tables are kept. */
  readonly ttlMsByTable: Readonly<Record<string, number>>;
  readonly log: Logger;
}

interface Entry extends LookupDefinition {
  /** Of its foreign table. */
  readonly oid: number;
}

const ENTRIES = `
  select e.id::text, e.name, e.url_template as "urlTemplate", e.columns, e.connection, e.rows_at as "rowsAt", e.more_at as "moreAt", e.format,
         (1000 * extract(epoch from e.ttl))::float8 as "ttlMs", c.oid::bigint::float8 as oid
  from trailhound.lookup_entry e
    join pg_class c on c.relname = e.name and c.relnamespace = 'source'::regnamespace and c.relkind = 'f'`;

/** Tables that `trailhound.create_lookup()` made, in whichever process, as the catalog and the sources have them. */
export class LookupTables {
  readonly #options: LookupTablesOptions;
  readonly #known = new Map<string, Entry>();
  #reading: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(options: LookupTablesOptions) {
    this.#options = options;
  }

  /** Resolves when all that there is can be asked. */
  start(): Promise<void> {
    return this.#refreshNow();
  }

  /** Resolves when what had been committed before the call is known. Never rejects. */
  async refresh(): Promise<void> {
    await this.#refreshNow().catch((error: unknown) =>
      this.#options.log.warn({ err: error }, 'tables made by SQL could not be read'),
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#reading?.catch(() => undefined);
  }

  #refreshNow(): Promise<void> {
    // One that has begun may have read too early.
    if (this.#reading !== undefined) this.#again = true;
    return (this.#reading ??= this.#readAll());
  }

  async #readAll(): Promise<void> {
    try {
      do {
        this.#again = false;
        await this.#read();
      } while (this.#isWanted());
    } finally {
      // In the same turn as the last look: a later call reads anew.
      this.#reading = undefined;
    }
  }

  #isWanted(): boolean {
    return this.#again && !this.#closed;
  }

  async #read(): Promise<void> {
    const { pool, catalog, sources } = this.#options;
    const { rows } = await pool.query<
      Omit<Entry, 'rowsAt' | 'moreAt' | 'ttlMs'> & {
        rowsAt: string | null;
        moreAt: string | null;
        ttlMs: number | null;
      }
    >(ENTRIES);
    const entries = rows.map((row): Entry => ({
      ...row,
      rowsAt: row.rowsAt ?? undefined,
      moreAt: row.moreAt ?? undefined,
      ttlMs: row.ttlMs ?? undefined,
    }));
    const come = entries.filter(({ id, oid }) => this.#known.get(id)?.oid !== oid);
    const there = new Set(entries.map(({ oid }) => oid));
    const gone = [...this.#known.values()].filter(({ oid }) => !there.has(oid));
    if (come.length === 0 && gone.length === 0) return;
    const loaded = await loadCatalog(
      pool,
      come.map(({ oid }) => oid),
    );
    const tables = new Map<number, VirtualTable>();
    for (const entry of come) {
      const table = loaded.tableByOid(entry.oid);
      if (table === undefined) continue;
      sources.set(table.source, this.#sourceOf(entry));
      tables.set(entry.oid, { ...table, ttlMs: this.#ttlOf(entry) });
    }
    catalog.change(new Set([...gone, ...come].map(({ oid }) => oid)), {
      tables: [...tables.values()],
      views: loaded.views.flatMap((view) => {
        const table = tables.get(view.table.oid);
        if (table === undefined) return [];
        const columns = view.columns.map((column) => ({
          ...column,
          column: table.columns.find(({ name }) => name === column.column?.name),
        }));
        return [{ ...view, table, columns }];
      }),
    });
    for (const { id } of gone) this.#known.delete(id);
    for (const entry of come) this.#known.set(entry.id, entry);
  }

  #sourceOf(entry: Entry): Source {
    const { name, connection, columns } = entry;
    const isKeyed = columns.some(({ key }) => key === true);
    const client = this.#options.clients.get(connection);
    if (client === undefined) return unusableSource(isKeyed ? 'lookup' : 'scan', name, connection, 'no connection');
    const source = isKeyed ? httpLookupSource(entry, client) : httpListSource(entry, client);
    return source ?? unusableSource(isKeyed ? 'lookup' : 'scan', name, connection, 'no URL');
  }

  #ttlOf({ name, ttlMs, connection }: Entry): number {
    const { ttlMsByTable, clients } = this.#options;
    return ttlMsByTable[name] ?? ttlMs ?? clients.get(connection)?.connection.ttlMs ?? 0;
  }
}
