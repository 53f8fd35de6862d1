import type { Outcome } from './expected.ts';

/** A statement that the client has prepared by Parse and that may name a virtual table. */
export interface PreparedStatement {
  readonly name: string;
  readonly text: string;
  /** A DEALLOCATE ran since: another one may have the name now. */
  suspect: boolean;
}

/**
 * What the client's Parse messages defined, as far as virtual tables may be concerned. Entries are made when the message
 * is sent; the returned callback takes back what then did not happen.
 */
export class PreparedStatements {
  readonly #byName = new Map<string, PreparedStatement>();

  get empty(): boolean {
    return this.#byName.size === 0;
  }

  get(name: string): PreparedStatement | undefined {
    return this.#byName.get(name);
  }

  /** A second Parse of a name fails, except of the unnamed one. */
  parse(name: string, text: string): ((outcome: Outcome) => void) | undefined {
    if (name !== '' && this.#byName.has(name)) return undefined;
    const statement = { name, text, suspect: false };
    this.#byName.set(name, statement);
    return (outcome) => {
      if (outcome !== 'done' && this.#byName.get(name) === statement) this.#byName.delete(name);
    };
  }

  close(name: string): ((outcome: Outcome) => void) | undefined {
    const statement = this.#byName.get(name);
    if (statement === undefined) return undefined;
    this.#byName.delete(name);
    return (outcome) => {
      if (outcome !== 'done' && !this.#byName.has(name)) this.#byName.set(name, statement);
    };
  }

  forget(name: string): void {
    this.#byName.delete(name);
  }

  /** DEALLOCATE ALL and DISCARD ALL leave the unnamed statement alone (DropAllPreparedStatements). */
  forgetNamed(): void {
    for (const name of this.#byName.keys()) if (name !== '') this.#byName.delete(name);
  }

  suspectNamed(): void {
    for (const statement of this.#byName.values()) if (statement.name !== '') statement.suspect = true;
  }
}
