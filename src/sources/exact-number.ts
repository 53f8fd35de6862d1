import { randomUUID } from 'node:crypto';
import { workerData } from 'node:worker_threads';

/** What a thread is started with whose numbers its process is to read. */
export interface WithToken {
  readonly exactNumberToken: string;
}

const TOKEN = (workerData as Partial<WithToken> | null)?.exactNumberToken ?? randomUUID();
/** Nobody whose answers or records are read can guess it: no text of theirs passes for a number. */
const MARK = `\u0000${TOKEN} `;
const MARKED = new RegExp(`"\\\\u0000${TOKEN} ([^"]*)"`, 'g');

export const withToken: WithToken = { exactNumberToken: TOKEN };

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

/** The double that is nearest to the number for which a value stands in; every other value as it is. */
export function nearestDouble(value: unknown): unknown {
  const number = exactNumber(value);
  return number === undefined ? value : Number(number);
}

/** A value as JSON, its numbers as they were written. */
export function exactJson(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes(TOKEN) ? text.replace(MARKED, '$1') : text;
}

/** A value as PostgreSQL's `->>` has its text; undefined where it is no number that another one stands in for. */
export function exactNumberText(value: unknown): string | undefined {
  const number = exactNumber(value);
  return number === undefined ? undefined : decimal(number);
}

/** JSON in which what stands in for numbers is in their places; `number`, `nested`: told of each, and of how deep what begins is. */
export function withStandIns(
  text: string,
  { number, nested }: { readonly number?: (literal: string) => void; readonly nested?: (depth: number) => void } = {},
): string {
  const pieces: string[] = [];
  let from = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    if (character === '"') {
      at = endOfString(text, at + 1);
    } else if (character === '{' || character === '[') {
      depth += 1;
      nested?.(depth);
    } else if (character === '}' || character === ']') {
      depth -= 1;
    } else if (character === '-' || (character >= '0' && character <= '9')) {
      const end = endOfNumber(text, at + 1);
      const literal = text.slice(at, end);
      number?.(literal);
      const instead = standIn(literal);
      if (instead !== undefined) {
        pieces.push(text.slice(from, at), instead);
        from = end;
      }
      at = end - 1;
    }
  }
  return pieces.join('') + text.slice(from);
}

/** A number that a double may change or print otherwise follows one of these; so may what looks like one in a text. */
const MAY_DIFFER = /[:,[]\s*-?\d(?:[\d.]{15}|[\d.]*(?:[eE]|\.\d*0(?![\d.eE])))|[:,[]\s*(?:-0(?!\.)|-?0\.000000)/;

/**
 * As JSON.parse, where a number is what stands in for it if a double is not the same number, or is written otherwise. Throws
 * SyntaxError where there is one that is too long (isTooLong).
 */
export function parseExactly(text: string): unknown {
  return JSON.parse(MAY_DIFFER.test(text) ? withStandIns(text, { number: refuseTooLong }) : text) as unknown;
}

/** The same of what was taken before, and was printed by PostgreSQL since: without exponents, in more digits. */
export function parseKept(text: string): unknown {
  return JSON.parse(MAY_DIFFER.test(text) ? withStandIns(text) : text) as unknown;
}

function refuseTooLong(literal: string): void {
  if (isTooLong(literal)) throw new SyntaxError(`a number of more than ${MOST_DIGITS} digits`);
}

function endOfString(text: string, at: number): number {
  for (let end = at; end < text.length; end += 1) {
    if (text[end] === '\\') end += 1;
    else if (text[end] === '"') return end;
  }
  return text.length;
}

function endOfNumber(text: string, at: number): number {
  let end = at;
  while (end < text.length && /[0-9+.eE-]/.test(text[end] as string)) end += 1;
  return end;
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
