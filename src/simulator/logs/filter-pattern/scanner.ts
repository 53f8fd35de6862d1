import { InvalidFilterPattern } from './pattern.ts';
import type { ComparisonOperator, Value } from './pattern.ts';
import { toRegExp } from './regex.ts';

const OPERATORS: readonly ComparisonOperator[] = ['!=', '<=', '>=', '=', '<', '>'];
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/** Walks over the text of a pattern; what is expected and not there is an InvalidFilterPattern. */
export class Scanner {
  readonly text: string;
  #offset = 0;
  /** Regular expressions read so far. The service takes two in a JSON or space-delimited pattern. */
  #regexes = 0;

  constructor(text: string) {
    this.text = text;
  }

  get atEnd(): boolean {
    return this.#offset >= this.text.length;
  }

  get next(): string {
    return this.text.charAt(this.#offset);
  }

  fail(expected: string): never {
    throw new InvalidFilterPattern(`expected ${expected} at character ${this.#offset + 1} of the filter pattern`);
  }

  skipSpace(): void {
    this.match(/\s*/y);
  }

  /** `pattern` must be sticky. */
  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.#offset += found.length;
    return found;
  }

  take(token: string): boolean {
    if (!this.text.startsWith(token, this.#offset)) return false;
    this.#offset += token.length;
    return true;
  }

  takeAfterSpace(token: string): boolean {
    this.skipSpace();
    return this.take(token);
  }

  expect(token: string): void {
    if (!this.take(token)) this.fail(`"${token}"`);
  }

  operator(): ComparisonOperator | undefined {
    return OPERATORS.find((operator) => this.take(operator));
  }

  /** After the opening quote. `\"` and `\\` stand for the character itself; any other backslash is one. */
  quoted(): string {
    let text = '';
    while (!this.take('"')) {
      if (this.atEnd) this.fail('a closing quotation mark');
      if (this.take('\\"')) text += '"';
      else if (this.take('\\\\')) text += '\\';
      else {
        text += this.next;
        this.#offset += 1;
      }
    }
    return text;
  }

  /** After the opening percent sign. */
  regex(): RegExp {
    const source = this.match(/[^%]*/y) ?? '';
    this.expect('%');
    this.#regexes += 1;
    if (this.#regexes > 2) throw new InvalidFilterPattern('a filter pattern can hold two regular expressions');
    return toRegExp(source);
  }

  value(): Value {
    if (this.take('%')) return { kind: 'regex', regex: this.regex() };
    if (this.take('"')) return { kind: 'literal', text: this.quoted(), number: undefined };
    // The guide wants quotes around anything else; patterns that it and others publish write addresses, service names
    // and wildcards without.
    const text = this.match(/[A-Za-z0-9_.*:/+-]+/y);
    if (text === undefined) return this.fail('a value');
    return { kind: 'literal', text, number: NUMBER.test(text) ? Number(text) : undefined };
  }
}
