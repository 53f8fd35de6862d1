/**
 * What PostgreSQL can store: no U+0000 in any text, no lone surrogate in UTF-8, neither as an escape in jsonb. Both
 * become U+FFFD and are counted, so that one hostile user agent does not blind a scan.
 */
export interface Replacements {
  count: number;
}

// In the runtime since Node 20, in TypeScript's libraries only since ES2024.
declare global {
  interface String {
    isWellFormed(): boolean;
  }
}

const UNSTORABLE = /\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

export function storableText(text: string, replacements: Replacements): string {
  if (text.isWellFormed() && !text.includes('\0')) return text;
  return text.replace(UNSTORABLE, () => {
    replacements.count += 1;
    return '\uFFFD';
  });
}

/** An escaped surrogate pair, or one \u escape, or any other escape: taken from left to right, so `\\u0000` is no escape. */
const ESCAPE = /\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u([0-9a-fA-F]{4})|\\[^]/g;

/** The same for JSON text, where the characters may also stand as escapes. */
export function storableJson(json: string, replacements: Replacements): string {
  const text = storableText(json, replacements);
  if (!text.includes('\\u')) return text;
  return text.replace(ESCAPE, (escape: string, digits: string | undefined) => {
    if (digits === undefined) return escape;
    const unit = Number.parseInt(digits, 16);
    if (unit !== 0 && (unit < 0xd800 || unit > 0xdfff)) return escape;
    replacements.count += 1;
    return '\\ufffd';
  });
}
