import type { Operation, Service, ServiceRequest, ServiceResponse } from '../service.ts';
import type { AbuseIpdbWorld } from '../world.ts';
import { blacklist } from './blacklist.ts';
import { checkBlock } from './check-block.ts';
import { DailyQuotas } from './daily-quotas.ts';
import { KnownAddresses } from './known-addresses.ts';
import { Query } from './parameters.ts';
import { reports } from './reports.ts';
import { errorResponse, exceededHeaders, jsonResponse, Refusal } from './respond.ts';

const PREFIX = '/api/v2/';

type Endpoint = (query: Query, request: ServiceRequest) => object;

/** AbuseIPDB's API, version 2: what is read from it. */
export class AbuseIpdb implements Service {
  readonly name = 'abuseipdb';
  readonly #world: AbuseIpdbWorld;
  readonly #now: () => number;
  readonly #quotas = new DailyQuotas();
  readonly #endpoints: ReadonlyMap<string, Endpoint>;

  constructor(world: AbuseIpdbWorld, now: () => number) {
    this.#world = world;
    this.#now = now;
    const known = new KnownAddresses(world, now);
    this.#endpoints = new Map<string, Endpoint>([
      ['check', (query) => ({ data: known.answer(query.ipAddress(), query.maxAgeInDays(), query.has('verbose')) })],
      ['check-block', (query) => checkBlock(query, world, known)],
      ['blacklist', (query) => blacklist(query, world, known, now())],
      ['reports', (query, { url }) => reports(query, known, `${url.origin}${PREFIX}`)],
    ]);
  }

  claims(request: ServiceRequest): boolean {
    return request.url.pathname.startsWith(PREFIX);
  }

  understand(request: ServiceRequest): Operation {
    const operation = request.url.pathname.slice(PREFIX.length);
    const endpoint = request.method === 'GET' ? this.#endpoints.get(operation) : undefined;
    const { searchParams } = request.url;
    return {
      operation,
      key: searchParams.get('ipAddress') ?? searchParams.get('network') ?? undefined,
      answer: () =>
        endpoint === undefined
          ? errorResponse(404, 'The requested resource was not found.')
          : this.#answer(operation, endpoint, request),
    };
  }

  #answer(operation: string, endpoint: Endpoint, request: ServiceRequest): ServiceResponse {
    const key = request.headers['key'] ?? '';
    if (key === '' || this.#world.apiKeys?.includes(key) === false) {
      return errorResponse(
        401,
        'Authentication failed. Your API key is either missing, incorrect, or revoked. ' +
          'Note: The APIv2 key differs from the APIv1 key.',
      );
    }
    const now = this.#now();
    const spent = this.#quotas.spend(key, operation, this.#limitOf(operation), now);
    if (spent.kind === 'exceeded') {
      const { limit, resetsAt } = spent;
      return errorResponse(
        429,
        `Daily rate limit of ${limit} requests exceeded for this endpoint. See headers for additional details.`,
        { headers: exceededHeaders(limit, Math.ceil((resetsAt - now) / 1_000), resetsAt) },
      );
    }
    const headers: Record<string, string> =
      spent.kind === 'unlimited'
        ? {}
        : { 'X-RateLimit-Limit': String(spent.limit), 'X-RateLimit-Remaining': String(spent.remaining) };
    try {
      return jsonResponse(endpoint(new Query(request.url.searchParams), request), headers);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return errorResponse(error.status, error.message, { parameter: error.parameter, headers });
    }
  }

  #limitOf(operation: string): number | undefined {
    const { dailyLimit } = this.#world;
    return typeof dailyLimit === 'object' ? dailyLimit[operation] : dailyLimit;
  }
}
