/** Event patterns over CloudTrail's records, written from what they hold; the same seed gives the same ones. */
export function generatedPatterns(
  records: readonly Readonly<Record<string, unknown>>[],
  count: number,
  seed: number,
): readonly string[] {
  const generator = new Generator(records, seed);
  return Array.from({ length: count }, () => JSON.stringify({ detail: generator.detail() }));
}

interface Leaf {
  readonly names: readonly string[];
  readonly value: unknown;
}

type Pattern = Record<string, unknown>;

class Generator {
  readonly #records: readonly Readonly<Record<string, unknown>>[];
  #state: number;

  constructor(records: readonly Readonly<Record<string, unknown>>[], seed: number) {
    this.#records = records;
    this.#state = seed;
  }

  /** Of one record, which it mostly matches. */
  detail(): Pattern {
    const leaves = leavesOf(this.#pick(this.#records));
    const pattern: Pattern = {};
    for (let fields = 1 + this.#below(3); fields > 0; fields -= 1) this.#add(pattern, this.#pick(leaves));
    if (this.#below(5) > 0) return pattern;
    const others = leavesOf(this.#pick(this.#records)).filter(({ names }) => !((names[0] ?? '') in pattern));
    if (others.length === 0) return pattern;
    const sides = [this.#pick(others), this.#pick(others)].map((leaf) => {
      const side: Pattern = {};
      this.#add(side, leaf);
      return side;
    });
    return { ...pattern, $or: sides };
  }

  #add(pattern: Pattern, { names, value }: Leaf): void {
    let at = pattern;
    for (const name of names.slice(0, -1)) {
      const below = (at[name] ??= {});
      if (Array.isArray(below)) return;
      at = below as Pattern;
    }
    const last = names.at(-1) as string;
    if (last in at) return;
    const list = Array.from({ length: 1 + this.#below(2) }, () => this.#alternative(value));
    if (this.#below(4) === 0) list.push('nobody');
    at[last] = list;
  }

  #alternative(value: unknown): unknown {
    if (typeof value !== 'string') return this.#below(3) === 0 ? { exists: this.#below(4) > 0 } : value;
    const from = this.#below(value.length + 1);
    const forms: (() => unknown)[] = [
      () => value,
      () => ({ exact: value }),
      () => ({ prefix: value.slice(0, 1 + this.#below(12)) }),
      () => ({ suffix: value.slice(-1 - this.#below(12)) }),
      () => ({ wildcard: `${wild(value.slice(0, from))}*${wild(value.slice(from + 2))}` }),
      () => ({ 'equals-ignore-case': otherCase(value) }),
      () => ({ prefix: { 'equals-ignore-case': otherCase(value.slice(0, 1 + this.#below(12))) } }),
      () => ({ suffix: { 'equals-ignore-case': otherCase(value.slice(-1 - this.#below(12))) } }),
      () => ({ 'anything-but': [value] }),
      () => ({ exists: true }),
      () => ({ exists: false }),
    ];
    return this.#pick(forms)();
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#below(values.length)] as T;
  }

  /** mulberry32 */
  #below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end) | 0;
  }
}

/** Whole characters, which halves of some would not be. */
const MAX_TEXT = 200;

function leavesOf(value: unknown, names: readonly string[] = []): readonly Leaf[] {
  if (Array.isArray(value)) return value.slice(0, 3).flatMap((each) => leavesOf(each, names));
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .filter(([name]) => name !== '' && name !== '$or')
      .flatMap(([name, each]) => leavesOf(each, [...names, name]));
  }
  const isFit = typeof value !== 'string' || (value !== '' && value.length <= MAX_TEXT && /^[ -~]*$/.test(value));
  return names.length === 0 || names.length > 5 || !isFit ? [] : [{ names, value }];
}

function wild(text: string): string {
  return text.replace(/[\\*]/g, '\\$&');
}

function otherCase(text: string): string {
  return text.replace(/[A-Za-z]/g, (letter) => (letter < 'a' ? letter.toLowerCase() : letter.toUpperCase()));
}
