import { retryAfterMs } from '../retry-after.ts';
import { SourceError } from '../source.ts';
import type { Endpoint } from './endpoint.ts';

/** An answer as far as it was read. */
export interface RefusedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** A daily quota comes back at midnight UTC; what is this short is the limit of requests a minute. */
const LONGEST_PAUSE_MS = 60_000;

export const KEY_HINT = (connection: string) =>
  `Set ABUSEIPDB_API_KEY, or connections.${connection}.api_key in trailhound.yaml; https://www.abuseipdb.com/account/api makes a key.`;

export function noKey(connection: string): SourceError {
  return new SourceError('credentials', connection, `connection ${connection} has no API key`, {
    detail: 'AbuseIPDB answers nothing without one. No call was made.',
    hint: KEY_HINT(connection),
  });
}

const PLAN_HINTS: Readonly<Record<Endpoint, string>> = {
  check: 'Ask for a smaller max_age_in_days, or use a key of a larger plan.',
  'check-block': 'Ask for smaller networks (a free plan may ask for a /24), or use a key of a larger plan.',
  blacklist: 'Ask for confidence_minimum = 100, or use a key of a larger plan.',
  reports: 'Ask for a smaller max_age_in_days, or use a key of a larger plan.',
};

/** https://docs.abuseipdb.com/#introduction, "HTTP status codes" and "API daily rate limits". */
export function refused(answer: RefusedAnswer, connection: string, endpoint: Endpoint, now: number): SourceError {
  const { status } = answer;
  const detail = said(answer.body);
  if (status === 401 || status === 403) {
    return new SourceError('credentials', connection, `AbuseIPDB refuses the API key of connection ${connection}`, {
      detail,
      hint: KEY_HINT(connection),
    });
  }
  if (status === 402) {
    return new SourceError('invalid_request', connection, "AbuseIPDB's plan does not include this", {
      detail,
      hint: PLAN_HINTS[endpoint],
    });
  }
  if (status === 429) return tooMany(answer, connection, endpoint, now);
  if (status === 422) {
    return new SourceError('invalid_request', connection, 'AbuseIPDB refuses the request', {
      detail,
      hint: 'Change the value that it refuses.',
    });
  }
  if (status === 408 || status >= 500) {
    return new SourceError('unreachable', connection, `AbuseIPDB answers ${status}`, {
      retryable: true,
      retryAfterMs: pauseOf(answer, now),
      detail,
      hint: 'Run the statement again later.',
    });
  }
  if (status === 404 || (status >= 300 && status < 400)) {
    return new SourceError('unreachable', connection, `AbuseIPDB's address answers ${status}`, {
      detail,
      hint: `Correct connections.${connection}.url, or ABUSEIPDB_URL.`,
    });
  }
  return new SourceError('invalid_request', connection, `AbuseIPDB answers ${status}`, { detail });
}

/** Of a 429: the limit of requests a minute, which is soon over, and not the day's. */
export function isPassing(answer: RefusedAnswer, now: number): boolean {
  const pause = pauseOf(answer, now);
  return pause === undefined ? header(answer, 'x-ratelimit-remaining') !== '0' : pause <= LONGEST_PAUSE_MS;
}

function tooMany(answer: RefusedAnswer, connection: string, endpoint: Endpoint, now: number): SourceError {
  const pause = pauseOf(answer, now);
  if (isPassing(answer, now)) {
    return new SourceError('throttled', connection, 'AbuseIPDB throttles requests', {
      retryable: true,
      retryAfterMs: pause,
      detail: said(answer.body),
      hint: 'Lower trailhound.concurrency.',
    });
  }
  const limit = header(answer, 'x-ratelimit-limit');
  const until = resetsAt(answer, now);
  const which = limit === undefined ? 'quota' : `quota of ${limit} ${REQUESTS[endpoint]} a day`;
  return new SourceError(
    'quota',
    connection,
    `AbuseIPDB's ${which} is used up${until === undefined ? '' : ` until ${formatUtc(until)}`}`,
    {
      retryAfterMs: pause,
      detail: said(answer.body),
      hint: 'Run the statement again then, narrow it, or set trailhound.sources = cache to use what is known.',
    },
  );
}

const REQUESTS: Readonly<Record<Endpoint, string>> = {
  check: 'checks',
  'check-block': 'checks of networks',
  blacklist: 'downloads of the blacklist',
  reports: 'pages of reports',
};

/** When the quota is renewed, where the answer says so. Milliseconds since the epoch. */
export function resetsAt(answer: RefusedAnswer, now: number): number | undefined {
  const reset = Number(header(answer, 'x-ratelimit-reset') ?? Number.NaN) * 1000;
  if (Number.isFinite(reset) && reset > now && reset < now + 7 * 86_400_000) return reset;
  const pause = pauseOf(answer, now);
  return pause === undefined ? undefined : now + pause;
}

function pauseOf(answer: RefusedAnswer, now: number): number | undefined {
  return retryAfterMs(header(answer, 'retry-after'), now);
}

export function header({ headers }: RefusedAnswer, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value.trim() : value?.[0];
}

function formatUtc(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

const LONGEST_DETAIL = 400;

/** The API's own words: `{ "errors": [{ "detail": … }] }`. Of anything else, such as a proxy's page, only that it is. */
function said(body: string): string {
  try {
    const { errors } = JSON.parse(body) as { errors?: readonly { detail?: unknown }[] };
    const details = errors?.map(({ detail }) => detail).filter((detail) => typeof detail === 'string');
    if (details !== undefined && details.length > 0)
      return `AbuseIPDB says: ${details.join(' ').slice(0, LONGEST_DETAIL)}`;
  } catch {
    // Said below.
  }
  return 'The answer is not one of the API; something else may answer in its place.';
}

/** An answer that is not the API's. */
export function noResult(connection: string, what: string, body?: string): SourceError {
  return new SourceError('nonsense', connection, `AbuseIPDB's answer ${what}`, {
    detail: body === undefined ? undefined : `It has ${body.length} characters.`,
    hint: `Check connections.${connection}.url, or ABUSEIPDB_URL, and whether a proxy answers in the place of the service.`,
  });
}

/** Codes of undici and of Node for what will not change by asking again. */
const LASTING = new Set(['ENOTFOUND', 'ECONNREFUSED', 'ERR_INVALID_URL', 'UND_ERR_INVALID_ARG']);

export function unreachable(error: unknown, connection: string, url: URL): SourceError {
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
