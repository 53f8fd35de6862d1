/**
 * Every condition that Trailhound itself raises, with the SQLSTATE a client sees.
 * `docs/errors.md` lists the same codes; a test keeps the two equal.
 */
export const ERRORS = {
  unbounded_key: { sqlstate: 'HV002' },
  lookup_budget: { sqlstate: '53400' },
  rate_limited: { sqlstate: '53400' },
  source_unavailable: { sqlstate: 'HV00N' },
  credentials: { sqlstate: 'HV00N' },
  refused_request: { sqlstate: '22023' },
  unreadable_record: { sqlstate: 'HV000' },
  query_canceled: { sqlstate: '57014' },
  statement_timeout: { sqlstate: '57014' },
  admin_shutdown: { sqlstate: '57P01' },
  invalid_setting: { sqlstate: '22023' },
  unknown_setting: { sqlstate: '42704' },
  not_supported: { sqlstate: '0A000' },
  too_complex: { sqlstate: '54001' },
  serialization_failure: { sqlstate: '40001' },
  configuration: { sqlstate: 'F0000' },
  invalid_authorization: { sqlstate: '28000' },
  invalid_password: { sqlstate: '28P01' },
  too_many_connections: { sqlstate: '53300' },
  engine_unavailable: { sqlstate: '57P03' },
  protocol_violation: { sqlstate: '08P01' },
  internal: { sqlstate: 'XX000' },
} as const;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorFields {
  /** A full sentence. */
  readonly detail?: string | undefined;
  /** A full sentence that says what to do. */
  readonly hint?: string | undefined;
  /** 1-based character in the statement's text. */
  readonly position?: number | undefined;
  readonly cause?: unknown;
}

/** The one error class of the project. `message` is lower case without a full stop, as PostgreSQL's are. */
export class TrailhoundError extends Error {
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly position: number | undefined;

  constructor(code: ErrorCode, message: string, fields: ErrorFields = {}) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.name = 'TrailhoundError';
    this.code = code;
    this.detail = fields.detail;
    this.hint = fields.hint;
    this.position = fields.position;
  }

  get sqlstate(): string {
    return ERRORS[this.code].sqlstate;
  }
}
