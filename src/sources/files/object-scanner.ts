import { BACKSLASH, COLON, COMMA, END_OF_LIST, END_OF_OBJECT, LIST, NEWLINE, OBJECT, QUOTE } from './json-bytes.ts';

/**
 * Why a scan came to a stop: behind the chunk's last byte, the object's own, a newline, a newline within a string (which
 * JSON has none of), or the bracket that opens a list of records.
 */
export type Stop = 'chunk' | 'end' | 'line' | 'open string' | 'list';

/** Keys whose lists hold the records: of CloudTrail's own files, and of what `aws cloudtrail lookup-events` prints. */
export const LISTS: ReadonlySet<string> = new Set(['Records', 'Events']);
const LONGEST = Math.max(...[...LISTS].map(({ length }) => length));

/** Follows one object through its chunks: strings, escapes, nesting and its own keys. Runs for every byte of a file. */
export class ObjectScanner {
  #at = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #mayHoldRecords = false;
  /** Of the object's own keys, where a list of records may follow one. */
  #key: 'awaited' | 'within' | 'ended' | 'names a list' | 'passed' = 'passed';
  #name = '';
  #namesList = false;

  /** One of its own keys is such a key. */
  get namesList(): boolean {
    return this.#namesList;
  }

  /** Where the last scan stopped. */
  get at(): number {
    return this.#at;
  }

  /** Before the object's first byte. What stands among records is a record, whatever keys it has. */
  begin(mayHoldRecords: boolean): void {
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    this.#key = 'passed';
    this.#mayHoldRecords = mayHoldRecords;
    this.#namesList = false;
  }

  /** Behind its list of records. */
  resume(): void {
    this.begin(true);
    this.#depth = 1;
  }

  scan(chunk: Buffer, from: number): Stop {
    const { length } = chunk;
    let at = from;
    while (at < length) {
      if (this.#inString) {
        const stop = this.#string(chunk, at);
        if (stop !== undefined) return stop;
        at = this.#at;
        continue;
      }
      const byte = chunk[at] as number;
      at += 1;
      switch (byte) {
        case QUOTE:
          this.#inString = true;
          if (this.#key === 'awaited') {
            this.#key = 'within';
            this.#name = '';
          } else if (this.#key === 'names a list') this.#key = 'passed';
          break;
        case LIST:
          if (this.#key === 'names a list') return this.#stop('list', at);
          this.#depth += 1;
          break;
        case OBJECT:
          this.#depth += 1;
          this.#key = this.#depth === 1 && this.#mayHoldRecords ? 'awaited' : 'passed';
          break;
        case END_OF_LIST:
        case END_OF_OBJECT:
          this.#depth -= 1;
          if (this.#depth === 0) return this.#stop('end', at);
          break;
        case COMMA:
          if (this.#depth === 1 && this.#mayHoldRecords) this.#key = 'awaited';
          break;
        case COLON:
          if (this.#depth > 1) break;
          this.#key = this.#key === 'ended' && LISTS.has(this.#name) ? 'names a list' : 'passed';
          if (this.#key === 'names a list') this.#namesList = true;
          break;
        case NEWLINE:
          return this.#stop('line', at);
      }
    }
    return this.#stop('chunk', at);
  }

  /** Up to behind its quotation mark; undefined where it is closed. */
  #string(chunk: Buffer, from: number): Stop | undefined {
    const { length } = chunk;
    let at = from;
    if (this.#escaped && at < length) {
      this.#escaped = false;
      at += 1;
    }
    while (at < length) {
      const byte = chunk[at] as number;
      at += 1;
      if (byte === QUOTE) {
        this.#inString = false;
        if (this.#key === 'within') this.#key = 'ended';
        this.#at = at;
        return undefined;
      }
      if (byte === BACKSLASH) {
        // None of the keys has one.
        this.#key = 'passed';
        if (at === length) this.#escaped = true;
        at += 1;
      } else if (byte === NEWLINE) return this.#stop('open string', at);
      else if (this.#key === 'within' && this.#name.length <= LONGEST) this.#name += String.fromCharCode(byte);
    }
    return this.#stop('chunk', length);
  }

  #stop(stop: Stop, at: number): Stop {
    this.#at = at;
    return stop;
  }
}
