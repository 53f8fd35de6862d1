import { instantOf } from '../instant-of.ts';
import type { Page, SourceRecord } from '../source.ts';
import { joinedLines, type WrittenLines } from './line-writer.ts';

const MAX_RECORDS = 1_000;
/** As texts, times are in their order, as long as all are written in the same way. */
const BEYOND_TIMES = '3';
/** Of the records' text. */
const MAX_CHARACTERS = 500_000;
/** Of written rows. */
const MAX_COPIED = 256 * 1024;
/** Of files, as they are stored: who waits wants to hear of it. */
const MAX_STORED = 16 * 1024 * 1024;

/** Collects records and written rows, of several files where these are small, until they make a page. */
export class PageBuilder {
  readonly #most: number;
  #records: SourceRecord[] = [];
  #characters = 0;
  #copied: WrittenLines[] = [];
  #copiedBytes = 0;
  #stored = 0;
  #newest = '';

  /** `most`: records after which no more are wanted. */
  constructor(most: number) {
    this.#most = Math.min(most, MAX_RECORDS);
  }

  get isEmpty(): boolean {
    return this.#records.length === 0 && this.#copied.length === 0 && this.#stored === 0;
  }

  /** True where the page is full. */
  add(record: SourceRecord, characters: number): boolean {
    this.#records.push(record);
    const { timestamp } = record.added;
    if (typeof timestamp === 'string') this.#happened(timestamp);
    this.#characters += characters;
    return this.#records.length >= this.#most || this.#characters >= MAX_CHARACTERS;
  }

  /** `stored`: bytes that were read for it. True where the page is full. */
  addBytes(stored: number, copied: WrittenLines | undefined): boolean {
    this.#stored += stored;
    if (copied !== undefined) {
      this.#copied.push(copied);
      this.#copiedBytes += copied.bytes.length;
      this.#happened(copied.newest);
    }
    return this.#copiedBytes >= MAX_COPIED || this.#stored >= MAX_STORED;
  }

  take(): Page {
    const newest = instantOf(this.#newest);
    const page = {
      records: this.#records,
      copied: joinedLines(this.#copied),
      bytes: this.#stored,
      ...(newest !== undefined && { newest }),
    };
    this.#newest = '';
    this.#records = [];
    this.#characters = 0;
    this.#copied = [];
    this.#copiedBytes = 0;
    this.#stored = 0;
    return page;
  }

  #happened(time: string): void {
    if (time > this.#newest && time < BEYOND_TIMES) this.#newest = time;
  }
}
