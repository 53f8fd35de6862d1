import { HeldBytes } from './held-bytes.ts';
import { COMMA, END_OF_LIST, LIST, NEWLINE, NINE, OBJECT, RETURN, SPACE, TAB, ZERO } from './json-bytes.ts';
import { ObjectScanner } from './object-scanner.ts';
import type { Split } from './split.ts';

/** A record in CloudTrail has up to 256 KB, an event in EventBridge 1 MB. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;
const MAX_TIME_BYTES = 40;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

/**
 * Finds records in a file's bytes, chunk by chunk, and holds one record at most: objects that stand by themselves (one a
 * line, pretty-printed, one after the other), elements of a list, and elements of `Records` or `Events` in any of these.
 * Looks at strings, escapes and nesting only; whether a record is JSON, its parser says.
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
  /** The list of an object's records is open. */
  #inRecords = false;
  #element: 'first' | 'after comma' | 'ended' = 'first';

  /** The object that has begun, or the time before it. */
  #startLine = 1;
  #time: string | undefined;
  readonly #held = new HeldBytes();
  readonly #scanner = new ObjectScanner();
  /** Its list of records has been read: it is no record itself. */
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

  /** As `push`, up to behind the first record that ends there; `take` gives what was found. Returns where it has come. */
  pushRecord(chunk: Buffer, from: number): number {
    let at = from;
    do at = this.#step(chunk, at);
    while (at < chunk.length && !this.isBetween);
    return at;
  }

  take(): readonly Split[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  /** A record has just ended, and what separates it from the next one has not been read. */
  get isBetween(): boolean {
    return this.separator !== undefined;
  }

  /** What is to follow the record that has just ended, where another one follows. */
  get separator(): typeof COMMA | typeof NEWLINE | undefined {
    if (this.#place === 'list') return this.#element === 'ended' ? COMMA : undefined;
    return this.#place === 'outside' && this.#endedWithin === this.#line ? NEWLINE : undefined;
  }

  /** Between two records: others follow that nobody wants, `lines` of them each after a newline, the rest on this line. */
  pass(lines: number): void {
    if (lines === 0) return;
    this.#linewise = true;
    this.#line += lines;
    this.#endedWithin = this.#line;
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
    this.#held.hold(chunk.subarray(from, at), MAX_TIME_BYTES);
    if (at === chunk.length && !this.#held.oversized) return at;
    const time = this.#held.take().toString('latin1').trim();
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
    for (let at = from; ; at = this.#scanner.at) {
      const stop = this.#scanner.scan(chunk, at);
      const { at: stopped } = this.#scanner;
      if ((stop === 'chunk' || stop === 'end') && !this.#container) {
        this.#held.hold(chunk.subarray(from, stopped), MAX_RECORD_BYTES);
      }
      switch (stop) {
        case 'chunk':
          return stopped;
        case 'end':
          this.#end();
          return stopped;
        case 'line':
          this.#newline();
          if (this.#place !== 'object') return stopped;
          break;
        case 'open string':
          this.#openString();
          return stopped;
        case 'list':
          this.#openRecords();
          return stopped;
      }
    }
  }

  #openString(): void {
    if (this.#inList || this.#inRecords) this.#lose('a string is not closed', this.#line);
    else {
      this.#malformed('a string is not closed', this.#line, false);
      this.#line += 1;
      this.#leaveList();
    }
  }

  #begin(time: string | undefined): void {
    this.#place = 'object';
    this.#time = time;
    this.#startLine = this.#line;
    this.#container = false;
    this.#scanner.begin(!this.#inRecords);
  }

  /** The object has been read to its end. */
  #end(): void {
    const isOversized = this.#held.oversized;
    const bytes = this.#held.take();
    if (isOversized) {
      this.#malformed(`a record is longer than ${MAX_RECORD_BYTES >> 20} MB`, this.#startLine, false);
    } else if (!this.#container) {
      const { namesList } = this.#scanner;
      this.#found.push({ kind: 'record', bytes, line: this.#startLine, time: this.#time, namesList });
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
    this.#held.take();
    this.#containerLine = this.#startLine;
    this.#inRecords = true;
    this.#element = 'first';
    this.#place = 'list';
  }

  #resumeContainer(): void {
    this.#inRecords = false;
    this.#begin(undefined);
    this.#startLine = this.#containerLine;
    this.#container = true;
    this.#scanner.resume();
  }

  /** Back to the file's own level. */
  #leaveList(): void {
    this.#held.take();
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

  #malformed(reason: string, line: number, rest: boolean): void {
    this.#found.push({ kind: 'malformed', line, reason, rest });
  }

  #skipLine(reason: string): void {
    this.#malformed(reason, this.#line, false);
    this.#place = 'skipped line';
  }

  #lose(reason: string, line: number): void {
    this.#malformed(reason, line, true);
    this.#held.take();
    this.#place = 'lost';
  }
}
