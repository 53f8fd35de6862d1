import { BACKSLASH, COLON, COMMA, END_OF_LIST, END_OF_OBJECT, LIST, OBJECT, QUOTE } from './json-bytes.ts';

/** Of lists that begin one within the other each is followed to its end: so many times the bytes themselves, and no more. */
const MOST_FOLLOWED = 4;

/**
 * The lists that brackets in a stretch of bytes may open, followed to their ends. A bracket that may stand in a string is taken
 * for one that opens a list as well: a place may be said to lie in a list that does not, never the other way round.
 */
export class Lists {
  /** Where brackets that belong together begin and end; they do not overlap. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #closedTo = 0;

  /** Those that begin in `from` to before `to`, where `from` stands in none. */
  follow(bytes: Buffer, from: number, to: number): this {
    this.#starts.length = 0;
    this.#ends.length = 0;
    this.#closedTo = to;
    let left = MOST_FOLLOWED * (to - from);
    for (let list = bytes.indexOf(LIST, from); list >= 0 && list < to;) {
      const next = bytes.indexOf(LIST, list + 1);
      const isSure = isMember(bytes, list);
      const end =
        (isSure ? simpleEnd(bytes, list, next) : undefined) ??
        listEnd(bytes, list, Math.min(bytes.length, list + left));
      if (end === undefined) {
        this.#closedTo = list;
        break;
      }
      left -= end - list;
      this.#add(list, end);
      // Those within a list that is one have been followed with it.
      list = isSure && next >= 0 && next < end ? bytes.indexOf(LIST, end) : next;
    }
    return this;
  }

  /** Each list that begins before it is closed; what begins there is not, or it is not known. */
  get closedTo(): number {
    return this.#closedTo;
  }

  /** Where the list begins that the place may lie in; -1: it lies in none. */
  around(place: number): number {
    let index = this.#starts.length - 1;
    while (index >= 0 && (this.#starts[index] as number) > place) index -= 1;
    return index >= 0 && (this.#ends[index] as number) > place ? (this.#starts[index] as number) : -1;
  }

  #add(start: number, end: number): void {
    const last = this.#ends.length - 1;
    if (last >= 0 && (this.#ends[last] as number) > start) {
      this.#ends[last] = Math.max(this.#ends[last] as number, end);
    } else {
      this.#starts.push(start);
      this.#ends.push(end);
    }
  }
}

/**
 * Of a list that is one, and has no other bracket before the first that may close it: in `],"a` the quotation mark opens a
 * string, as a letter follows, so the bracket stood in none.
 */
function simpleEnd(bytes: Buffer, list: number, next: number): number | undefined {
  const end = bytes.indexOf(END_OF_LIST, list);
  if (end < 0 || (next >= 0 && next < end)) return undefined;
  if (bytes[end + 1] !== COMMA || bytes[end + 2] !== QUOTE || !isLetter(bytes[end + 3])) return undefined;
  return end + 1;
}

/** Behind a list that may begin there; in front of what shows that it stands in a string; undefined: it is not closed before `to`. */
function listEnd(bytes: Buffer, from: number, to: number): number | undefined {
  let depth = 0;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      at = quoteEnd(bytes, at + 1, to);
    } else if (byte === LIST || byte === OBJECT) depth += 1;
    else if (byte === END_OF_LIST || byte === END_OF_OBJECT) {
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (NOT_IN_STRUCTURE[byte] === 1) return at;
  }
  return undefined;
}

function quoteEnd(bytes: Buffer, from: number, to: number): number {
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at += 1;
  }
  return to;
}

/**
 * Whether the bracket follows a key, `name":[`: behind a letter a quotation mark opens no string and is not escaped, so it closes one,
 * and in a string none follows a colon.
 */
function isMember(bytes: Buffer, list: number): boolean {
  return list >= 3 && bytes[list - 1] === COLON && bytes[list - 2] === QUOTE && isLetter(bytes[list - 3]);
}

function isLetter(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

/** What stands in strings alone: all but brackets, commas, colons, quotation marks, spaces, numbers, true, false and null. */
const NOT_IN_STRUCTURE = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[[\]{},:"\s\d.+\-eEtrufalsn]/.test(String.fromCharCode(byte)) ? 0 : 1,
);
