/** Why a text is not taken: the end of a sentence that begins with "the answer". */
export class JsonRefused extends Error {}

/** As deep as nobody's answers are; whoever walks them afterwards calls itself that often. */
const DEEPEST = 64;

/** No text of an answer begins with it but those that stand for a number: JSON.parse would round it. */
const EXACT = '\u0000exactly ';

/** Parses JSON of which a double holds no number but exactly: larger integers become {@link exactDigits}. */
export function parseJson(text: string): unknown {
  const pieces: string[] = [];
  let from = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    if (character === '"') {
      at = endOfString(text, at + 1);
    } else if (character === '{' || character === '[') {
      depth += 1;
      if (depth > DEEPEST) throw new JsonRefused(`is nested deeper than ${DEEPEST} levels`);
    } else if (character === '}' || character === ']') {
      depth -= 1;
    } else if (character === '-' || (character >= '0' && character <= '9')) {
      const end = endOfNumber(text, at + 1);
      const literal = text.slice(at, end);
      if (isInexact(literal)) {
        pieces.push(text.slice(from, at), JSON.stringify(EXACT + literal));
        from = end;
      }
      at = end - 1;
    }
  }
  try {
    return JSON.parse(pieces.join('') + text.slice(from)) as unknown;
  } catch {
    throw new JsonRefused('is no JSON');
  }
}

/** The digits of a number that is no safe integer; undefined of every other value. */
export function exactDigits(value: unknown): string | undefined {
  return typeof value === 'string' && value.startsWith(EXACT) ? value.slice(EXACT.length) : undefined;
}

/** The value as JSON.parse alone would have it: its numbers rounded. */
export function rounded(value: unknown): unknown {
  const digits = exactDigits(value);
  if (digits !== undefined) return Number(digits);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, rounded(member)]));
}

function isInexact(literal: string): boolean {
  if (literal.length < 16 && !/e/i.test(literal)) return false;
  const number = Number(literal);
  if (Number.isNaN(number)) return false;
  if (!Number.isFinite(number)) throw new JsonRefused('holds a number that is too large');
  return /^-?\d+$/.test(literal) && !Number.isSafeInteger(number);
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
