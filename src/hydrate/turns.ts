import { abortable } from '../kernel/abort.ts';

/** Those who want the same do it one after the other. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Resolves with what ends the turn, once all who came before have ended theirs. Rejects with the signal's reason. */
  async take(key: string, signal: AbortSignal): Promise<() => void> {
    const before = this.#last.get(key) ?? Promise.resolve();
    let end = (): void => undefined;
    const own = new Promise<void>((resolve) => (end = resolve));
    const all = before.then(() => own);
    this.#last.set(key, all);
    void all.then(() => {
      if (this.#last.get(key) === all) this.#last.delete(key);
    });
    try {
      await abortable(before, signal);
    } catch (error) {
      end();
      throw error;
    }
    return end;
  }
}
