import { isIP } from 'node:net';
import type { Operation, Service, ServiceRequest, ServiceResponse } from '../service.ts';
import type { AbuseIpdbWorld } from '../world.ts';
import { answerFor } from './answer.ts';
import type { AbuseIpdbAnswer } from './answer.ts';

const PREFIX = '/api/v2/';
const DAY_MS = 86_400_000;

/** AbuseIPDB's API, version 2: GET /check. */
export class AbuseIpdb implements Service {
  readonly name = 'abuseipdb';
  readonly #world: AbuseIpdbWorld;
  readonly #now: () => number;
  /** Requests that counted against the quota, by key, of the current UTC day. */
  readonly #used = new Map<string, number>();
  #day = 0;

  constructor(world: AbuseIpdbWorld, now: () => number) {
    this.#world = world;
    this.#now = now;
  }

  claims(request: ServiceRequest): boolean {
    return request.url.pathname.startsWith(PREFIX);
  }

  understand(request: ServiceRequest): Operation {
    const operation = request.url.pathname.slice(PREFIX.length);
    return {
      operation,
      key: request.url.searchParams.get('ipAddress') ?? undefined,
      answer: () =>
        operation === 'check' && request.method === 'GET'
          ? this.#check(request)
          : errorResponse(404, 'The requested resource was not found.'),
    };
  }

  #check(request: ServiceRequest): ServiceResponse {
    const key = request.headers['key'] ?? '';
    if (key === '' || this.#world.apiKeys?.includes(key) === false) {
      return errorResponse(
        401,
        'Authentication failed. Your API key is either missing, incorrect, or revoked. ' +
          'Note: The APIv2 key differs from the APIv1 key.',
      );
    }
    const quota = this.#spend(key);
    if (quota.exceeded) {
      return errorResponse(
        429,
        `Daily rate limit of ${this.#world.dailyLimit} requests exceeded for this endpoint. See headers for additional details.`,
        { headers: quota.headers },
      );
    }
    const ipAddress = request.url.searchParams.get('ipAddress') ?? '';
    if (isIP(ipAddress) === 0) {
      return errorResponse(
        422,
        'The ip address must be a valid IPv4 or IPv6 address (e.g. 8.8.8.8 or 2001:4860:4860::8888).',
        { parameter: 'ipAddress', headers: quota.headers },
      );
    }
    const maxAge = request.url.searchParams.get('maxAgeInDays') ?? '30';
    const maxAgeInDays = Number(maxAge);
    if (!/^\d+$/.test(maxAge) || maxAgeInDays < 1 || maxAgeInDays > 365) {
      return errorResponse(422, 'The max age in days must be between 1 and 365.', {
        parameter: 'maxAgeInDays',
        headers: quota.headers,
      });
    }
    const verbose = request.url.searchParams.has('verbose');
    const data = answerFor(ipAddress, this.#known(ipAddress, maxAgeInDays), this.#now(), verbose);
    return { status: 200, headers: { ...JSON_HEADERS, ...quota.headers }, body: JSON.stringify({ data }) };
  }

  #known(ipAddress: string, maxAgeInDays: number): Partial<AbuseIpdbAnswer> {
    const { check = {} } = this.#world;
    return typeof check === 'function' ? check(ipAddress, maxAgeInDays) : (check[ipAddress] ?? {});
  }

  #spend(key: string): { readonly exceeded: boolean; readonly headers: Readonly<Record<string, string>> } {
    const { dailyLimit } = this.#world;
    if (dailyLimit === undefined) return { exceeded: false, headers: {} };
    const now = this.#now();
    const day = Math.floor(now / DAY_MS);
    if (day !== this.#day) this.#used.clear();
    this.#day = day;
    const used = this.#used.get(key) ?? 0;
    if (used < dailyLimit) {
      this.#used.set(key, used + 1);
      return {
        exceeded: false,
        headers: { 'X-RateLimit-Limit': String(dailyLimit), 'X-RateLimit-Remaining': String(dailyLimit - used - 1) },
      };
    }
    const reset = (day + 1) * DAY_MS;
    return { exceeded: true, headers: exceededHeaders(dailyLimit, Math.ceil((reset - now) / 1_000), reset) };
  }
}

const JSON_HEADERS = { 'content-type': 'application/json' };

/** What a 429 carries: Retry-After in seconds, X-RateLimit-Reset in seconds since the epoch. */
export function exceededHeaders(limit: number, retryAfterSeconds: number, resetMs: number): Record<string, string> {
  return {
    'Retry-After': String(retryAfterSeconds),
    'X-RateLimit-Limit': String(limit),
    'X-RateLimit-Remaining': '0',
    'X-RateLimit-Reset': String(Math.floor(resetMs / 1_000)),
  };
}

export function errorResponse(
  status: number,
  detail: string,
  extra: { readonly parameter?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): ServiceResponse {
  const source = extra.parameter === undefined ? {} : { source: { parameter: extra.parameter } };
  return {
    status,
    headers: { ...JSON_HEADERS, ...extra.headers },
    body: JSON.stringify({ errors: [{ detail, status, ...source }] }),
  };
}
