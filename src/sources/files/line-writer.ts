import { isUtf8 } from 'node:buffer';
import type { CopiedRows } from '../source.ts';
import { EVENT_FIELDS } from '../trail-record.ts';
import { BACKSLASH, NINE, OBJECT, LIST, QUOTE, ZERO } from './json-bytes.ts';
import type { LineColumn, LinePlan, Place } from './line-plan.ts';
import { RecordExtractor } from './record-extractor.ts';

/** Rows, and when the newest of their events happened: its eventTime, empty where none has one. */
export interface WrittenLines extends CopiedRows {
  readonly newest: string;
}

/** One after the other; undefined: none are given. */
export function joinedLines(written: readonly WrittenLines[]): WrittenLines | undefined {
  const [first, ...others] = written;
  if (first === undefined || others.length === 0) return first;
  return {
    bytes: Buffer.concat(written.map(({ bytes }) => bytes)),
    rows: written.reduce((sum, { rows }) => sum + rows, 0),
    newest: written.reduce((newest, one) => (one.newest > newest ? one.newest : newest), ''),
  };
}

const FIRST_BYTES = 64 * 1024;
const TABULATOR = 0x09;
const LINE_END = 0x0a;
const NULL = Buffer.from('\\N');
const NULL_VALUE = 0x6e; // null
const FALSE_VALUE = 0x66;
const TRUE_VALUE = 0x74;
/** `2026-11-21T20:00:00Z` in quotation marks. */
const TIME_BYTES = 22;
const TIME = Buffer.from('"0000-00-00T00:00:00Z"');
/** Of numbers with so many digits JavaScript's text is the same. */
const EXACT_DIGITS = 15;
/** Where a record's line has a number. */
const MOST_DIGITS = 20;
/** In the place of a text that COPY would read otherwise. */
const SPECIAL = /[\\\t\n\r\0]/;
const THIRTY_DAYS: ReadonlySet<number> = new Set([4, 6, 9, 11]);

interface WrittenColumn {
  readonly kind: LineColumn['kind'];
  readonly type: 'text' | 'boolean' | 'time' | undefined;
  /** What of a place it has. */
  readonly place: string | undefined;
  added: Buffer;
}

/**
 * Writes rows out of records' bytes, as they would be written of what JSON.parse makes of them. What is not the same by its bytes
 * alone (an escape, a fraction, a time of another form) is not taken, nor what is no event: such a record is to be parsed.
 */
export class LineWriter {
  readonly #columns: readonly WrittenColumn[];
  readonly #leaves: Int32Array;
  readonly #extractor: RecordExtractor;
  #addedBytes = 0;
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;
  #rows = 0;
  readonly #newest = Buffer.alloc(TIME_BYTES - 2);

