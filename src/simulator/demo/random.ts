import { hash } from '../hash.ts';

/** Numbers that look random and are the same on every run: the n-th draw under a name. */
export class Random {
  readonly #name: string;
  #draws = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** 0 <= x < 1. */
  fraction(): number {
    this.#draws += 1;
    return hash(`${this.#name}/${this.#draws}`) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  pick<const T extends readonly [unknown, ...unknown[]]>(choices: T): T[number] {
    return choices[this.below(choices.length)];
  }
}
