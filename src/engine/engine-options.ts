export interface EngineOptions {
  /** The embedded engine lives in it. */
  readonly dataDir: string;
  /** `postgres://…`: a PostgreSQL >= 16 where we are superuser, in place of the embedded one. */
  readonly engineUrl?: string | undefined;
  /** What clients connect to; made when missing. */
  readonly database: string;
  /** Clients at once. */
  readonly maxClients: number;
  /** The server's own connections. */
  readonly poolSize: number;
}

/** Each client may hold one more connection by way of a foreign table's scan; ten are for set-up, psql and autovacuum. */
export function maxConnections(options: EngineOptions): number {
  return 2 * options.maxClients + options.poolSize + 10;
}
