/** One JSON object of a file, cut out by its bytes alone: not parsed yet. */
export interface SplitRecord {
  readonly kind: 'record';
  readonly bytes: Buffer;
  /** Where it begins, from 1. */
  readonly line: number;
  /** What stands before it in a line of CloudWatch Logs' export: `2026-11-21T20:00:00.000Z`. */
  readonly time: string | undefined;
}

/** A place where no record can be found. */
export interface Malformed {
  readonly kind: 'malformed';
  readonly line: number;
  /** In lower case, without a full stop. */
  readonly reason: string;
  /** Nothing after it is read, as nobody can tell where the next record begins. */
  readonly rest: boolean;
}

export type Split = SplitRecord | Malformed;

/** A record in CloudTrail has up to 256 KB, an event in EventBridge 1 MB. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;
const MAX_TIME_BYTES = 40;

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const LIST = 0x5b;
const BACKSLASH = 0x5c;
const END_OF_LIST = 0x5d;
const OBJECT = 0x7b;
const END_OF_OBJECT = 0x7d;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');
const RECORDS = Buffer.from('Records');

/**
 * Finds records in a file's bytes, chunk by chunk, and holds one record at most: objects that stand by themselves (one a
 * line, pretty-printed, one after the other), elements of a list, and elements of `Records` in any of these. Looks at
 * strings, escapes and nesting only; whether a record is JSON, its parser says.
 */
export class RecordSplitter {
  #place: 'outside' | 'time' | 'list' | 'object' | 'skipped line' | 'lost' = 'outside';
  #found: Split[] = [];
  #line = 1;
  /** Bytes of a byte order mark that have been passed over. */
  #mark = 0;
  /** An object ended with its line, as all do then: a line that ends within an object is broken. */
  #linewise = false;
  #endedWithin = 0;

  /** A list is open at the file's own level. */
  #inList = false;
  /** The list of an object's Records is open. */
  #inRecords = false;
  #element: 'first' | 'after comma' | 'ended' = 'first';

  /** The object that has begun, or the time before it. */
  #startLine = 1;
  #time: string | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #oversized = false;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Of the object's own keys: where a key equals `Records` so far, its list may follow. */
  #key: 'awaited' | 'within' | 'Records' | 'Records:' | 'passed' = 'passed';
  #equal = 0;
  /** Its Records have been read: it is no record itself. */
  #container = false;
  #containerLine = 1;

  /** The line that has been reached. */
  get line(): number {
    return this.#line;
  }

  push(chunk: Buffer): readonly Split[] {
    this.#found = [];
    let at = 0;
    while (at < chunk.length) at = this.#step(chunk, at);
    return this.#found;
  }

