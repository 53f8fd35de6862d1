export type Urgency = 'gracefully' | 'immediately';

/** What was opened, to be closed in the opposite order. */
export class Closers {
  readonly #steps: ((how: Urgency) => Promise<unknown>)[] = [];

  push(close: (how: Urgency) => Promise<unknown>): void {
    this.#steps.push(close);
  }

  /** Goes on after one that fails. Returns what failed. */
  async close(how: Urgency): Promise<readonly unknown[]> {
    const errors: unknown[] = [];
    for (const step of this.#steps.splice(0).reverse()) {
      await step(how).catch((error: unknown) => errors.push(error));
    }
    return errors;
  }
}
