import { errorResponse, exceededHeaders } from '../abuseipdb/respond.ts';
import { AwsError, awsErrorResponse } from '../aws/aws-error.ts';
import type { Operation, ServiceName, ServiceResponse } from '../service.ts';

/** What to do to the next requests of a service instead of answering them. */
export interface Fault {
  readonly service: ServiceName;
  /** Only requests for this operation, of this region, about this key. */
  readonly operation?: string | undefined;
  readonly region?: string | undefined;
  readonly key?: string | undefined;
  /** How many requests; 1 by default, Infinity for all. */
  readonly times?: number | undefined;
  readonly effect: FaultEffect;
}

export type FaultEffect =
  /** An error in the service's own form. `code` is an AWS error name; 5xx of AbuseIPDB come as HTML, as its CDN's do. */
  | { readonly kind: 'error'; readonly status: number; readonly code?: string; readonly message?: string }
  /** The service's own way to say "too many requests"; Retry-After where it sends one. */
  | { readonly kind: 'throttle'; readonly retryAfterSeconds?: number }
  /** 200, and a body that ends in the middle of its JSON. */
  | { readonly kind: 'invalid_json' }
  /** 200 with an HTML page, as captive portals and proxies send. */
  | { readonly kind: 'html' }
  /** Never answers. */
  | { readonly kind: 'hang' }
  /** Closes the connection without a byte. */
  | { readonly kind: 'close_socket' }
  /** Sends half of the answer, then closes the connection. */
  | { readonly kind: 'close_midway' };

export class Faults {
  readonly #pending: { readonly fault: Fault; left: number }[] = [];

  add(fault: Fault): void {
    this.#pending.push({ fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#pending.length = 0;
  }

  /** The first that fits, used up once. */
  take(
    service: ServiceName,
    { operation, region, key }: Pick<Operation, 'operation' | 'region' | 'key'>,
  ): FaultEffect | undefined {
    const found = this.#pending.find(
      ({ fault }) =>
        fault.service === service &&
        (fault.operation === undefined || fault.operation === operation) &&
        (fault.region === undefined || fault.region === region) &&
        (fault.key === undefined || fault.key === key),
    );
    if (found === undefined) return undefined;
    found.left -= 1;
    if (found.left <= 0) this.#pending.splice(this.#pending.indexOf(found), 1);
    return found.fault.effect;
  }
}

const HTML = '<!DOCTYPE html>\n<html><head><title>Error</title></head><body><h1>Error</h1></body></html>\n';

export function htmlResponse(status: number): ServiceResponse {
  return { status, headers: { 'content-type': 'text/html; charset=UTF-8' }, body: HTML };
}

export function failureResponse(
  service: ServiceName,
  { status, code, message }: Extract<FaultEffect, { kind: 'error' }>,
): ServiceResponse {
  if (service === 'abuseipdb') {
    return status >= 500 ? htmlResponse(status) : errorResponse(status, message ?? 'The request was refused.');
  }
  const name =
    code ?? (status >= 500 ? INTERNAL_ERRORS[service] : service === 's3' ? 'AccessDenied' : 'AccessDeniedException');
  return awsErrorResponse(service, new AwsError(name, message ?? 'The request could not be served.', status));
}

const INTERNAL_ERRORS: Readonly<Record<Exclude<ServiceName, 'abuseipdb'>, string>> = {
  logs: 'ServiceUnavailableException',
  cloudtrail: 'InternalFailure',
  guardduty: 'InternalServerErrorException',
  account: 'InternalServerException',
  sts: 'InternalFailure',
  s3: 'InternalError',
};

export function throttleResponse(service: ServiceName, now: number, retryAfterSeconds?: number): ServiceResponse {
  switch (service) {
    case 'logs':
    case 'cloudtrail':
      return withRetryAfter(
        awsErrorResponse(service, new AwsError('ThrottlingException', 'Rate exceeded')),
        retryAfterSeconds,
      );
    case 'guardduty':
    case 'account':
      return withRetryAfter(
        awsErrorResponse(service, new AwsError('TooManyRequestsException', 'Too Many Requests', 429)),
        retryAfterSeconds,
      );
    case 'sts':
      return withRetryAfter(awsErrorResponse(service, new AwsError('Throttling', 'Rate exceeded')), retryAfterSeconds);
    case 's3':
      return withRetryAfter(
        awsErrorResponse(service, new AwsError('SlowDown', 'Please reduce your request rate.', 503)),
        retryAfterSeconds,
      );
    case 'abuseipdb': {
      const seconds = retryAfterSeconds ?? 1;
      return errorResponse(
        429,
        'Daily rate limit of 1000 requests exceeded for this endpoint. See headers for additional details.',
        { headers: exceededHeaders(1_000, seconds, now + seconds * 1_000) },
      );
    }
  }
}

function withRetryAfter(response: ServiceResponse, seconds: number | undefined): ServiceResponse {
  if (seconds === undefined) return response;
  return { ...response, headers: { ...response.headers, 'Retry-After': String(seconds) } };
}
