/** Trails and regions change rarely; what was found out is asked for again after this time. */
const REMEMBERED_MS = 10 * 60_000;

/** What is asked for once in a while. A failure is not remembered, and nobody waits for another statement's call. */
export class Remembered<T> {
  #known: { readonly value: T; readonly until: number } | undefined;

  forget(): void {
    this.#known = undefined;
  }

  async get(ask: () => Promise<T>): Promise<T> {
    const now = Date.now();
    if (this.#known !== undefined && now < this.#known.until) return this.#known.value;
    const value = await ask();
    this.#known = { value, until: now + REMEMBERED_MS };
    return value;
  }
}