  /** The file has ended. */
  end(): readonly Split[] {
    this.#found = [];
    if (this.#place === 'object' || this.#place === 'time')
      this.#lose('the file ends within a record', this.#startLine);
    else if (this.#place === 'list') this.#lose('the file ends within a list of records', this.#line);
    return this.#found;
  }

  #step(chunk: Buffer, at: number): number {
    switch (this.#place) {
      case 'outside':
        return this.#outside(chunk, at);
      case 'time':
        return this.#inTime(chunk, at);
      case 'list':
        return this.#list(chunk, at);
      case 'object':
        return this.#object(chunk, at);
      case 'skipped line': {
        const end = chunk.indexOf(NEWLINE, at);
        if (end < 0) return chunk.length;
        this.#place = 'outside';
        return end;
      }
      case 'lost':
        return chunk.length;
    }
  }

  #outside(chunk: Buffer, at: number): number {
    const byte = chunk[at] as number;
    if (byte === BYTE_ORDER_MARK[this.#mark]) {
      this.#mark = (this.#mark + 1) % BYTE_ORDER_MARK.length;
      return at + 1;
    }
    this.#mark = 0;
    switch (byte) {
      case NEWLINE:
        if (this.#endedWithin === this.#line) this.#linewise = true;
        this.#line += 1;
        return at + 1;
      case SPACE:
      case TAB:
      case RETURN:
        return at + 1;
      case OBJECT:
        this.#begin(undefined);
        return at;
      case LIST:
        this.#inList = true;
        this.#element = 'first';
        this.#place = 'list';
        return at + 1;
      default:
        if (byte >= ZERO && byte <= NINE) this.#place = 'time';
        else this.#skipLine('it is no JSON object');
        return at;
    }
  }

  /** `2026-11-21T20:00:00.000Z {…}` */
  #inTime(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length && chunk[at] !== OBJECT && chunk[at] !== NEWLINE) at += 1;
    this.#hold(chunk.subarray(from, at), MAX_TIME_BYTES);
    if (at === chunk.length && !this.#oversized) return at;
    const time = this.#take().toString('latin1').trim();
    if (at < chunk.length && chunk[at] === OBJECT && TIME.test(time)) this.#begin(time);
    else this.#skipLine('it is no JSON object');
    return at;
  }

  /** Between the elements of a list. */
  #list(chunk: Buffer, at: number): number {
    switch (chunk[at] as number) {
      case NEWLINE:
        this.#newline();
        return at + 1;
      case SPACE:
      case TAB:
      case RETURN:
        return at + 1;
      case OBJECT:
        if (this.#element === 'ended') break;
        this.#begin(undefined);
        return at;
      case COMMA:
        if (this.#element !== 'ended') break;
        this.#element = 'after comma';
        return at + 1;
      case END_OF_LIST:
        if (this.#element === 'after comma') break;
        if (this.#inRecords) this.#resumeContainer();
        else this.#leaveList();
        return at + 1;
      default:
        break;
    }
    this.#lose('the list of records holds something else', this.#line);
    return at;
  }

  #object(chunk: Buffer, from: number): number {
    const { length } = chunk;
    let at = from;
    while (at < length) {
      if (this.#inString) {
        at = this.#string(chunk, at);
        if (this.#place !== 'object') return at;
        continue;
      }
      const byte = chunk[at] as number;
      at += 1;
      switch (byte) {
        case QUOTE:
          this.#inString = true;
          if (this.#key === 'awaited') {
            this.#key = 'within';
            this.#equal = 0;
          } else if (this.#key === 'Records:') this.#key = 'passed';
          break;
        case LIST:
          if (this.#key === 'Records:') {
            this.#openRecords();
            return at;
          }
          this.#depth += 1;
          break;
        case OBJECT:
          this.#depth += 1;
          // What stands among Records is a record, whatever keys it has.
          this.#key = this.#depth === 1 && !this.#inRecords ? 'awaited' : 'passed';
          break;
        case END_OF_LIST:
        case END_OF_OBJECT:
          this.#depth -= 1;
          if (this.#depth > 0) break;
          if (!this.#container) this.#hold(chunk.subarray(from, at));
          this.#end();
          return at;
        case COMMA:
          if (this.#depth === 1 && !this.#inRecords) this.#key = 'awaited';
          break;
        case COLON:
          if (this.#depth === 1) this.#key = this.#key === 'Records' ? 'Records:' : 'passed';
          break;
        case NEWLINE:
          this.#newline();
          if (this.#place !== 'object') return at;
          break;
      }
    }
    if (!this.#container) this.#hold(chunk.subarray(from));
    return at;
  }

  /** Up to behind its quotation mark. */
  #string(chunk: Buffer, from: number): number {
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
        if (this.#key === 'within') this.#key = this.#equal === RECORDS.length ? 'Records' : 'passed';
        return at;
      }
      if (byte === BACKSLASH) {
        this.#equal = -1;
        if (at === length) this.#escaped = true;
        at += 1;
      } else if (byte === NEWLINE) {
        if (this.#inList || this.#inRecords) this.#lose('a string is not closed', this.#line);
        else {
          this.#malformed('a string is not closed', this.#line, false);
          this.#line += 1;
          this.#leaveList();
        }
        return at;
      } else if (this.#key === 'within') this.#equal = byte === RECORDS[this.#equal] ? this.#equal + 1 : -1;
    }
    return length;
  }

  #begin(time: string | undefined): void {
    this.#place = 'object';
    this.#time = time;
    this.#startLine = this.#line;
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    this.#key = 'passed';
    this.#container = false;
  }

  /** The object has been read to its end. */
  #end(): void {
    const isOversized = this.#oversized;
    const bytes = this.#take();
    if (isOversized) {
      this.#malformed(`a record is longer than ${MAX_RECORD_BYTES >> 20} MB`, this.#startLine, false);
    } else if (!this.#container) {
      this.#found.push({ kind: 'record', bytes, line: this.#startLine, time: this.#time });
    }
    if (this.#inList || this.#inRecords) {
      this.#place = 'list';
      this.#element = 'ended';
    } else {
      this.#place = 'outside';
      this.#endedWithin = this.#startLine === this.#line ? this.#line : 0;
    }
  }

  #openRecords(): void {
    this.#take();
    this.#containerLine = this.#startLine;
    this.#inRecords = true;
    this.#element = 'first';
    this.#place = 'list';
  }

  #resumeContainer(): void {
    this.#inRecords = false;
    this.#begin(undefined);
    this.#startLine = this.#containerLine;
    this.#depth = 1;
    this.#container = true;
  }

  /** Back to the file's own level. */
  #leaveList(): void {
    this.#take();
    this.#inList = false;
    this.#inRecords = false;
    this.#place = 'outside';
  }

  /** Within a value. */
  #newline(): void {
    const line = this.#line;
    this.#line += 1;
    if (!this.#linewise || this.#inList) return;
    this.#malformed('the line ends within a record', line, false);
    this.#leaveList();
  }

  #hold(bytes: Buffer, most = MAX_RECORD_BYTES): void {
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > most) this.#held = [];
    else if (bytes.length > 0) this.#held.push(bytes);
    this.#oversized = this.#heldBytes > most;
  }

  #take(): Buffer {
    const [first, ...others] = this.#held;
    const bytes = first !== undefined && others.length === 0 ? first : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    this.#oversized = false;
    return bytes;
  }

  #malformed(reason: string, line: number, rest: boolean): void {
    this.#found.push({ kind: 'malformed', line, reason, rest });
  }

  #skipLine(reason: string): void {
    this.#malformed(reason, this.#line, false);
    this.#place = 'skipped line';
  }

  #lose(reason: string, line: number): void {
    this.#malformed(reason, line, true);
    this.#take();
    this.#place = 'lost';
  }
}
