import type { ServiceResponse } from '../service.ts';

const JSON_HEADERS = { 'content-type': 'application/json' };

type Headers = Readonly<Record<string, string>>;

/** The request is understood and not served: a status, the API's own words, and the parameter that is wrong. */
export class Refusal extends Error {
  readonly status: number;
  readonly parameter: string | undefined;

  constructor(status: number, detail: string, parameter?: string) {
    super(detail);
    this.status = status;
    this.parameter = parameter;
  }
}

export function jsonResponse(body: object, headers: Headers = {}): ServiceResponse {
  return { status: 200, headers: { ...JSON_HEADERS, ...headers }, body: JSON.stringify(body) };
}

export function errorResponse(
  status: number,
  detail: string,
  extra: { readonly parameter?: string | undefined; readonly headers?: Headers } = {},
): ServiceResponse {
  const source = extra.parameter === undefined ? {} : { source: { parameter: extra.parameter } };
  return {
    status,
    headers: { ...JSON_HEADERS, ...extra.headers },
    body: JSON.stringify({ errors: [{ detail, status, ...source }] }),
  };
}

/** What a 429 carries: Retry-After in seconds, X-RateLimit-Reset in seconds since the epoch. */
export function exceededHeaders(limit: number, retryAfterSeconds: number, resetMs: number): Record<string, string> {
  return {
    'Retry-After': String(retryAfterSeconds),
    'X-RateLimit-Limit': String(limit),
    'X-RateLimit-Remaining': '0',
    'X-RateLimit-Reset': String(Math.floor(resetMs / 1_000)),
  };
}
