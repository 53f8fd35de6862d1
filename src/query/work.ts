import type { ClientBackend, Description } from './backend.ts';
import type { Below } from './below.ts';
import type { CallingStatement } from './callers.ts';
import type { StatementFacts } from './facts.ts';
import type { RewriteRequest } from './pipeline.ts';
import type { Analysis, Reading } from './plan-cache.ts';

/** A statement, and what PostgreSQL says of it. */
export interface Asked {
  readonly request: RewriteRequest;
  /** The text is the client's, not one that EXECUTE stands for. */
  readonly isOwnText: boolean;
  readonly backend: ClientBackend;
  readonly reading: Reading;
  readonly description: Description;
  readonly facts: StatementFacts;
  /** Undefined: it names nothing but our own views. */
  readonly below: Below | undefined;
  /** Milliseconds since the epoch. */
  readonly arrived: number;
}

/** A statement that is planned. */
export interface Work extends Asked {
  readonly analysis: Analysis;
  readonly calling: CallingStatement | undefined;
}
