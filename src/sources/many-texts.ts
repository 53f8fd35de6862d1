/** Bytes that are looked at together. */
const BLOCK = 3;
const HASHES = 1 << 16;
/** What the texts have in common is looked for with each of them, so none of it where so much is left. */
const WORTH = 6;

/**
 * Finds the first of many texts, of three bytes or more, in bytes: after S. Wu and U. Manber, "A fast algorithm for multi-pattern
 * searching" (1994). It looks at the last three bytes of as many as the shortest text has, and goes on by as many as none of the
 * texts can have begun in.
 */
export class ManyTexts {
  readonly #shift = new Uint8Array(HASHES);
  /** By the hash of their block. */
  readonly #texts = new Map<number, Buffer[]>();
  readonly #window: number;

  constructor(texts: readonly Buffer[]) {
    const own = withoutCommon(texts);
    this.#window = Math.min(0xff, ...own.map(({ length }) => length));
    const last = this.#window - 1;
    this.#shift.fill(last - BLOCK + 2);
    for (const text of own) {
      for (let at = BLOCK - 1; at <= last; at += 1) {
        const hash = hashAt(text, at);
        this.#shift[hash] = Math.min(this.#shift[hash] as number, last - at);
      }
      const hash = hashAt(text, last);
      this.#texts.set(hash, [...(this.#texts.get(hash) ?? []), text]);
    }
  }

  /** A place within the first text from there on; -1: there is none. */
  find(bytes: Buffer, from: number): number {
    const { length } = bytes;
    const shifts = this.#shift;
    for (let at = from + this.#window - 1; at < length;) {
      const hash = hashAt(bytes, at);
      const shift = shifts[hash] as number;
      if (shift > 0) {
        at += shift;
        continue;
      }
      const start = at - this.#window + 1;
      for (const text of this.#texts.get(hash) ?? []) if (isAt(text, bytes, start)) return start;
      at += 1;
    }
    return -1;
  }
}

function hashAt(bytes: Uint8Array, at: number): number {
  const [one, two, three] = [bytes[at - 2] as number, bytes[at - 1] as number, bytes[at] as number];
  return ((one << 10) ^ (two << 5) ^ three) & (HASHES - 1);
}

function isAt(text: Buffer, bytes: Buffer, start: number): boolean {
  if (start + text.length > bytes.length) return false;
  for (let index = 0; index < text.length; index += 1) if (bytes[start + index] !== text[index]) return false;
  return true;
}

function withoutCommon(texts: readonly Buffer[]): readonly Buffer[] {
  const [first = Buffer.alloc(0)] = texts;
  const most = Math.min(...texts.map(({ length }) => length)) - WORTH;
  let common = 0;
  while (common < most && texts.every((text) => text[common] === first[common])) common += 1;
  return texts.map((text) => text.subarray(common));
}
