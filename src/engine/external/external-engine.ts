import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { TrailhoundError } from '../../kernel/errors.ts';
import { maxConnections, type EngineOptions } from '../engine-options.ts';
import { ensureDatabase } from '../database.ts';
import type { Engine } from '../engine.ts';
import { createPool, withClient, type ConnectionTarget, type TlsOptions } from '../pool.ts';
import { parseEngineUrl, type EngineUrl } from './engine-url.ts';
import { connectEncrypted, connectPlain, type Address } from './tls.ts';

/** pg_input_is_valid(), SQL bodies of functions, roles with CREATEROLE that are not half a superuser. */
const OLDEST_VERSION = 160_000;

const LOCAL_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1']);

/** A PostgreSQL that somebody else runs. It stays up when we end, and may restart while we run. */
export async function openExternalEngine(text: string, options: EngineOptions): Promise<Engine> {
  const url = parseEngineUrl(text);
  const tls = await chooseTls(url);
  const target: ConnectionTarget = {
    host: url.host,
    port: url.port,
    user: url.user,
    password: url.password,
    database: options.database,
    tls,
  };
  const maintenance = { ...target, database: url.maintenanceDatabase };
  const version = await check(url, maintenance, options);
  await ensureDatabase(maintenance, options.database);
  await checkEncoding(target);
  const pool = createPool(target, options.poolSize);
  let closing: Promise<void> | undefined;
  return {
    kind: 'external',
    version,
    database: options.database,
    pool,
    loopback: LOCAL_HOSTS.has(url.host) || url.host.startsWith('/') ? { kind: 'tcp', host: '127.0.0.1' } : undefined,
    connectBackend: () => connectBackend(url, tls),
    // Its restart is not our end: connections break, and new ones are made.
    ended: new Promise(() => undefined),
    close() {
      closing ??= pool.end();
      return closing;
    },
  };
}

function address(url: EngineUrl): Address {
  return url.host.startsWith('/')
    ? { path: join(url.host, `.s.PGSQL.${url.port}`) }
    : { host: url.host, port: url.port };
}

async function connectBackend(url: EngineUrl, tls: TlsOptions | undefined): Promise<Duplex> {
  if (tls === undefined) return connectPlain(address(url));
  const stream = await connectEncrypted(url, tls);
  if (stream === undefined) throw noTls(url);
  return stream;
}

/** Found out once: undefined means plain for all connections. */
async function chooseTls(url: EngineUrl): Promise<TlsOptions | undefined> {
  // libpq, too, never encrypts a Unix socket, and starts plain with `allow`.
  if (url.host.startsWith('/') || url.sslMode === 'disable' || url.sslMode === 'allow') return undefined;
  const verify = url.sslMode === 'verify-ca' || url.sslMode === 'verify-full';
  const tls: TlsOptions = {
    rejectUnauthorized: verify,
    checkName: url.sslMode === 'verify-full',
    ca: url.ca,
    cert: url.cert,
    key: url.key,
  };
  const stream = await connectEncrypted(url, tls).catch((cause: unknown) => {
    throw unreachable(url, cause);
  });
  stream?.destroy();
  if (stream !== undefined) return tls;
  if (url.sslMode === 'prefer') return undefined;
  throw noTls(url);
}

function noTls(url: EngineUrl): TrailhoundError {
  return new TrailhoundError('configuration', `the engine at ${url.printable} has no TLS, sslmode is ${url.sslMode}`, {
    hint: 'Turn on ssl in its postgresql.conf, or write sslmode=disable into the engine URL where the network is your own.',
  });
}

interface Facts {
  readonly version: number;
  readonly superuser: boolean;
  readonly connections: number;
  readonly fdw: boolean;
}

async function check(url: EngineUrl, maintenance: ConnectionTarget, options: EngineOptions): Promise<number> {
  const facts = await withClient(maintenance, async (client) => {
    const { rows } = await client.query<Facts>(
      `select pg_catalog.current_setting('server_version_num')::int as version,
              (select rolsuper from pg_catalog.pg_roles where rolname = current_user) as superuser,
              pg_catalog.current_setting('max_connections')::int as connections,
              exists (select from pg_catalog.pg_available_extensions where name = 'postgres_fdw') as fdw`,
    );
    return rows[0];
  }).catch((cause: unknown) => {
    throw unreachable(url, cause);
  });
  if (facts === undefined) throw new Error('one row expected');
  if (facts.version < OLDEST_VERSION) {
    throw new TrailhoundError(
      'configuration',
      `the engine at ${url.printable} is PostgreSQL ${Math.floor(facts.version / 10_000)}`,
      {
        hint: 'Use PostgreSQL 16 or newer.',
      },
    );
  }
  if (!facts.superuser) {
    throw new TrailhoundError('configuration', `${url.user} is not a superuser of the engine at ${url.printable}`, {
      detail: 'Trailhound makes a foreign data wrapper, operators in pg_catalog and roles.',
      hint: `Give --engine-url a superuser, or run there: alter role "${url.user}" superuser.`,
    });
  }
  if (!facts.fdw) {
    throw new TrailhoundError('configuration', `the engine at ${url.printable} has no postgres_fdw`, {
      hint: 'Install the contrib package of that PostgreSQL (postgresql-contrib).',
    });
  }
  const needed = maxConnections(options);
  if (facts.connections < needed) {
    throw new TrailhoundError(
      'configuration',
      `the engine at ${url.printable} allows ${facts.connections} connections, ${needed} are needed`,
      {
        detail: `Twice the ${options.maxClients} clients, the ${options.poolSize} connections of the server and ten more.`,
        hint: `Set max_connections = ${needed} there, or allow fewer clients here.`,
      },
    );
  }
  return facts.version;
}

async function checkEncoding(target: ConnectionTarget): Promise<void> {
  const encoding = await withClient(target, async (client) => {
    const { rows } = await client.query<{ encoding: string }>(
      `select pg_catalog.current_setting('server_encoding') as encoding`,
    );
    return rows[0]?.encoding;
  });
  if (encoding === 'UTF8') return;
  throw new TrailhoundError('configuration', `database ${target.database} has the encoding ${encoding ?? 'unknown'}`, {
    hint: 'Let Trailhound make the database, or make it with encoding UTF8.',
  });
}

function unreachable(url: EngineUrl, cause: unknown): TrailhoundError {
  if (cause instanceof TrailhoundError) return cause;
  const said =
    cause instanceof AggregateError
      ? cause.errors.map(String).join('; ')
      : cause instanceof Error
        ? cause.message
        : String(cause);
  return new TrailhoundError('configuration', `cannot use the engine at ${url.printable}`, {
    detail: `It says: ${said}.`,
    hint: 'Check host, port, user, password and sslmode of --engine-url.',
    cause,
  });
}
