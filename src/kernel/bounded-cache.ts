import { LRUCache } from 'lru-cache';

export interface CacheBounds {
  readonly entries: number;
  /** Of all keys and values together, as far as `size` of `set` tells. */
  readonly bytes: number;
}

/** What was made from a text, by that text; what was least recently asked for goes first. */
export class BoundedCache<Value extends object> {
  readonly #entries: LRUCache<string, Value>;

  constructor({ entries, bytes }: CacheBounds) {
    this.#entries = new LRUCache({ max: entries, maxSize: bytes });
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  /** `size`: an estimate in bytes; what alone is larger than all bounds is not kept. */
  set(key: string, value: Value, size: number): void {
    this.#entries.set(key, value, { size: Math.max(1, Math.ceil(size)) });
  }
}
