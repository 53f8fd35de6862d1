export interface BatchesOptions<Item> {
  /** More in one write gains nothing; fewer would be a round trip each. */
  readonly size: number;
  /** What has waited longest beyond it is dropped; undefined: nothing is. */
  readonly most?: number;
  /** Milliseconds that a first item waits for others, unless `flush` is called or a batch is full; undefined: one turn. */
  readonly gatherMs?: number;
  write(items: readonly Item[]): Promise<void>;
  /** A write failed: its items are lost. */
  lost(error: unknown, count: number): void;
}

/** Collects items and writes them a batch at a time; what has the same key is written once, as it came last. */
export class Batches<Item> {
  readonly #options: BatchesOptions<Item>;
  readonly #waiting = new Map<string | number, Item>();
  #writing: Promise<void> | undefined;
  #endGathering: () => void = () => undefined;

  constructor(options: BatchesOptions<Item>) {
    this.#options = options;
  }

  /** Resolves once it is written, or could not be. Never rejects. */
  add(key: string | number, item: Item): Promise<void> {
    this.#waiting.set(key, item);
    const { most } = this.#options;
    const [oldest] = this.#waiting.keys();
    if (most !== undefined && this.#waiting.size > most && oldest !== undefined) this.#waiting.delete(oldest);
    const written = (this.#writing ??= this.#drain());
    if (this.#waiting.size >= this.#options.size) this.#endGathering();
    return written;
  }

  /** Writes one batch after the other until nothing waits. */
  flush(): Promise<void> {
    const written = (this.#writing ??= this.#drain());
    this.#endGathering();
    return written;
  }

  async #drain(): Promise<void> {
    const { gatherMs } = this.#options;
    if (gatherMs !== undefined) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, gatherMs);
        this.#endGathering = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    // What arrives in the same turn of the event loop shares a batch.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting].slice(0, this.#options.size);
      for (const [key] of batch) this.#waiting.delete(key);
      await this.#options
        .write(batch.map(([, item]) => item))
        .catch((error: unknown) => this.#options.lost(error, batch.length));
    }
    // In the same turn as the last look at what waits: a later item starts a new drain.
    this.#writing = undefined;
  }
}
