/** What the pipeline needs of the client's own backend; session/ implements it. */

/** A bound value as the client sent it: never decoded here. */
export interface Parameter {
  /** 0 text, 1 binary. */
  readonly format: 0 | 1;
  readonly value: Buffer | null;
}

export interface Field {
  readonly name: string;
  readonly tableOid: number;
  readonly attnum: number;
  readonly typeOid: number;
  readonly typeModifier: number;
}

export interface InjectedStatement {
  readonly text: string;
  /** One OID a parameter; 0 leaves it to PostgreSQL. */
  readonly parameterTypes?: readonly number[];
  readonly parameters?: readonly Parameter[];
  /** Rows after which it is left: what is held here is bounded. Without it, all. */
  readonly maxRows?: number;
}

export interface InjectedResult {
  readonly fields: readonly Field[];
  /** False: there were more rows than `maxRows`. */
  readonly complete: boolean;
  /** Text format, UTF-8. */
  readonly rows: readonly (readonly (string | null)[])[];
}

/**
 * Runs statements on the client's backend, inside the client's own segment: Parse under a fresh name, Bind, Execute,
 * Close, Flush, never Sync; nothing of it reaches the client. Rejects with BackendError when PostgreSQL answers with an
 * error; the backend then skips to the client's next Sync.
 */
export interface ClientBackend {
  /** The last ReadyForQuery's status: I idle, T in a block, E failed block. */
  readonly transactionStatus: 'I' | 'T' | 'E';
  query(statement: InjectedStatement): Promise<InjectedResult>;
  /** Parse and Describe: parameter types and, for what returns rows, its fields. */
  describe(text: string, parameterTypes: readonly number[]): Promise<Description>;
  /**
   * Of a statement that the client has prepared, by Parse or PREPARE.
   * @param text the client's, for which it is asked
   */
  describePrepared(name: string, text: string): Promise<Description>;
  /** One row: EXECUTE's arguments, computed and converted to the parameters' types as EXECUTE does it. */
  executeArguments(execute: ExecuteText, types: readonly number[]): Promise<InjectedResult>;
}

/** A text and where EXECUTE stands in it, in bytes; `end` is behind the arguments. */
export interface ExecuteText {
  readonly text: string;
  readonly start: number;
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly end: number;
}

export interface Description {
  readonly parameterTypes: readonly number[];
  /** Undefined for statements that return no rows. */
  readonly fields: readonly Field[] | undefined;
}

/** An ErrorResponse of PostgreSQL to an injected statement: relayed in place of the client's statement. */
export class BackendError extends Error {
  /** By field letter: S, V, C, M, D, H, P, … */
  readonly fields: ReadonlyMap<string, string>;

  constructor(fields: ReadonlyMap<string, string>) {
    super(fields.get('M') ?? 'error without a message');
    this.name = 'BackendError';
    this.fields = fields;
  }
}
