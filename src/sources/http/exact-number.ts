import { randomUUID } from 'node:crypto';

const TOKEN = randomUUID();
/** Nobody who answers can guess it: no text of theirs passes for a number. */
const MARK = `\u0000${TOKEN} `;
const MARKED = new RegExp(`"\\\\u0000${TOKEN} ([^"]*)"`, 'g');

/** https://www.rfc-editor.org/rfc/rfc8259#section-6 */
const NUMBER = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/;

/** As JSON text, the stand-in for a number; undefined where a double is the same number, written the same way, or it is none. */
export function standIn(literal: string): string | undefined {
  const isPlain = String(Number(literal)) === literal && !/e/i.test(literal);
  return isPlain || !NUMBER.test(literal) ? undefined : JSON.stringify(MARK + literal);
}

/** The number for which a value stands in, as it was written; undefined of every other value. */
export function exactNumber(value: unknown): string | undefined {
  return typeof value === 'string' && value.startsWith(MARK) ? value.slice(MARK.length) : undefined;
}

/** A value as JSON, its numbers as they were written. */
export function exactJson(value: unknown): string {
  return JSON.stringify(value).replace(MARKED, '$1');
}

/** Longer ones stay as they were written: six characters of an answer must not become a thousand, a million times. */
const LONGEST_EXPONENT = 40;

/** A number of JSON as PostgreSQL's `numeric` prints it: `1.50e3` is 1500, `-0.0` is 0.0. */
export function decimal(literal: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = NUMBER.exec(literal) ?? [];
  if (Math.abs(Number(exponent)) > LONGEST_EXPONENT) return literal;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  const padded = point > 0 ? digits.padEnd(point, '0') : '0'.repeat(1 - point) + digits;
  const at = Math.max(point, 1);
  const integer = padded.slice(0, at).replace(/^0+(?=\d)/, '');
  const rest = padded.slice(at);
  return (/[1-9]/.test(digits) ? sign : '') + (rest === '' ? integer : `${integer}.${rest}`);
}

/** What PostgreSQL's `numeric` may not hold, and nobody counts. */
export function isTooLong(literal: string): boolean {
  const exponent = Number(/[eE](.*)$/.exec(literal)?.[1] ?? 0);
  return literal.length + Math.abs(exponent) > MOST_DIGITS;
}

const MOST_DIGITS = 1_000;
