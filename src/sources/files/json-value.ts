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

/** What ends a run of a string's characters: its end, an escape, and what no string may hold. */
const SPECIAL = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < SPACE || byte === QUOTE || byte === BACKSLASH ? 1 : 0,
);
/** Of the value that is followed, what is open: OBJECT or LIST, the outermost first. */
const open = new Uint8Array(DEEPEST);

/**
 * Behind the value that begins at `at`, or -1: it is no JSON, does not end in these bytes, is nested too deeply, or goes on in
 * another line. What is accepted is accepted by JSON.parse (RFC 8259), if it is UTF-8. Runs for every byte of a file, and
 * reads none beyond their end: V8 makes that slow for good.
 */
export function valueEnd(bytes: Uint8Array, at: number): number {
  const { length } = bytes;
  let depth = 0;
  for (;;) {
    if (at >= length) return -1;
    const first = bytes[at] as number;
    if (first === QUOTE) {
      at = stringEnd(bytes, at + 1) + 1;
      if (at === 0) return -1;
    } else if (first === OBJECT || first === LIST) {
      at = afterSpaces(bytes, at + 1);
      if (at >= length) return -1;
      if (bytes[at] === endOf(first)) at += 1;
      else {
        if (depth === DEEPEST) return -1;
        open[depth] = first;
        depth += 1;
        if (first === OBJECT) at = memberValue(bytes, at);
        if (at < 0) return -1;
        continue;
      }
    } else {
      at = scalarEnd(bytes, at, first);
      if (at < 0) return -1;
    }
    // A value has ended, and with it those that end behind it.
    for (;;) {
      if (depth === 0) return at;
      at = afterSpaces(bytes, at);
      if (at >= length) return -1;
      const byte = bytes[at];
      const around = open[depth - 1] as number;
      at += 1;
      if (byte === COMMA) {
        at = afterSpaces(bytes, at);
        if (around === OBJECT) at = memberValue(bytes, at);
        if (at < 0) return -1;
        break;
      }
      if (byte !== endOf(around)) return -1;
      depth -= 1;
    }
  }
}

/** The place of a string's closing quotation mark, or -1. `at`: behind the opening one. */
export function stringEnd(bytes: Uint8Array, at: number): number {
  const { length } = bytes;
  while (at < length) {
    const byte = bytes[at] as number;
    if (SPECIAL[byte] === 0) at += 1;
    else if (byte === QUOTE) return at;
    else if (byte === BACKSLASH) {
      at = escapeEnd(bytes, at + 1);
      if (at < 0) return -1;
    } else return -1;
  }
  return -1;
}

/** The same, of a string without an escape; -1: it has one. */
export function plainEnd(bytes: Uint8Array, at: number): number {
  const { length } = bytes;
  while (at < length && SPECIAL[bytes[at] as number] === 0) at += 1;
  return at < length && bytes[at] === QUOTE ? at : -1;
}

/** Behind the colon that follows a name's closing quotation mark, and spaces; -1: none does. */
export function afterColon(bytes: Uint8Array, at: number): number {
  at = afterSpaces(bytes, at + 1);
  return at < bytes.length && bytes[at] === COLON ? afterSpaces(bytes, at + 1) : -1;
}

/** The place of what is no space from there on. A line's end is none: whether it may stand there, its file says. */
export function afterSpaces(bytes: Uint8Array, at: number): number {
  while (at < bytes.length && (bytes[at] === SPACE || bytes[at] === TAB)) at += 1;
  return at;
}

/** Where the value of a member begins whose name begins at `at`; -1: none does. */
function memberValue(bytes: Uint8Array, at: number): number {
  if (at >= bytes.length || bytes[at] !== QUOTE) return -1;
  const end = stringEnd(bytes, at + 1);
  return end < 0 ? -1 : afterColon(bytes, end);
}

function endOf(first: number): number {
  return first === OBJECT ? END_OF_OBJECT : END_OF_LIST;
}

function scalarEnd(bytes: Uint8Array, at: number, first: number): number {
  if (first === TRUE[0]) return literalEnd(bytes, at, TRUE);
  if (first === FALSE[0]) return literalEnd(bytes, at, FALSE);
  if (first === NULL[0]) return literalEnd(bytes, at, NULL);
  return numberEnd(bytes, at);
}

function escapeEnd(bytes: Uint8Array, at: number): number {
  if (at >= bytes.length) return -1;
  const byte = bytes[at] as number;
  if (ESCAPED[byte] === 1) return at + 1;
  if (byte !== SMALL_U || at + 4 >= bytes.length) return -1;
  for (let digit = at + 1; digit <= at + 4; digit += 1) if (HEXADECIMAL[bytes[digit] as number] === 0) return -1;
  return at + 5;
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
