import { createHash } from 'node:crypto';
import { Agent, type Dispatcher } from 'undici';
import { linkAbort } from '../../kernel/abort.ts';
import type { CallContext, Quota, RateLimit } from '../source.ts';
import { SourceError } from '../source.ts';
import { retryAfterMs } from '../retry-after.ts';
import { mayCall, mayLeadTo, type AllowedHosts, type HttpConnection } from './connection.ts';
import { decodeText } from './decode-text.ts';
import { noAnswer, notAllowed, refused, unreachable } from './failures.ts';
import { guardedConnector, NOT_INTERNET, type Resolve } from './guarded-connector.ts';

/** Undefined text: the status is one of those that say that there is nothing. */
export interface HttpAnswer {
  readonly status: number;
  readonly text: string | undefined;
  /** Of the body, as received. */
  readonly bytes: number;
}

const MOST_REDIRECTS = 3;
/** Without a word on encodings any would do: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3 */
const USUAL_HEADERS = {
  accept: 'application/json, text/plain;q=0.9',
  'accept-encoding': 'identity',
  'user-agent': 'trailhound',
};
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** One connection of the configuration, for all tables that ask through it. Nothing is opened before the first request. */
export class HttpClient {
  readonly connection: HttpConnection;
  readonly limit: RateLimit;
  readonly quota: Quota;
  readonly #hosts: AllowedHosts;
  readonly #resolve: Resolve | undefined;
  /** Their names in lower case: one of the configuration's takes the place of a usual one. */
  readonly #headers: Readonly<Record<string, string>>;
  #agent: Agent | undefined;

