import type { ErrorCode } from '../kernel/errors.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { SourceErrorKind } from '../sources/source.ts';
import { SourceError } from '../sources/source.ts';
import { attemptsOf } from './call-scheduler.ts';

interface Answer {
  readonly code: ErrorCode;
  /** Where the source gives no hint of its own. */
  readonly hint: string;
  /** One key or region is at fault; asking for others may still work (trailhound.partial). */
  readonly local: boolean;
}

const ANSWERS: Record<SourceErrorKind, Answer> = {
  credentials: {
    code: 'credentials',
    hint: 'Give the connection credentials that may make this call, in the configuration or the environment.',
    local: false,
  },
  unreachable: {
    code: 'source_unavailable',
    hint: 'Check the network, and the address of the service in the configuration.',
    local: false,
  },
  not_found: {
    code: 'source_unavailable',
    hint: 'Check the name for a misspelling, and that it exists in this account and region.',
    local: true,
  },
  throttled: {
    code: 'rate_limited',
    hint: 'Run the statement again later, or narrow it so that it makes fewer calls.',
    local: false,
  },
  quota: {
    code: 'rate_limited',
    hint: 'Wait until the quota is renewed; set trailhound.sources = cache answers from what is already known.',
    local: false,
  },
  invalid_request: {
    code: 'refused_request',
    hint: 'Change the condition that the service refused.',
    local: true,
  },
  nonsense: {
    code: 'unreadable_record',
    hint: 'Check that the address of the service in the configuration is that of the service.',
    local: true,
  },
};

/** What a statement fails with: contract's SQLSTATE, the connection, what was tried, what to do. */
export function toStatementError(error: unknown, table: string): TrailhoundError {
  if (error instanceof TrailhoundError) return error;
  if (!(error instanceof SourceError)) {
    return new TrailhoundError('internal', `reading ${table} failed unexpectedly`, {
      detail: `The source ended with ${error instanceof Error ? error.name : typeof error}.`,
      hint: 'The server log has the details.',
      cause: error,
    });
  }
  const answer = ANSWERS[error.kind];
  const attempts = attemptsOf(error);
  const detail = [
    `Connection ${error.connection} was asked for ${table}.`,
    error.detail,
    attempts > 1 ? `Tried ${attempts} times.` : undefined,
  ];
  return new TrailhoundError(answer.code, error.message, {
    detail: detail.filter((sentence) => sentence !== undefined).join(' '),
    hint: error.hint ?? answer.hint,
    cause: error,
  });
}

/** True where only the asked key is at fault, so that asking for others makes sense. */
export function isLocalFailure(error: unknown): boolean {
  return error instanceof SourceError && ANSWERS[error.kind].local;
}
