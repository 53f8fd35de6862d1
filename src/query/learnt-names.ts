/** Since when each name of what there is has been known. */
export class LearntNames {
  readonly #since = new Map<string, number>();

  /** @param now in milliseconds since the epoch */
  update(names: ReadonlySet<string>, now: number): void {
    for (const name of this.#since.keys()) if (!names.has(name)) this.#since.delete(name);
    for (const name of names) if (!this.#since.has(name)) this.#since.set(name, now);
  }

  after(time: number): readonly string[] {
    return [...this.#since].flatMap(([name, since]) => (since > time ? [name] : []));
  }
}
