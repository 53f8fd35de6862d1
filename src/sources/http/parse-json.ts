import { isTooLong, standIn } from './exact-number.ts';

/** Why a text is not taken: the end of a sentence that begins with "the answer". */
export class JsonRefused extends Error {
  /** What to do, where that is not to look at the definition. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** As deep as nobody's answers are; whoever walks them afterwards calls itself that often. */
const DEEPEST = 64;

/** Parses JSON. In the place of a number that a double would change, or print otherwise, is what stands in for it. */
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
      if (isTooLong(literal) || Math.abs(Number(literal)) === Number.POSITIVE_INFINITY)
        throw new JsonRefused('holds a number that is too large');
      const instead = standIn(literal);
      if (instead !== undefined) {
        pieces.push(text.slice(from, at), instead);
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
