import { BackendError } from '../query/backend.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { encodeErrorResponse } from '../wire/backend/error-response.ts';
import { encodeNoticeResponse } from '../wire/backend/notice-response.ts';
import type { ResponseFields } from '../wire/backend/response-fields.ts';

export type Severity = 'ERROR' | 'FATAL';

/** In the order in which PostgreSQL sends them. `localized` is the severity in the client's language. */
export function fieldsOf(error: TrailhoundError, severity: Severity, localized: string = severity): ResponseFields {
  const fields = new Map([
    ['S', localized],
    ['V', severity],
    ['C', error.sqlstate],
    ['M', error.message],
  ]);
  if (error.detail !== undefined) fields.set('D', error.detail);
  if (error.hint !== undefined) fields.set('H', error.hint);
  return fields;
}

/** For a connection that ends with it. */
export function fatal(error: TrailhoundError): Buffer {
  return encodeErrorResponse({ fields: fieldsOf(error, 'FATAL') });
}

export function notice(severity: 'NOTICE' | 'WARNING', message: string): Buffer {
  // successful_completion and warning of PostgreSQL's errcodes.txt: what ereport takes for these levels.
  const code = severity === 'NOTICE' ? '00000' : '01000';
  const fields = new Map([
    ['S', severity],
    ['V', severity],
    ['C', code],
    ['M', message],
  ]);
  return encodeNoticeResponse({ fields });
}

/** Positions and contexts of a text that the client never sent say nothing to it. */
export function withoutOurText(fields: ResponseFields): ResponseFields {
  return new Map([...fields].filter(([letter]) => !['P', 'p', 'q', 'W'].includes(letter)));
}

/** What else may be thrown is a defect of ours, and its text may hold anything. */
export function asKnownError(error: unknown): TrailhoundError | BackendError {
  if (error instanceof TrailhoundError || error instanceof BackendError) return error;
  return new TrailhoundError('internal', 'internal error', {
    hint: "Report it together with the server's log.",
    cause: error,
  });
}
