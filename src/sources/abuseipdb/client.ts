import { createHash } from 'node:crypto';
import { Pool } from 'undici';
import { parseExactly } from '../exact-number.ts';
import type { CallContext, Quota } from '../source.ts';
import { SourceError } from '../source.ts';
import type { Endpoint } from './endpoint.ts';
import { noKey, noResult, refused, unreachable } from './failures.ts';
import { quotaOf } from './quota.ts';

/** A connection of kind abuseipdb, as the configuration gives it. */
export interface AbuseipdbConfig {
  /** The connection's name. */
  readonly name: string;
  /** Without it a statement fails at its first request. */
  readonly apiKey: string | undefined;
  /** `https://api.abuseipdb.com/api/v2` */
  readonly url: string;
  /** Requests in flight at once. Default 16. */
  readonly concurrency?: number | undefined;
  /** How long the service may say nothing, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number | undefined;
}

export interface Answer {
  /** Of the body's member `data`: an object or a list, as the endpoint has it, its numbers as they were written. */
  readonly data: unknown;
  /** Of the body, as received. */
  readonly bytes: number;
}

const CONCURRENCY = 16;
const TIMEOUT_MS = 30_000;
const CONNECT_MS = 10_000;
/** With `verbose` the API gives up to 10,000 reports, each with a comment of 1,024 characters; a blacklist of 500,000 has 55 MB. */
const MAX_BODY_BYTES = 128 * 2 ** 20;

/** One account of AbuseIPDB, for all tables that are read from it. Nothing is opened before the first request. */
export class AbuseipdbClient {
  readonly name: string;
  readonly #config: AbuseipdbConfig;
  readonly #base: URL;
  #pool: Pool | undefined;

  constructor(config: AbuseipdbConfig) {
    this.name = config.name;
    this.#config = config;
    this.#base = new URL(config.url);
  }

  get #apiKey(): string {
    return this.#config.apiKey?.trim() ?? '';
  }

  limit(endpoint: Endpoint) {
    const concurrency = this.#config.concurrency ?? CONCURRENCY;
    return { key: `abuseipdb:${endpoint}:${this.name}`, concurrency, connection: this.name };
  }

  /** For messages and the cache's keys, which outlive a change of the configuration: what a stand-in said is not the service's answer. */
  address(endpoint: Endpoint): string {
    return `${this.#base.origin}${this.#path(endpoint)}`;
  }

  /** Undefined without an API key: nothing will be asked. */
  quota(endpoint: Endpoint): Quota | undefined {
    if (this.#apiKey === '') return undefined;
    const account = createHash('sha256').update(`${this.#base.href} ${this.#apiKey}`).digest('hex').slice(0, 16);
    return { source: `abuseipdb_${endpoint.replaceAll('-', '_')}`, account, service: 'AbuseIPDB' };
  }

  /** One request, by the statement's context, so that limits, retries and cancel apply. */
  async get(endpoint: Endpoint, query: Readonly<Record<string, string>>, context: CallContext): Promise<Answer> {
    if (this.#apiKey === '') throw noKey(this.name);
    return context.call(this.limit(endpoint), async (signal) => {
      try {
        return await this.#send(endpoint, query, context, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw error instanceof SourceError ? error : unreachable(error, this.name, this.#base);
      }
    });
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.destroy();
  }

  async #send(
    endpoint: Endpoint,
    query: Readonly<Record<string, string>>,
    context: CallContext,
    signal: AbortSignal,
  ): Promise<Answer> {
    signal.throwIfAborted();
    const response = await this.#open().request({
      method: 'GET',
      path: this.#path(endpoint),
      query,
      headers: { Key: this.#apiKey, Accept: 'application/json' },
      signal,
    });
    const body = await readText(response.body, this.name);
    const answer = { status: response.statusCode, headers: response.headers, body };
    const quota = this.quota(endpoint);
    const state = quotaOf(answer, Date.now());
    if (quota !== undefined && state !== undefined) context.quota?.(quota, state);
    if (answer.status !== 200) throw refused(answer, this.name, endpoint, Date.now());
    return { data: dataOf(body, response.headers['content-type'], this.name), bytes: Buffer.byteLength(body) };
  }

  #path(endpoint: Endpoint): string {
    return `${this.#base.pathname.replace(/\/+$/, '')}/${endpoint}`;
  }

  #open(): Pool {
    const timeout = this.#config.timeoutMs ?? TIMEOUT_MS;
    return (this.#pool ??= new Pool(this.#base.origin, {
      pipelining: 1,
      connect: { timeout: CONNECT_MS },
      headersTimeout: timeout,
      bodyTimeout: timeout,
      keepAliveTimeout: 30_000,
    }));
  }
}

async function readText(body: AsyncIterable<Uint8Array> & { destroy(): unknown }, connection: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw noResult(connection, `is larger than ${MAX_BODY_BYTES / 2 ** 20} MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function dataOf(body: string, contentType: string | string[] | undefined, connection: string): unknown {
  const answer = parse(body);
  if (answer === undefined)
    throw noResult(connection, `is no JSON but ${String(contentType ?? 'of an unknown type').slice(0, 80)}`, body);
  const data: unknown = typeof answer === 'object' && answer !== null && 'data' in answer ? answer.data : undefined;
  if (typeof data !== 'object' || data === null) throw noResult(connection, 'has no data', body);
  return data;
}

function parse(text: string): unknown {
  try {
    return parseExactly(text);
  } catch {
    return undefined;
  }
}
