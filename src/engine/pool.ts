import type { Writable } from 'node:stream';
import pg from 'pg';
import type { Pool, PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

export type { Pool, PoolClient } from 'pg';

export interface ConnectionTarget {
  /** A directory for a Unix socket, else a host. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  /** undefined: plain. */
  readonly tls?: TlsOptions | undefined;
}

export interface TlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** False: the certificate's chain is checked, its name is not (libpq's verify-ca). */
  readonly checkName: boolean;
}

/**
 * A lock that somebody else holds must not stop the server's own work for long: a user's `lock table` followed by a
 * statement that needs us would wait for ever.
 */
const LOCK_TIMEOUT = '5s';

/** Without bytes on a connection, until the other side is asked whether it is still there. */
export const KEEP_ALIVE_MS = 30_000;

const SESSION = [
  'search_path=pg_catalog',
  'timezone=UTC',
  'datestyle=ISO',
  'intervalstyle=postgres',
  'extra_float_digits=1',
  'client_min_messages=warning',
  'statement_timeout=0',
  // Of a process that is stopped, or cut off: what it has locked must not stay so.
  'idle_in_transaction_session_timeout=5min',
  // Of a machine that is cut off: what tells that its process lives must not outlast it by hours.
  'tcp_keepalives_idle=30',
  'tcp_keepalives_interval=10',
  'tcp_keepalives_count=3',
  `lock_timeout=${LOCK_TIMEOUT}`,
];

function clientConfig(target: ConnectionTarget): pg.ClientConfig {
  return {
    host: target.host,
    port: target.port,
    user: target.user,
    password: target.password ?? '',
    database: target.database,
    ssl: target.tls === undefined ? false : sslConfig(target.tls),
    application_name: 'trailhound',
    client_encoding: 'UTF8',
    options: SESSION.map((setting) => `-c ${setting}`).join(' '),
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
  };
}

function sslConfig(tls: TlsOptions): pg.ClientConfig['ssl'] & object {
  return {
    rejectUnauthorized: tls.rejectUnauthorized,
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.checkName ? {} : { checkServerIdentity: () => undefined }),
  };
}

/** The server's own connections. Which of them broke shows at their next use; idle ones are replaced silently. */
export function createPool(target: ConnectionTarget, size: number): Pool {
  const pool = new pg.Pool({ ...clientConfig(target), max: size, idleTimeoutMillis: 60_000 });
  pool.on('error', () => undefined);
  // A borrowed connection that breaks emits 'error' as well; its query's rejection says so already.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** One connection outside any pool, closed afterwards. */
export async function withClient<T>(target: ConnectionTarget, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(clientConfig(target));
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A connection for as long as its holder lives: beside the pool, so that it takes no place in it and does not hold up its end. */
export async function connectBeside(pool: Pool): Promise<pg.Client> {
  const client = new pg.Client(pool.options);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Borrows a connection; one whose use failed half-way is not given to anybody else. */
export async function withPoolClient<T>(pool: Pool, use: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    const result = await use(client);
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** `sql`: a COPY … FROM STDIN. Ends with 'finish'; destroying it fails the COPY. */
export function copyIn(client: PoolClient, sql: string): Writable {
  return client.query(copyFrom(sql));
}
