import type { Duplex } from 'node:stream';
import type { Pool } from 'pg';

/** A real PostgreSQL, embedded or reached by URL. */
export interface Engine {
  readonly kind: 'embedded' | 'external';
  /** server_version_num, e.g. 180004. */
  readonly version: number;
  /** The database that clients connect to. */
  readonly database: string;
  /** The server's own connections: superuser, search_path pg_catalog, UTC, UTF8, lock_timeout set. */
  readonly pool: Pool;
  /** A byte stream to a fresh backend, before its start-up packet. */
  connectBackend(): Promise<Duplex>;
  /** Resolves when the engine has ended without being asked to, with the reason. */
  readonly ended: Promise<string>;
  /** Ends the pool, then the engine (fast shutdown, then immediate). Idempotent. */
  close(): Promise<void>;
}
