/** An array whose first elements are taken in constant time, whatever its length: Array's own shift moves all others. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  /** Where the first one is: those before it were taken. */
  #start = 0;

  get length(): number {
    return this.#items.length - this.#start;
  }

  /** Undefined beyond either end. */
  at(index: number): T | undefined {
    return index < 0 ? undefined : this.#items[this.#start + index];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const item = this.at(0);
    if (this.length > 0) this.#take(1);
    return item;
  }

  /** Takes `count` from `index` on. */
  splice(index: number, count: number): T[] {
    const from = this.#start + index;
    if (index > 0) return this.#items.splice(from, count) as T[];
    const taken = this.#items.slice(from, from + count) as T[];
    this.#take(taken.length);
    return taken;
  }

  #take(count: number): void {
    this.#items.fill(undefined, this.#start, this.#start + count);
    this.#start += count;
    // Moved at most once for each that was taken.
    if (this.#start < this.#items.length && this.#start < 2 ** 10) return;
    if (2 * this.#start < this.#items.length) return;
    this.#items.splice(0, this.#start);
    this.#start = 0;
  }
}
