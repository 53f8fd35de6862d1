/** Numbers that decide, one after the other; 0 is always the simplest decision, and so is the end. */
export class Tape {
  readonly #numbers: readonly number[];
  #next = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  below(limit: number): number {
    const number = this.#numbers[this.#next] ?? 0;
    this.#next += 1;
    return number % limit;
  }

  /** True in so many of ten cases; false for 0. */
  chance(tenths: number): boolean {
    return this.below(10) >= 10 - tenths;
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new Error('nothing to choose from');
    return value;
  }

  /** How many numbers were asked for: those behind decide nothing. */
  get used(): number {
    return this.#next;
  }
}

/** mulberry32 of Tommy Ettinger (public domain): 32 bits of state, which a seed and an index fill. */
export function numbersOf(seed: number, index: number, count: number): number[] {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
  return Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  });
}
