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
  /** Where the engine's own backends can reach a listener of ours; undefined where they cannot. */
  readonly loopback: LoopbackPlace | undefined;
  /** A byte stream to a fresh backend, before its start-up packet. */
  connectBackend(): Promise<Duplex>;
  /** Resolves when the engine has ended without being asked to, with the reason. */
  readonly ended: Promise<string>;
  /** Ends the pool, then the engine (fast shutdown, then immediate). Idempotent. */
  close(): Promise<void>;
}

/** A socket that only the engine's user and we can enter, or a port on the engine's own machine. */
export type LoopbackPlace =
  | { readonly kind: 'socket'; readonly directory: string; readonly port: number; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: '127.0.0.1' };
