import type { ByteFilter, Places } from './byte-filter.ts';
import { BACKSLASH, COLON, END_OF_LIST, END_OF_OBJECT, LIST, NEWLINE, OBJECT, QUOTE } from './json-bytes.ts';
import { RecordSplitter } from './record-splitter.ts';
import type { Passed, Split } from './split.ts';

/** How a file begins whose records all begin with the same key, one right after the other or one a line. */
const HEAD = /^\uFEFF?\s*((?:\{\s*"[A-Za-z]+"\s*:\s*)?\[\s*)?\{("[A-Za-z]+":)/;
const HEAD_BYTES = 1024;
/** A file in which so many bytes have no second record has none like the first. */
const LONGEST_PIECE = 1024 * 1024;
/** Most records end within so many. */
const BRIDGE_BYTES = 8 * 1024;
/** Node searches for so many bytes by way of the first one alone, which is the quickest. */
const ANCHOR_BYTES = 6;
/** Lists in one record: each is followed to its end. */
const MOST_LISTS = 64;

/** From the end of a record to behind the first key of the next one. */
interface Separator {
  readonly bytes: Buffer;
  readonly anchor: Buffer;
  readonly isLine: boolean;
}

/**
 * As RecordSplitter, but passes over records that a filter does not want, without a look at most of their bytes: up to the
 * next text that separates two records, `},{"eventVersion":` or the same on two lines. In JSON such a text stands in no
 * string (its quotation mark would have ended it). Between the elements of a list within a record it may stand; then the
 * list is not closed before it, and the record is split byte by byte like one that is wanted. So is whatever looks otherwise
 * than the file's first record, and its last one, without which a file that ends too early would not be noticed. A record
 * with another first key is counted as one with the record before it.
 */
export class CandidateSplitter {
  readonly #splitter = new RecordSplitter();
  readonly #filter: ByteFilter;
  #places: Places | undefined;
  /** Undefined before the first bytes, and where every record is split. */
  #separator: Separator | undefined;
  #isPlain = false;
  /** Begins where a record has ended, or where the file begins. */
  #held: Buffer = Buffer.alloc(0);
  #found: (Split | Passed)[] = [];

  constructor(filter: ByteFilter) {
    this.#filter = filter;
  }

  get line(): number {
    return this.#splitter.line;
  }

  push(chunk: Buffer): readonly (Split | Passed)[] {
    if (this.#isPlain) return this.#splitter.push(chunk);
    this.#found = [];
    if (this.#separator === undefined) {
      const bytes = Buffer.concat([this.#held, chunk]);
      this.#held = bytes;
      if (bytes.length < HEAD_BYTES) return this.#found;
      this.#separator = separatorOf(bytes);
      this.#places = this.#filter.places(bytes);
      if (this.#separator !== undefined) this.#held = bytes.subarray(this.#pieces(bytes, this.#separator));
    } else this.#held = this.#rest(chunk, this.#separator);
    if (this.#separator === undefined || this.#held.length > LONGEST_PIECE) this.#goOnPlainly();
    return this.#found;
  }

  /** What a chunk ends with. Few of its bytes are copied behind those that are held. */
  #rest(chunk: Buffer, separator: Separator): Buffer {
    const before = this.#held.length;
    if (before === 0) return chunk.subarray(this.#pieces(chunk, separator));
    const bridge = Buffer.concat([this.#held, chunk.subarray(0, BRIDGE_BYTES)]);
    const at = this.#pieces(bridge, separator) - before;
    if (at >= 0) return chunk.subarray(at + this.#pieces(chunk.subarray(at), separator));
    const all = Buffer.concat([bridge.subarray(at + before), chunk.subarray(BRIDGE_BYTES)]);
    return all.subarray(this.#pieces(all, separator));
  }

  end(): readonly (Split | Passed)[] {
    this.#found = [];
    this.#goOnPlainly();
    this.#split(undefined);
    return this.#found;
  }

  /** Returns up to where the bytes are done with. */
  #pieces(bytes: Buffer, separator: Separator): number {
    const places = this.#places as Places;
    places.begin(bytes);
    let passed = 0;
    let from = 0;
    let newline = bytes.indexOf(NEWLINE);
    let list = separator.isLine ? -1 : bytes.indexOf(LIST);
    const pass = () => {
      if (passed === 0) return;
      this.#splitter.pass(separator.isLine ? passed : 0);
      this.#found.push({ kind: 'passed', records: passed });
      passed = 0;
    };
    for (;;) {
      const end = find(separator, bytes, from) + 1;
      if (end === 0) break;
      // What separates a piece from the one before it is its own first byte.
      const inner = from + 1;
      if (newline >= 0 && newline < inner) newline = bytes.indexOf(NEWLINE, inner);
      if (list >= 0 && list < inner) list = bytes.indexOf(LIST, inner);
      const isWhole = (newline < 0 || newline >= end) && (list < 0 || list >= end || everyListEnds(bytes, list, end));
      if (isWhole && (passed > 0 || this.#splitter.isBetween) && !places.isWithin(from, end)) passed += 1;
      else {
        pass();
        this.#split(bytes.subarray(from, end));
      }
      from = end;
    }
    pass();
    return from;
  }

  #goOnPlainly(): void {
    this.#isPlain = true;
    this.#split(this.#held);
    this.#held = Buffer.alloc(0);
  }

  /** `undefined`: the file has ended. */
  #split(bytes: Buffer | undefined): void {
    this.#found.push(...(bytes === undefined ? this.#splitter.end() : this.#splitter.push(bytes)));
  }
}

function separatorOf(bytes: Buffer): Separator | undefined {
  const match = HEAD.exec(bytes.toString('utf8', 0, HEAD_BYTES));
  if (match === null) return undefined;
  const isLine = match[1] === undefined;
  const text = Buffer.from(`}${isLine ? '\n' : ','}{${match[2]}`);
  return { bytes: text, anchor: text.subarray(0, ANCHOR_BYTES), isLine };
}

function find({ bytes: wanted, anchor }: Separator, bytes: Buffer, from: number): number {
  let at = bytes.indexOf(anchor, from);
  while (at >= 0 && !isAt(wanted, bytes, at)) at = bytes.indexOf(anchor, at + 1);
  return at;
}

function isAt(wanted: Buffer, bytes: Buffer, at: number): boolean {
  for (let index = wanted.length - 1; index >= 0; index -= 1) if (bytes[at + index] !== wanted[index]) return false;
  return true;
}

/**
 * Whether each list that a bracket in `from` to before `to` may open is closed before `to`. A bracket that may stand in a string is
 * taken for one that opens a list as well: then the answer may be no where it should be yes, never the other way round.
 */
function everyListEnds(bytes: Buffer, from: number, to: number): boolean {
  let count = 0;
  for (let list = from; list >= 0 && list < to;) {
    count += 1;
    if (count > MOST_LISTS) return false;
    const end = listEnd(bytes, list, to);
    if (end === undefined) return false;
    // Those within a list that is one have been followed with it.
    list = bytes.indexOf(LIST, isMember(bytes, list) ? end : list + 1);
  }
  return true;
}

/** Behind a list that may begin there; in front of what shows that it stands in a string; undefined: it is not closed. */
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
  if (list < 3 || bytes[list - 1] !== COLON || bytes[list - 2] !== QUOTE) return false;
  const letter = (bytes[list - 3] as number) | 0x20;
  return letter >= 0x61 && letter <= 0x7a;
}

/** What stands in strings alone: all but brackets, commas, colons, quotation marks, spaces, numbers, true, false and null. */
const NOT_IN_STRUCTURE = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[[\]{},:"\s\d.+\-eEtrufalsn]/.test(String.fromCharCode(byte)) ? 0 : 1,
);
