/** Calls of these make and drop tables; what calls them under another name is told of by the engine, a moment later. */
const MAKING = ['create_lookup', 'drop_lookup'];

/** From such a call until its transaction is likely to have ended, where nobody tells that it has. */
const WATCHED_MS = 60_000;

/**
 * Statements that make or drop tables by SQL: those that follow are planned with what these have changed, as soon as it is
 * committed.
 */
export class MadeLookups {
  readonly #refresh: (() => Promise<void>) | undefined;
  readonly #now: () => number;
  #watchedUntil = Number.NEGATIVE_INFINITY;

  /** @param refresh reads what there is */
  constructor(refresh: (() => Promise<void>) | undefined, now: () => number = Date.now) {
    this.#refresh = refresh;
    this.#now = now;
  }

  /** Cheap. @param lower the text in lower case */
  mayHaveChanged(lower: string): boolean {
    if (this.#refresh === undefined) return false;
    if (MAKING.some((name) => lower.includes(name))) this.#watchedUntil = this.#now() + WATCHED_MS;
    return this.#now() < this.#watchedUntil;
  }

  /** What was made is committed, and the catalog has it. */
  known(): void {
    this.#watchedUntil = Number.NEGATIVE_INFINITY;
  }

  async settle(): Promise<void> {
    if (this.#now() < this.#watchedUntil) await this.refresh();
  }

  async refresh(): Promise<void> {
    await this.#refresh?.();
  }
}
