import type { ByteFilter, Places } from '../byte-filter.ts';
import { NEWLINE } from './json-bytes.ts';
import { Lists } from './lists-in-bytes.ts';
import { RecordSplitter } from './record-splitter.ts';
import type { Passed, Skipped, Split } from './split.ts';

type Found = Split | Passed | Skipped;

/** How a file begins whose records all begin with the same key, one right after the other or one a line. */
const HEAD = /^\uFEFF?\s*((?:\{\s*"[A-Za-z]+"\s*:\s*)?\[\s*)?\{("[A-Za-z]+":)/;
const HEAD_BYTES = 1024;
/** A file in which so many bytes have no second record has none like the first. */
const LONGEST_PIECE = 1024 * 1024;
/** Most records end within so many. */
const BRIDGE_BYTES = 8 * 1024;
/** Node searches for so many bytes by way of the first one alone, which is the quickest. */
const ANCHOR_BYTES = 6;

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
  readonly #lists = new Lists();
  /** Undefined before the first bytes, and where every record is split. */
  #separator: Separator | undefined;
  #isPlain = false;
  /** Begins where a record has ended, or where the file begins. */
  #held: Buffer = Buffer.alloc(0);
  #found: Found[] = [];
  /** Of the file before those that are held. */
  #done = 0;

  constructor(filter: ByteFilter) {
    this.#filter = filter;
  }

  get line(): number {
    return this.#splitter.line;
  }

  push(chunk: Buffer): readonly Found[] {
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

  /** The records that are held, where the file cannot be read on. */
  release(): readonly Found[] {
    this.#found = [];
    this.#goOnPlainly();
    return this.#found;
  }

  end(): readonly Found[] {
    this.release();
    this.#split(undefined);
    return this.#found;
  }

  /** Returns up to where the bytes are done with. */
  #pieces(bytes: Buffer, separator: Separator): number {
    const places = this.#places as Places;
    places.begin(bytes);
    let passed = 0;
    let from = 0;
    /** Up to there, each record is looked at by itself. */
    let carefulTo = separator.isLine ? bytes.length : 0;
    let newline = bytes.indexOf(NEWLINE);
    const pass = () => {
      if (passed === 0) return;
      this.#splitter.pass(separator.isLine ? passed : 0);
      this.#found.push({ kind: 'passed', records: passed });
      passed = 0;
    };
    for (;;) {
      // What separates a piece from the one before it is its own first byte.
      const inner = from + 1;
      if (newline >= 0 && newline < inner) newline = bytes.indexOf(NEWLINE, inner);
      const isBetween = this.#splitter.isBetween;
      if (isBetween && from >= carefulTo) {
        const to = Math.min(places.next(from), newline < 0 ? bytes.length : newline);
        const lists = this.#lists.follow(bytes, inner, to);
        const last = lastOutside(separator, bytes, lists, from);
        carefulTo = lists.closedTo + 1;
        if (last === from) continue;
        pass();
        this.#found.push({ kind: 'skipped', bytes: this.#done + last });
        from = last;
        continue;
      }
      const end = find(separator, bytes, from) + 1;
      if (end === 0) break;
      const isPlain = (newline < 0 || newline >= end) && places.next(from) >= end;
      if (isPlain && isBetween && (separator.isLine || this.#isWhole(bytes, inner, end))) passed += 1;
      else {
        pass();
        this.#split(bytes.subarray(from, end));
      }
      from = end;
    }
    pass();
    this.#done += from;
    return from;
  }

  /** Whether a list that begins in a piece ends in it: else what ends the piece may separate elements of that list. */
  #isWhole(bytes: Buffer, from: number, end: number): boolean {
    const lists = this.#lists.follow(bytes, from, end);
    return lists.closedTo === end && lists.around(end) < 0;
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

/** Behind the last record before `lists.closedTo` that ends in none of the lists; `from` where none does. */
function lastOutside(separator: Separator, bytes: Buffer, lists: Lists, from: number): number {
  let before = lists.closedTo;
  for (;;) {
    const at = findLast(separator, bytes, from, before);
    const list = at < 0 ? -1 : lists.around(at + 1);
    if (list < 0) return at < 0 ? from : at + 1;
    before = list;
  }
}

function findLast({ bytes: wanted, anchor }: Separator, bytes: Buffer, from: number, before: number): number {
  let at = before - wanted.length;
  while (at >= from) {
    at = bytes.lastIndexOf(anchor, at);
    if (at < from) return -1;
    if (isAt(wanted, bytes, at)) return at;
    at -= 1;
  }
  return -1;
}
