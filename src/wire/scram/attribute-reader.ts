import { TrailhoundError } from '../../kernel/errors.ts';

export interface Attribute {
  readonly name: string;
  readonly value: string;
}

/**
 * Reads `a=…,b=…` of RFC 5802, section 5, attribute by attribute, and refuses what it cannot read with PostgreSQL's words
 * (read_attr_value and read_any_attr in libpq/auth-scram.c). Each character of the text is a byte.
 */
export class AttributeReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Where the next attribute begins. */
  get position(): number {
    return this.#at;
  }

  /** The next character; empty at the end. */
  peek(): string {
    return this.#text.charAt(this.#at);
  }

  skip(count: number): void {
    this.#at += count;
  }

  required(name: string): string {
    if (this.peek() !== name) throw malformed(`Expected attribute "${name}" but found "${printed(this.peek())}".`);
    return this.#value(name);
  }

  any(): Attribute {
    const name = this.peek();
    if (name === '') throw malformed('Attribute expected, but found end of string.');
    if (!/[A-Za-z]/u.test(name)) throw malformed(`Attribute expected, but found invalid character "${printed(name)}".`);
    return { name, value: this.#value(name) };
  }

  #value(name: string): string {
    if (this.#text.charAt(this.#at + 1) !== '=') throw malformed(`Expected character "=" for attribute "${name}".`);
    const start = this.#at + 2;
    const comma = this.#text.indexOf(',', start);
    const end = comma === -1 ? this.#text.length : comma;
    this.#at = comma === -1 ? end : end + 1;
    return this.#text.slice(start, end);
  }
}

export function malformed(detail?: string): TrailhoundError {
  return new TrailhoundError('protocol_violation', 'malformed SCRAM message', { detail });
}

/** A character for a message (sanitize_char); the end of the text is C's zero. */
export function printed(character: string): string {
  if (/[\x21-\x7e]/u.test(character)) return `'${character}'`;
  const byte = character === '' ? 0 : character.charCodeAt(0);
  return `0x${byte.toString(16).padStart(2, '0')}`;
}
