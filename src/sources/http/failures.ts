import { retryAfterMs } from '../retry-after.ts';
import { SourceError } from '../source.ts';

/** An answer that is none. Its body is shown nowhere: it may repeat what it was sent. */
export interface Refusal {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** Of the connection: that its quota is used up. */
  readonly outOfQuota: readonly number[];
}

/** What is this short is a limit of requests a minute, not a day's quota. */
const LONGEST_PAUSE_MS = 60_000;

export function refused({ status, retryAfter, outOfQuota }: Refusal, connection: string, now: number): SourceError {
  const pause = retryAfterMs(retryAfter, now);
  if (outOfQuota.includes(status)) {
    if (pause === undefined ? status === 429 : pause <= LONGEST_PAUSE_MS) {
      return new SourceError('throttled', connection, `the service of connection ${connection} throttles requests`, {
        retryable: true,
        retryAfterMs: pause,
        detail: `It answers ${status}.`,
        hint: `Lower trailhound.concurrency, or connections.${connection}.requests_per_second.`,
      });
    }
    const until = pause === undefined ? '' : ` until ${formatUtc(now + pause)}`;
    return new SourceError('quota', connection, `the quota of connection ${connection} is used up${until}`, {
      retryAfterMs: pause,
      detail: `The service answers ${status}.`,
      hint: 'Run the statement again then, narrow it, or set trailhound.sources = cache to use what is known.',
    });
  }
  const message = `the service of connection ${connection} answers ${status}`;
  if (status === 401 || status === 403) {
    return new SourceError('credentials', connection, message, {
      hint: `Correct headers or query of connections.${connection} in trailhound.yaml.`,
    });
  }
  if (status === 408 || status === 429 || status >= 500) {
    return new SourceError('unreachable', connection, message, {
      retryable: true,
      retryAfterMs: pause,
      hint: 'Run the statement again later.',
    });
  }
  if (status === 404 || (status >= 300 && status < 400) || status < 200) {
    return new SourceError('unreachable', connection, message, {
      hint: `Correct the table's url_template; where ${status} says that there is no row, add it to connections.${connection}.not_found.`,
    });
  }
  return new SourceError('invalid_request', connection, message, {
    hint: `Change the value that it refuses; where ${status} says that there is no row, add it to connections.${connection}.not_found.`,
  });
}

const FORM_HINT =
  "Check the table's url_template, rows_at and format, and whether something else answers in the service's place.";

/** An answer that does not have the form of one. `what` ends a sentence. */
export function noAnswer(connection: string, what: string, detail?: string, hint: string = FORM_HINT): SourceError {
  return new SourceError('nonsense', connection, `the answer of connection ${connection} ${what}`, {
    detail,
    hint,
  });
}

/** Where it may not be asked. Nothing was sent there. */
export function notAllowed(connection: string, what: string, hint: string): SourceError {
  return new SourceError('unreachable', connection, `connection ${connection} may not call ${what}`, {
    detail: 'Nothing was sent there.',
    hint,
  });
}

/** Codes of undici and of Node for what will not change by asking again. */
const LASTING = new Set(['ENOTFOUND', 'ECONNREFUSED', 'ERR_INVALID_URL', 'UND_ERR_INVALID_ARG']);

export function unreachable(error: unknown, connection: string, origin: string): SourceError {
  const code = codeOf(error);
  return new SourceError('unreachable', connection, `${origin} cannot be reached`, {
    retryable: !LASTING.has(code ?? '') && !(code ?? '').startsWith('ERR_TLS') && !(code ?? '').includes('CERT'),
    detail: code === undefined ? undefined : `The attempt ended with ${code}.`,
    hint: 'Check the network, and the name of the host.',
  });
}

function codeOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code;
  }
  return undefined;
}

function formatUtc(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
