import type { Outcome } from './expected.ts';

/** A statement that the client has prepared by Parse and that may name a virtual table. */
export interface PreparedStatement {
  readonly name: string;
  readonly text: string;
  /** A DEALLOCATE ran, perhaps since: it may be gone, or another one may have the name. */
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

  /** Where the Parse fails, a named statement of that name stays what it was; the unnamed one is gone. */
  parse(name: string, text: string): (outcome: Outcome) => void {
    const before = name === '' ? undefined : this.#byName.get(name);
    const statement = { name, text, suspect: false };
    this.#byName.set(name, statement);
    return (outcome) => {
      if (outcome === 'done' || this.#byName.get(name) !== statement) return;
      if (before === undefined) this.#byName.delete(name);
      else this.#byName.set(name, before);
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

  /** DEALLOCATE and DISCARD ALL leave the unnamed statement alone (DropAllPreparedStatements). */
  suspectNamed(): void {
    for (const statement of this.#byName.values()) if (statement.name !== '') statement.suspect = true;
  }
}
