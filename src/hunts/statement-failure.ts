/** What PostgreSQL, or Trailhound in its words, answers a statement. */
export interface StatementFailure {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  readonly position?: string | undefined;
}

export function isStatementFailure(error: unknown): error is StatementFailure {
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string';
}
