/**
 * Log records hold what attackers chose: a user agent may carry terminal escapes that clear the screen, or characters
 * that turn the direction of writing. C0, DEL and C1, line separators, bidirectional controls, and the byte order mark.
 */
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text with everything that a terminal would obey, rather than show, written as an escape. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => NAMED[character] ?? unicodeEscape(character));
}

/** Lines stay lines: for messages that are made of several. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** Of JSON's own text: inside its strings the same characters may stand, and an escape there means the same. */
export function printableJson(json: string): string {
  return json.replace(UNPRINTABLE, (character) => (/[\n\r\t]/.test(character) ? character : unicodeEscape(character)));
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
