import { readFileSync } from 'node:fs';
import { TrailhoundError } from '../../kernel/errors.ts';

/** libpq's sslmode, with its meanings ("SSL Mode Descriptions" in PostgreSQL's manual). */
export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

export interface EngineUrl {
  /** A host name, an address, or a directory that holds a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  /** Where to connect before our own database exists. */
  readonly maintenanceDatabase: string;
  readonly sslMode: SslMode;
  /** PEM texts. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** The URL without its password, for messages. */
  readonly printable: string;
}

const MODES: readonly string[] = [
  'disable',
  'allow',
  'prefer',
  'require',
  'verify-ca',
  'verify-full',
] satisfies SslMode[];
const PARAMETERS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'host', 'port', 'user', 'password', 'dbname'];
const FORM = 'Write it as postgres://user:password@host:5432/postgres?sslmode=verify-full.';

/** A connection URI as libpq reads it ("Connection URIs"), with the parameters above. */
export function parseEngineUrl(text: string): EngineUrl {
  const url = toUrl(text);
  for (const name of url.searchParams.keys()) {
    if (!PARAMETERS.includes(name))
      throw invalid(`unknown parameter ${name} in the engine URL`, `Known are ${PARAMETERS.join(', ')}.`);
  }
  const parameter = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  const user = parameter('user') ?? nonEmpty(decodeURIComponent(url.username));
  if (user === undefined) throw invalid('the engine URL names no user', FORM);
  const sslMode = parameter('sslmode') ?? 'prefer';
  if (!isSslMode(sslMode))
    throw invalid(`unknown sslmode ${sslMode} in the engine URL`, `Known are ${MODES.join(', ')}.`);
  const port = Number(parameter('port') ?? nonEmpty(url.port) ?? '5432');
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw invalid('the engine URL has no valid port', FORM);
  const ca = readPem(parameter('sslrootcert'));
  const host = parameter('host') ?? nonEmpty(decodeURIComponent(url.hostname)) ?? '127.0.0.1';
  const database = parameter('dbname') ?? nonEmpty(decodeURIComponent(url.pathname.slice(1))) ?? 'postgres';
  return {
    // A literal IPv6 address stands in brackets.
    host: host.startsWith('[') ? host.slice(1, -1) : host,
    port,
    user,
    password: parameter('password') ?? nonEmpty(decodeURIComponent(url.password)),
    maintenanceDatabase: database,
    // libpq: with a root certificate at hand, require means verify-ca.
    sslMode: sslMode === 'require' && ca !== undefined ? 'verify-ca' : sslMode,
    ca,
    cert: readPem(parameter('sslcert')),
    key: readPem(parameter('sslkey')),
    printable: `postgres://${user}@${host.includes('/') ? encodeURIComponent(host) : host}:${port}/${database}`,
  };
}

function toUrl(text: string): URL {
  const scheme = ['postgres://', 'postgresql://'].find((prefix) => text.startsWith(prefix));
  if (scheme === undefined) throw invalid('the engine URL does not begin with postgres://', FORM);
  let rest = text.slice(scheme.length);
  // libpq allows an empty host (`postgres:///postgres?host=/run/postgresql`, `postgres://me@/…`), WHATWG URLs do not.
  const authority = rest.split(/[/?]/, 1)[0] ?? '';
  if (authority === '' || authority.endsWith('@')) rest = `${authority}127.0.0.1${rest.slice(authority.length)}`;
  try {
    return new URL(`postgres://${rest}`);
  } catch {
    throw invalid('the engine URL cannot be read', FORM);
  }
}

function readPem(path: string | undefined): string | undefined {
  if (path === undefined || path === 'system') return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw invalid(`cannot read ${path}, which the engine URL names`, 'Give the path of a PEM file.', cause);
  }
}

function isSslMode(text: string): text is SslMode {
  return MODES.includes(text);
}

function nonEmpty(text: string): string | undefined {
  return text === '' ? undefined : text;
}

function invalid(message: string, hint: string, cause?: unknown): TrailhoundError {
  return new TrailhoundError('configuration', message, { hint, cause });
}
