import type { FilteredLogEvent } from '../clients/logs.ts';

/**
 * A page of FilterLogEvents as it came. Many are on their way at once; parsed they would be ten times as large, so each
 * is parsed when its turn comes, and what must be known before is found in its bytes.
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
    if (body.at(0) !== BRACE || body.at(-1) !== CLOSING_BRACE) this.#parse();
    this.nextToken = this.#token();
  }

  /** To be asked for once: the body is let go of. Throws SyntaxError. */
  events(): readonly FilteredLogEvent[] {
    const { events = [] } = this.#parse();
    release(this.#body);
    this.#body = Buffer.alloc(0);
    if (!Array.isArray(events)) throw new SyntaxError('no list of events');
    return events as readonly FilteredLogEvent[];
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
    const { nextToken } = this.#tokenAt(position + 11) ?? this.#parse();
    return typeof nextToken === 'string' && nextToken !== '' ? nextToken : undefined;
  }

  #tokenAt(position: number): { readonly nextToken: unknown } | undefined {
    const text = this.#body.toString('utf8', position, position + LONGEST_TOKEN);
    const [, value] = /^\s*:\s*(null|"(?:[^"\\]|\\.)*")/.exec(text) ?? [];
    return value === undefined ? undefined : { nextToken: JSON.parse(value) as unknown };
  }

  #parse(): Readonly<Record<string, unknown>> {
    const value: unknown = JSON.parse(this.#body.toString('utf8'));
    if (typeof value !== 'object' || value === null) throw new SyntaxError('not an object');
    return value as Record<string, unknown>;
  }
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
