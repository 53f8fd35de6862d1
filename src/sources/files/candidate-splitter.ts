import type { ByteFilter, Places } from './byte-filter.ts';
import { END_OF_LIST, LIST, NEWLINE, OBJECT, END_OF_OBJECT, QUOTE, BACKSLASH } from './json-bytes.ts';
import { RecordSplitter } from './record-splitter.ts';
import type { Passed, Split } from './split.ts';

/** How a file begins whose records all begin with the same key, one right after the other or one a line. */
const HEAD = /^\uFEFF?\s*((?:\{\s*"[A-Za-z]+"\s*:\s*)?\[\s*)?\{("[A-Za-z]+":)/;
const HEAD_BYTES = 1024;
/** A file in which so many bytes have no second record has none like the first. */
const LONGEST_PIECE = 1024 * 1024;
/** Lists in one record: each is followed to its end. */
const MOST_LISTS = 64;

/** From the end of a record to behind the first key of the next one. */
interface Separator {
  readonly bytes: Buffer;
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
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = bytes;
    if (this.#separator === undefined) {
      if (bytes.length < HEAD_BYTES) return this.#found;
      this.#separator = separatorOf(bytes);
      this.#places = this.#filter.places(bytes);
    }
    this.#held = this.#separator === undefined ? bytes : bytes.subarray(this.#pieces(bytes, this.#separator));
    if (this.#separator === undefined || this.#held.length > LONGEST_PIECE) this.#goOnPlainly();
    return this.#found;
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
      const end = bytes.indexOf(separator.bytes, from) + 1;
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
  return { bytes: Buffer.from(`}${isLine ? '\n' : ','}{${match[2]}`), isLine };
}

/**
 * Whether each list that a bracket in `from` to before `to` may open is closed before `to`. A bracket that stands in a string
 * is taken for one that opens a list as well: then the answer may be no where it should be yes, never the other way round.
 */
function everyListEnds(bytes: Buffer, from: number, to: number): boolean {
  let count = 0;
  for (let list = from; list >= 0 && list < to; list = bytes.indexOf(LIST, list + 1)) {
    count += 1;
    if (count > MOST_LISTS || !endsBefore(bytes, list, to)) return false;
  }
  return true;
}

function endsBefore(bytes: Buffer, from: number, to: number): boolean {
  let depth = 0;
  let isString = false;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at];
    if (isString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) isString = false;
    } else if (byte === QUOTE) isString = true;
    else if (byte === LIST || byte === OBJECT) depth += 1;
    else if (byte === END_OF_LIST || byte === END_OF_OBJECT) {
      depth -= 1;
      if (depth === 0) return true;
    }
  }
  return false;
}