  constructor(plan: LinePlan) {
    const paths = new Map<string, readonly string[]>(EVENT_FIELDS.map((name) => [name, [name]]));
    for (const column of plan) if (column.kind === 'value') paths.set(column.path.join('.'), column.path);
    const names = [...paths.keys()];
    this.#extractor = new RecordExtractor([...paths.values()]);
    this.#leaves = Int32Array.from(plan, (column) =>
      column.kind === 'value' ? names.indexOf(column.path.join('.')) : -1,
    );
    this.#columns = plan.map((column) => ({
      kind: column.kind,
      type: column.kind === 'value' ? column.type : undefined,
      place: column.kind === 'added' ? column.name : undefined,
      added: NULL,
    }));
  }

  /** The same, for another file of which nothing is written yet; undefined where the place's texts are not COPY's as they are. */
  at(place: Place): this | undefined {
    this.#addedBytes = 1;
    for (const column of this.#columns) {
      const text = column.place === undefined ? undefined : place[column.place];
      if (text !== undefined && (SPECIAL.test(text) || !text.isWellFormed())) return undefined;
      column.added = text === undefined ? NULL : Buffer.from(text);
      this.#addedBytes += column.added.length + MOST_DIGITS;
    }
    this.#newest.fill(0);
    this.#length = 0;
    this.#rows = 0;
    return this;
  }

  /** Bytes that were written and not taken. */
  get length(): number {
    return this.#length;
  }

  /** Behind the record that begins at `at`, whose row is written then; -1: nothing was. `isText`: the bytes are UTF-8. */
  write(bytes: Buffer, at: number, line: number, isText: boolean): number {
    const end = this.#extractor.extract(bytes, at);
    const time = this.#extractor.starts[0] as number;
    if (time >= 0 && bytes[time] === QUOTE && !isTime(bytes, time, this.#extractor.ends[0] as number)) return -1;
    if (!this.#isEvent(bytes) || end < 0 || !(isText || isUtf8(bytes.subarray(at, end)))) return -1;
    const before = this.#length;
    this.#reserve();
    if (this.#row(bytes, line)) {
      this.#rows += 1;
      if (time >= 0 && bytes[time] === QUOTE) this.#happened(bytes, time + 1);
      return end;
    }
    this.#length = before;
    return -1;
  }

  /** What was written since it was last asked for. */
  take(): WrittenLines | undefined {
    if (this.#rows === 0) return undefined;
    const bytes = Uint8Array.prototype.slice.call(this.#bytes, 0, this.#length);
    const newest = this.#newest[0] === 0 ? '' : this.#newest.toString('latin1');
    const taken = { bytes, rows: this.#rows, newest };
    this.#newest.fill(0);
    this.#length = 0;
    this.#rows = 0;
    return taken;
  }

  #isEvent(bytes: Uint8Array): boolean {
    const { starts } = this.#extractor;
    for (let leaf = 0; leaf < EVENT_FIELDS.length; leaf += 1) {
      const at = starts[leaf] as number;
      if (at >= 0 && bytes[at] !== NULL_VALUE) return true;
    }
    return false;
  }

  /** Times that are written in the same way are in the order of their bytes. */
  #happened(bytes: Uint8Array, at: number): void {
    const newest = this.#newest;
    let index = 0;
    while (index < newest.length && bytes[at + index] === newest[index]) index += 1;
    if (index === newest.length || (bytes[at + index] as number) < (newest[index] as number)) return;
    for (; index < newest.length; index += 1) newest[index] = bytes[at + index] as number;
  }

  #row(bytes: Uint8Array, line: number): boolean {
    const { starts, ends } = this.#extractor;
    for (let index = 0; index < this.#columns.length; index += 1) {
      if (index > 0) this.#byte(TABULATOR);
      const { kind, type, added } = this.#columns[index] as WrittenColumn;
      if (kind === 'added') this.#put(added, 0, added.length);
      else if (kind === 'line') this.#length += this.#bytes.write(String(line), this.#length, 'latin1');
      else {
        const leaf = this.#leaves[index] as number;
        const from = starts[leaf] as number;
        if (from < 0 || bytes[from] === NULL_VALUE) this.#put(NULL, 0, NULL.length);
        else if (!this.#value(bytes, from, ends[leaf] as number, type)) return false;
      }
    }
    this.#byte(LINE_END);
    return true;
  }

  #value(bytes: Uint8Array, from: number, to: number, type: WrittenColumn['type']): boolean {
    const first = bytes[from] as number;
    if (first === OBJECT || first === LIST) return false;
    if (first === QUOTE) {
      if (type === 'time' && !isTime(bytes, from, to)) return false;
      if (type === 'boolean' && !isBoolean(bytes, from + 1, to - 1)) return false;
      return this.#text(bytes, from + 1, to - 1);
    }
    if (type === 'time') return false;
    const isFlag = first === TRUE_VALUE || first === FALSE_VALUE;
    if (!isFlag && (type === 'boolean' || !isWhole(bytes, from, to))) return false;
    this.#put(bytes, from, to);
    return true;
  }

  /** False where it has an escape. */
  #text(bytes: Uint8Array, from: number, to: number): boolean {
    const target = this.#bytes;
    let length = this.#length;
    for (let at = from; at < to; at += 1) {
      const byte = bytes[at] as number;
      if (byte === BACKSLASH) return false;
      target[length] = byte;
      length += 1;
    }
    this.#length = length;
    return true;
  }

  #put(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; at += 1) this.#byte(bytes[at] as number);
  }

  #byte(byte: number): void {
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }

  #reserve(): void {
    const { starts, ends } = this.#extractor;
    let needed = this.#length + this.#addedBytes;
    for (const leaf of this.#leaves)
      if (leaf >= 0) needed += Math.max(0, (ends[leaf] as number) - (starts[leaf] as number));
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(needed * 2);
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

function isWhole(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from > EXACT_DIGITS) return false;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] as number;
    if (byte < ZERO || byte > NINE) return false;
  }
  return true;
}

function isBoolean(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from > 5) return false;
  const text = String.fromCharCode(...bytes.subarray(from, to));
  return text === 'true' || text === 'false';
}

/** As CloudTrail writes it; each such one is a time for PostgreSQL. */
function isTime(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== TIME_BYTES) return false;
  for (let index = 0; index < TIME_BYTES; index += 1) {
    const expected = TIME[index] as number;
    const byte = bytes[from + index] as number;
    if (expected === ZERO ? byte < ZERO || byte > NINE : byte !== expected) return false;
  }
  const two = (at: number) => ((bytes[from + at] as number) - ZERO) * 10 + (bytes[from + at + 1] as number) - ZERO;
  const [month, day] = [two(6), two(9)];
  if (two(1) === 0 || month < 1 || month > 12 || day < 1 || day > 31) return false;
  if (day > 28 && (month === 2 || (day > 30 && THIRTY_DAYS.has(month)))) return false;
  return two(12) <= 23 && two(15) <= 59 && two(18) <= 59;
}
