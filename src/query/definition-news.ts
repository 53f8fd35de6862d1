/** What has been committed, in whichever process: something that users made, or a table by SQL. */
export type Definition = 'definition' | 'lookup';

/** Who hears of it tells the pipeline: what is known of definitions is old from then on. */
export class DefinitionNews {
  readonly #listeners: ((what: Definition) => void)[] = [];

  onNews(listener: (what: Definition) => void): void {
    this.#listeners.push(listener);
  }

  tell(what: Definition): void {
    for (const listener of this.#listeners) listener(what);
  }
}
