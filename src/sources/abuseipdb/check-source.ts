import { isIPv4 } from 'node:net';
import { Pool } from 'undici';
import type { Column } from '../../catalog/table.ts';
import type { CallContext, LookupKey, LookupSource, SourceRecord } from '../source.ts';
import { SourceError } from '../source.ts';
import { noKey, refused } from './failures.ts';
import { isPublicAddress } from './special-addresses.ts';

/** A connection of kind abuseipdb, as the configuration gives it. */
export interface AbuseipdbConfig {
  /** The connection's name. */
  readonly name: string;
  /** Without it a statement fails at its first look-up. */
  readonly apiKey: string | undefined;
  /** `https://api.abuseipdb.com/api/v2` */
  readonly url: string;
  /** Requests in flight at once. Default 16. */
  readonly concurrency?: number | undefined;
  /** How long the service may say nothing, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number | undefined;
}

const CONCURRENCY = 16;
const TIMEOUT_MS = 30_000;
const CONNECT_MS = 10_000;
/** With `verbose` the API gives up to 10,000 reports, each with a comment of 1,024 characters. */
const MAX_BODY_BYTES = 32 * 2 ** 20;
/** The API's own range and our table's default. */
const DEFAULT_MAX_AGE_IN_DAYS = '90';

/** What is left of the day's requests, as the last answer said. */
export interface Quota {
  readonly limit: number;
  readonly remaining: number;
}

export interface AbuseipdbCheckSource extends LookupSource {
  /** Undefined before the first answer, or where the service does not say. */
  quota(): Quota | undefined;
}

/** GET /check, https://docs.abuseipdb.com/#check-endpoint: one call an address. */
export function abuseipdbCheckSource(config: AbuseipdbConfig): AbuseipdbCheckSource {
  const { name } = config;
  const base = new URL(config.url);
  const path = `${base.pathname.replace(/\/+$/, '')}/check`;
  const concurrency = config.concurrency ?? CONCURRENCY;
  const limit = { key: `abuseipdb:check:${name}`, concurrency };
  const timeout = config.timeoutMs ?? TIMEOUT_MS;
  let pool: Pool | undefined;
  let quota: Quota | undefined;

  const open = () =>
    (pool ??= new Pool(base.origin, {
      pipelining: 1,
      connect: { timeout: CONNECT_MS },
      headersTimeout: timeout,
      bodyTimeout: timeout,
      keepAliveTimeout: 30_000,
    }));

  const ask = async (query: Readonly<Record<string, string>>, apiKey: string, signal: AbortSignal): Promise<object> => {
    signal.throwIfAborted();
    const response = await open().request({
      method: 'GET',
      path,
      query,
      headers: { Key: apiKey, Accept: 'application/json' },
      signal,
    });
    const body = await readText(response.body, name);
    quota = quotaOf(response.headers) ?? quota;
    if (response.statusCode !== 200) {
      throw refused({ status: response.statusCode, headers: response.headers, body }, name, Date.now());
    }
    return dataOf(body, response.headers['content-type'], name);
  };

  return {
    kind: 'lookup',
    limit,
    quota: () => quota,
    // The cache outlives a change of the configuration: what a stand-in said is not the service's answer.
    variant: (columns) => `${base.origin}${path}${wantsReports(columns) ? '?verbose' : ''}`,
    answerLocally: (key) => {
      // A network is no address: it equals no row.
      if (key.key.includes('/')) return [];
      return isPublicAddress(key.key) ? undefined : [recordOf(key, reservedAddress(key.key), undefined)];
    },
    lookup: async (key, columns, context: CallContext) => {
      const apiKey = config.apiKey?.trim() ?? '';
      if (apiKey === '') throw noKey(name);
      const query = {
        ipAddress: key.key,
        maxAgeInDays: maxAgeOf(key),
        ...(wantsReports(columns) && { verbose: '' }),
      };
      const data = await context.call(limit, async (signal) => {
        try {
          return await ask(query, apiKey, signal);
        } catch (error) {
          signal.throwIfAborted();
          throw error instanceof SourceError ? error : unreachable(error, name, base);
        }
      });
      return [recordOf(key, data, new Date().toISOString())];
    },
    close: async () => {
      await pool?.destroy();
      pool = undefined;
    },
  };
}

function wantsReports(columns: readonly Column[]): boolean {
  return columns.some(({ path }) => path === 'reports');
}

function maxAgeOf({ inputs }: LookupKey): string {
  return inputs['max_age_in_days'] ?? DEFAULT_MAX_AGE_IN_DAYS;
}

function recordOf(key: LookupKey, value: object, fetchedAt: string | undefined): SourceRecord {
  return {
    value,
    added: { ip_address: key.key, max_age_in_days: maxAgeOf(key), fetched_at: fetchedAt },
    origin: () => `AbuseIPDB's answer for ${key.key}`,
  };
}

/** As the API answers for such an address. */
function reservedAddress(address: string): object {
  return {
    ipAddress: address,
    isPublic: false,
    ipVersion: isIPv4(address) ? 4 : 6,
    isWhitelisted: false,
    abuseConfidenceScore: 0,
    countryCode: null,
    usageType: 'Reserved',
    isp: null,
    domain: null,
    hostnames: [],
    isTor: false,
    totalReports: 0,
    numDistinctUsers: 0,
    lastReportedAt: null,
  };
}

async function readText(body: AsyncIterable<Uint8Array> & { destroy(): unknown }, connection: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) {
      throw new SourceError(
        'nonsense',
        connection,
        `AbuseIPDB's answer is larger than ${MAX_BODY_BYTES / 2 ** 20} MiB`,
        {
          hint: `Check connections.${connection}.url, or ABUSEIPDB_URL.`,
        },
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function dataOf(body: string, contentType: string | string[] | undefined, connection: string): object {
  const answer = parse(body);
  const data: unknown = typeof answer === 'object' && answer !== null && 'data' in answer ? answer.data : undefined;
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data;
  const what =
    answer === undefined ? `is no JSON but ${String(contentType ?? 'of an unknown type').slice(0, 80)}` : 'has no data';
  throw new SourceError('nonsense', connection, `AbuseIPDB's answer ${what}`, {
    detail: `It has ${body.length} characters.`,
    hint: `Check connections.${connection}.url, or ABUSEIPDB_URL, and whether a proxy answers in the place of the service.`,
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function quotaOf(headers: Readonly<Record<string, string | string[] | undefined>>): Quota | undefined {
  const limit = Number(headers['x-ratelimit-limit'] ?? Number.NaN);
  const remaining = Number(headers['x-ratelimit-remaining'] ?? Number.NaN);
  return Number.isSafeInteger(limit) && Number.isSafeInteger(remaining) ? { limit, remaining } : undefined;
}

/** Codes of undici and of Node for what will not change by asking again. */
const LASTING = new Set(['ENOTFOUND', 'ECONNREFUSED', 'ERR_INVALID_URL', 'UND_ERR_INVALID_ARG']);

function unreachable(error: unknown, connection: string, url: URL): SourceError {
  const code = codeOf(error);
  if (code === 'UND_ERR_INVALID_ARG') {
    // undici's own message would repeat the header.
    return new SourceError(
      'credentials',
      connection,
      `the API key of connection ${connection} has characters that no key has`,
      {
        hint: `Correct ABUSEIPDB_API_KEY, or connections.${connection}.api_key.`,
      },
    );
  }
  const why = code === undefined ? '' : ` (${code})`;
  return new SourceError('unreachable', connection, `AbuseIPDB cannot be reached at ${url.origin}${why}`, {
    retryable: code === undefined || !LASTING.has(code),
    detail: `Connection ${connection} asked for one address.`,
    hint: `Check the network, and connections.${connection}.url or ABUSEIPDB_URL.`,
    cause: error,
  });
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return codeOf(error.cause);
}
