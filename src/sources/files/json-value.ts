import {
  BACKSLASH,
  COLON,
  COMMA,
  END_OF_LIST,
  END_OF_OBJECT,
  LIST,
  NINE,
  OBJECT,
  QUOTE,
  SPACE,
  TAB,
  ZERO,
} from './json-bytes.ts';

/** Deeper values are left to JSON.parse. */
const DEEPEST = 64;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const SMALL_E = 0x65;
const CAPITAL_E = 0x45;
const SMALL_U = 0x75;
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');
/** What may follow a backslash, but for `u`. */
const ESCAPED = flags('"\\/bfnrt');
const HEXADECIMAL = flags('0123456789abcdefABCDEF');

/**
 * Behind the value that begins at `at`, or -1: it is no JSON, does not end in these bytes, is nested too deeply, or goes on in
 * another line. What is accepted is accepted by JSON.parse (RFC 8259), if it is UTF-8. Runs for every byte of a file.
 */
export function valueEnd(bytes: Uint8Array, at: number, depth = 0): number {
  const byte = bytes[at];
  if (byte === QUOTE) {
    const end = stringEnd(bytes, at + 1);
    return end < 0 ? -1 : end + 1;
  }
  if (byte === OBJECT) return depth < DEEPEST ? objectEnd(bytes, at + 1, depth + 1) : -1;
  if (byte === LIST) return depth < DEEPEST ? listEnd(bytes, at + 1, depth + 1) : -1;
  if (byte === TRUE[0]) return literalEnd(bytes, at, TRUE);
  if (byte === FALSE[0]) return literalEnd(bytes, at, FALSE);
  if (byte === NULL[0]) return literalEnd(bytes, at, NULL);
  return numberEnd(bytes, at);
}

/** The place of a string's closing quotation mark, or -1. `at`: behind the opening one. */
export function stringEnd(bytes: Uint8Array, at: number): number {
  const { length } = bytes;
  while (at < length) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) {
      at = escapeEnd(bytes, at + 1);
      if (at < 0) return -1;
    } else {
      if (byte < SPACE) return -1;
      at += 1;
    }
  }
  return -1;
}

/** The place of what is no space from there on. A line's end is none: whether it may stand there, its file says. */
export function spacesEnd(bytes: Uint8Array, at: number): number {
  while (at < bytes.length && (bytes[at] === SPACE || bytes[at] === TAB)) at += 1;
  return at;
}

function escapeEnd(bytes: Uint8Array, at: number): number {
  if (at >= bytes.length) return -1;
  const byte = bytes[at] as number;
  if (ESCAPED[byte] === 1) return at + 1;
  if (byte !== SMALL_U || at + 4 >= bytes.length) return -1;
  for (let digit = at + 1; digit <= at + 4; digit += 1) if (HEXADECIMAL[bytes[digit] as number] === 0) return -1;
  return at + 5;
}

function objectEnd(bytes: Uint8Array, from: number, depth: number): number {
  let at = spacesEnd(bytes, from);
  if (bytes[at] === END_OF_OBJECT) return at + 1;
  for (;;) {
    if (bytes[at] !== QUOTE) return -1;
    at = stringEnd(bytes, at + 1);
    if (at < 0) return -1;
    at = spacesEnd(bytes, at + 1);
    if (bytes[at] !== COLON) return -1;
    at = valueEnd(bytes, spacesEnd(bytes, at + 1), depth);
    if (at < 0) return -1;
    at = spacesEnd(bytes, at);
    if (bytes[at] === END_OF_OBJECT) return at + 1;
    if (bytes[at] !== COMMA) return -1;
    at = spacesEnd(bytes, at + 1);
  }
}

function listEnd(bytes: Uint8Array, from: number, depth: number): number {
  let at = spacesEnd(bytes, from);
  if (bytes[at] === END_OF_LIST) return at + 1;
  for (;;) {
    at = valueEnd(bytes, at, depth);
    if (at < 0) return -1;
    at = spacesEnd(bytes, at);
    if (bytes[at] === END_OF_LIST) return at + 1;
    if (bytes[at] !== COMMA) return -1;
    at = spacesEnd(bytes, at + 1);
  }
}

function literalEnd(bytes: Uint8Array, at: number, literal: Uint8Array): number {
  for (let index = 1; index < literal.length; index += 1) if (bytes[at + index] !== literal[index]) return -1;
  return at + literal.length;
}

function numberEnd(bytes: Uint8Array, from: number): number {
  let at = bytes[from] === MINUS ? from + 1 : from;
  const whole = digitsEnd(bytes, at);
  // No number begins with a zero that others follow.
  if (whole === at || (bytes[at] === ZERO && whole > at + 1)) return -1;
  at = whole;
  if (bytes[at] === POINT) {
    const end = digitsEnd(bytes, at + 1);
    if (end === at + 1) return -1;
    at = end;
  }
  if (bytes[at] === SMALL_E || bytes[at] === CAPITAL_E) {
    const digits = bytes[at + 1] === PLUS || bytes[at + 1] === MINUS ? at + 2 : at + 1;
    at = digitsEnd(bytes, digits);
    if (at === digits) return -1;
  }
  return at;
}

function digitsEnd(bytes: Uint8Array, at: number): number {
  while (at < bytes.length && (bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) at += 1;
  return at;
}

function flags(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}