  constructor(connection: HttpConnection, hosts: AllowedHosts, resolve?: Resolve) {
    const { name, concurrency, requestsPerSecond, quotaPerDay } = connection;
    this.connection = connection;
    this.#hosts = hosts;
    this.#resolve = resolve;
    this.#headers = Object.fromEntries(
      Object.entries(connection.headers).map(([key, value]) => [key.toLowerCase(), value]),
    );
    this.limit = { key: `http:${name}`, connection: name, concurrency, requestsPerSecond };
    const secrets = JSON.stringify([connection.host, connection.headers, connection.query]);
    const account = createHash('sha256').update(secrets).digest('hex').slice(0, 16);
    this.quota = { source: `http_${name}`, account, service: `connection ${name}`, perDay: quotaPerDay };
  }

  /** One request, by the statement's context, so that limits, retries and cancel apply. `target`: path and query. */
  async get(origin: string, target: string, context: CallContext): Promise<HttpAnswer> {
    const { name } = this.connection;
    const url = this.#first(origin + target);
    return context.call(this.limit, async (signal) => {
      const linked = linkAbort(signal);
      const own = linked.signal;
      const timer = setTimeout(() => linked.abort(new TookTooLong()), this.connection.timeoutMs);
      context.spent?.(this.quota);
      try {
        return await this.#follow(url, own, context);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof SourceError) throw error;
        if (own.aborted) throw this.#slow(origin);
        throw unreachable(error, name, origin);
      } finally {
        clearTimeout(timer);
        linked.unlink();
      }
    });
  }

  async close(): Promise<void> {
    const agent = this.#agent;
    this.#agent = undefined;
    await agent?.destroy();
  }

  #first(text: string): URL {
    const { name, host, query } = this.connection;
    const url = new URL(text);
    if (!mayCall(this.#hosts, url)) throw notAllowed(name, url.origin, ALLOW_HINT);
    if (host !== undefined && url.host !== host)
      throw notAllowed(name, url.origin, `connections.${name}.host is the only one that it calls.`);
    // Not by searchParams, which would write the rest of the query anew.
    const own = Object.entries(query).map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`);
    if (own.length > 0) url.search = [url.search.replace(/^\?$/, ''), own.join('&')].filter(Boolean).join('&');
    return url;
  }

  async #follow(first: URL, signal: AbortSignal, context: CallContext): Promise<HttpAnswer> {
    const { name, notFound, outOfQuota } = this.connection;
    let url = first;
    for (let hops = 0; ; hops += 1) {
      signal.throwIfAborted();
      const { statusCode: status, headers, body } = await this.#send(url, url.origin === first.origin, signal);
      try {
        if (notFound.includes(status)) return { status, text: undefined, bytes: 0 };
        if (REDIRECTS.has(status)) {
          if (hops === MOST_REDIRECTS) throw noAnswer(name, `is redirected more than ${MOST_REDIRECTS} times`);
          url = this.#redirected(headers['location'], url, first);
          continue;
        }
        if (status !== 200) {
          const retryAfter = only(headers['retry-after']);
          this.#tell(status, retryAfter, context);
          throw refused({ status, retryAfter, outOfQuota }, name, Date.now());
        }
        return { status, ...(await this.#read(headers, body)) };
      } finally {
        body.on('error', () => undefined).destroy();
      }
    }
  }

  async #send(url: URL, isOwn: boolean, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { name, timeoutMs } = this.connection;
    const request = this.#open().request({
      origin: url.origin,
      method: 'GET',
      path: url.pathname + url.search,
      headers: { ...USUAL_HEADERS, ...(isOwn && this.#headers) },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal,
    });
    return request.catch((error: unknown) => {
      throw isNotInternet(error)
        ? notAllowed(name, `${url.origin}: it is at no address of the internet`, PRIVATE_HINT)
        : error;
    });
  }

  #redirected(location: string | string[] | undefined, from: URL, first: URL): URL {
    const { name, headers, query } = this.connection;
    const text = only(location) ?? '';
    if (text === '' || !URL.canParse(text, from.href)) throw noAnswer(name, 'is redirected to no URL');
    const to = new URL(text, from);
    if (!mayLeadTo(this.#hosts, from, to))
      throw notAllowed(name, `${to.origin}, to which it is redirected`, ALLOW_HINT);
    const isTold = [...Object.values(headers), ...Object.values(query)].some((secret) => holds(to.href, secret));
    if (to.origin !== first.origin && isTold)
      throw notAllowed(name, `${to.origin} with what the connection alone may know`, 'Ask the service by another URL.');
    return to;
  }

  async #read(
    headers: Dispatcher.ResponseData['headers'],
    body: AsyncIterable<Uint8Array>,
  ): Promise<Omit<HttpAnswer, 'status'>> {
    const { name, maxBytes } = this.connection;
    const encoding = only(headers['content-encoding']);
    if (encoding !== undefined && encoding !== 'identity')
      throw noAnswer(name, 'is compressed, which was not asked for');
    const tooLarge = () =>
      noAnswer(name, `has more than ${maxBytes} bytes, which connections.${name}.max_bytes allows`);
    if (Number(only(headers['content-length']) ?? 0) > maxBytes) throw tooLarge();
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge();
      chunks.push(chunk);
    }
    const text = decodeText(Buffer.concat(chunks), only(headers['content-type']));
    if (text === undefined)
      throw noAnswer(name, 'is no text in the encoding that its content-type names, or else UTF-8');
    return { text, bytes };
  }

  /** A service that says when its quota is renewed is believed until then. */
  #tell(status: number, retryAfter: string | undefined, context: CallContext): void {
    const { outOfQuota, quotaPerDay } = this.connection;
    const pause = retryAfterMs(retryAfter, Date.now());
    if (quotaPerDay === undefined || !outOfQuota.includes(status) || pause === undefined || pause <= 60_000) return;
    context.quota?.(this.quota, { limit: quotaPerDay, remaining: 0, resetsAt: Date.now() + pause });
  }

  #slow(origin: string): SourceError {
    const { name, timeoutMs } = this.connection;
    return new SourceError('unreachable', name, `${origin} did not answer in ${timeoutMs / 1000} s`, {
      hint: `Try again later, or raise connections.${name}.timeout.`,
    });
  }

  #open(): Agent {
    const isExcepted = (host: string) => this.#hosts.allowPrivate.includes(host);
    return (this.#agent ??= new Agent({
      pipelining: 1,
      keepAliveTimeout: 30_000,
      connect: guardedConnector(isExcepted, this.#resolve),
    }));
  }
}

const ALLOW_HINT = 'Add the host to http.allow in the configuration, and start the server anew.';
const PRIVATE_HINT =
  'A service in a network of your own must be named in http.allow_private of the configuration; start the server anew then.';

class TookTooLong extends Error {}

function isNotInternet(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if ('code' in at && at.code === NOT_INTERNET) return true;
  return false;
}

function only(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

/** Short ones are no secrets, and stand in many a URL. */
function holds(href: string, secret: string): boolean {
  return secret.length >= 6 && (href.includes(secret) || href.includes(encodeURIComponent(secret)));
}
