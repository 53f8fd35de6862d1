import type { FilteredLogEvent } from '../clients/logs.ts';

/**
 * A page of FilterLogEvents as it came. Many are on their way at once; parsed they would be ten times as large, so each
 * is parsed when its turn comes, a piece after the other, and what must be known before is found in its bytes.
 *
 * A quotation mark within a JSON string has a backslash before it, so that `"name":` is found as a member's name alone.
 */
export class RawPage {
  #body: Buffer;
  /** Of the body, as received. */
  readonly bytes: number;
  readonly nextToken: string | undefined;

  /** Throws SyntaxError for what is no such answer, as far as that can be seen here. */
  constructor(body: Buffer) {
    this.#body = body;
    this.bytes = body.length;
    if (body.at(0) !== BRACE || body.at(-1) !== CLOSING_BRACE) parse(body);
    this.nextToken = this.#token();
  }

  /**
   * Some at a time: a text of a megabyte and all that is parsed of it would outlive V8's young generation. To be asked for
   * once: the body is let go of. Throws SyntaxError.
   */
  *events(): Generator<readonly FilteredLogEvent[], void, undefined> {
    const body = this.#body;
    this.#body = Buffer.alloc(0);
    try {
      yield* eventsOf(body);
    } finally {
      release(body);
    }
  }

  /** Timestamps of its first and its last event, in milliseconds; undefined where it has none. */
  span(): { readonly first: number; readonly last: number } | undefined {
    const first = this.#numberAfter(this.#body.indexOf(TIMESTAMP));
    const last = this.#numberAfter(this.#body.lastIndexOf(TIMESTAMP));
    return first === undefined || last === undefined ? undefined : { first, last };
  }

  #numberAfter(position: number): number | undefined {
    if (position < 0) return undefined;
    const start = position + TIMESTAMP.length;
    const [digits] = /^\s*\d+/.exec(this.#body.toString('latin1', start, start + 24)) ?? [];
    return digits === undefined ? undefined : Number(digits);
  }

  #token(): string | undefined {
    const position = this.#body.indexOf('"nextToken"');
    if (position < 0) return undefined;
    const { nextToken } = this.#tokenAt(position + 11) ?? parse(this.#body);
    return typeof nextToken === 'string' && nextToken !== '' ? nextToken : undefined;
  }

  #tokenAt(position: number): { readonly nextToken: unknown } | undefined {
    const text = this.#body.toString('utf8', position, position + LONGEST_TOKEN);
    const [, value] = /^\s*:\s*(null|"(?:[^"\\]|\\.)*")/.exec(text) ?? [];
    return value === undefined ? undefined : { nextToken: JSON.parse(value) as unknown };
  }
}

/**
 * Cut where one event ends and the next begins, as far as a search for bytes tells. What looks so within a string, or where
 * the answer is laid out otherwise, gives a piece that is no JSON: what is left then comes as a whole.
 */
function* eventsOf(body: Buffer): Generator<readonly FilteredLogEvent[], void, undefined> {
  const list = body.indexOf(LIST) + LIST.length;
  const end = endOf(body, list);
  let count = 0;
  for (let from = list; from >= LIST.length;) {
    const next = body.indexOf(BETWEEN, from + PIECE_BYTES);
    const to = next < 0 || next >= end ? end : next + 1;
    const events = tryParse(`[${body.toString('utf8', from, to)}]`);
    if (events === undefined) break;
    count += events.length;
    yield events;
    from = to + 1;
    if (to < end) continue;
    // What stands around the events.
    parse(Buffer.concat([body.subarray(0, list), body.subarray(end)]));
    return;
  }
  const { events = [] } = parse(body);
  if (!Array.isArray(events)) throw new SyntaxError('no list of events');
  yield (events as readonly FilteredLogEvent[]).slice(count);
}

/** Where the list of events is closed, if nothing else looks so. */
function endOf(body: Buffer, list: number): number {
  const followed = body.indexOf(END_FOLLOWED, list);
  return followed >= 0 ? followed + 1 : body.length - END.length + 1;
}

function tryParse(text: string): readonly FilteredLogEvent[] | undefined {
  try {
    return JSON.parse(text) as readonly FilteredLogEvent[];
  } catch {
    return undefined;
  }
}

function parse(body: Buffer): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(body.toString('utf8'));
  if (typeof value !== 'object' || value === null) throw new SyntaxError('not an object');
  return value as Record<string, unknown>;
}

/**
 * A body that had to wait for its turn has outlived V8's young generation, and would be kept until the process has grown
 * by tens of megabytes. What it is moved into is young, and goes with the next collection. A small one may stand in a
 * pool with others.
 */
function release({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength && byteLength > 0) {
    structuredClone(buffer, { transfer: [buffer] });
  }
}

const BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const TIMESTAMP = '"timestamp":';
const LONGEST_TOKEN = 16_384;
const LIST = '"events":[';
const BETWEEN = '},{"';
const END_FOLLOWED = '}],"';
const END = '}]}';
/** A text from 128 KB on is a large object to V8, which is never young for long. */
const PIECE_BYTES = 64 * 1024;
