import { instantOf } from '../instant-of.ts';
import type { Page, SourceRecord } from '../source.ts';
import type { WrittenLines } from './line-writer.ts';

const MAX_RECORDS = 1_000;
/** As texts, times are in their order, as long as all are written in the same way. */
const BEYOND_TIMES = '3';
/** Of the records' text. */
const MAX_CHARACTERS = 500_000;

/** Collects records, of several files where these are small, until they make a page. */
export class PageBuilder {
  readonly #most: number;
  #records: SourceRecord[] = [];
  #characters = 0;
  #bytes = 0;
  #newest = '';

  /** `most`: records after which no more are wanted. */
  constructor(most: number) {
    this.#most = Math.min(most, MAX_RECORDS);
  }

  get isEmpty(): boolean {
    return this.#records.length === 0 && this.#bytes === 0;
  }

  /** True where the page is full. */
  add(record: SourceRecord, characters: number): boolean {
    this.#records.push(record);
    const { timestamp } = record.added;
    if (typeof timestamp === 'string') this.#happened(timestamp);
    this.#characters += characters;
    return this.#records.length >= this.#most || this.#characters >= MAX_CHARACTERS;
  }

  /** `copied`: rows beside those records. */
  take(copied?: WrittenLines): Page {
    if (copied !== undefined) this.#happened(copied.newest);
    const newest = instantOf(this.#newest);
    const page = { records: this.#records, copied, bytes: this.#bytes, ...(newest !== undefined && { newest }) };
    this.#newest = '';
    this.#records = [];
    this.#characters = 0;
    this.#bytes = 0;
    return page;
  }

  /** The same chunks, their bytes counted as read for the page. */
  async *counting(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      this.#bytes += chunk.length;
      yield chunk;
    }
  }

  #happened(time: string): void {
    if (time > this.#newest && time < BEYOND_TIMES) this.#newest = time;
  }
}
