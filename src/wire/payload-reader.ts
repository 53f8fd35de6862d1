import { TrailhoundError } from '../kernel/errors.ts';

/** Reads one message's payload; each read is checked against what remains. Texts of errors are PostgreSQL's own (pqformat.c). */
export class PayloadReader {
  readonly #payload: Buffer;
  #offset = 0;

  constructor(payload: Buffer) {
    this.#payload = payload;
  }

  get remaining(): number {
    return this.#payload.length - this.#offset;
  }

  int8(): number {
    return this.#payload.readUInt8(this.#advance(1));
  }

  int16(): number {
    return this.#payload.readInt16BE(this.#advance(2));
  }

  uint16(): number {
    return this.#payload.readUInt16BE(this.#advance(2));
  }

  int32(): number {
    return this.#payload.readInt32BE(this.#advance(4));
  }

  uint32(): number {
    return this.#payload.readUInt32BE(this.#advance(4));
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    const start = this.#advance(length);
    return this.#payload.subarray(start, start + length);
  }

  rest(): Buffer {
    return this.bytes(this.remaining);
  }

  /** Bytes up to the terminating zero, which is skipped. */
  cstring(): string {
    const end = this.#payload.indexOf(0, this.#offset);
    if (end === -1) throw violation('invalid string in message');
    const text = this.#payload.toString('utf8', this.#offset, end);
    this.#offset = end + 1;
    return text;
  }

  /** A count that announces at least `size` bytes each: checked before anything is allocated for it. */
  count(size: number): number {
    const count = this.uint16();
    if (count * size > this.remaining) throw violation('insufficient data left in message');
    return count;
  }

  end(): void {
    if (this.remaining !== 0) throw violation('invalid message format');
  }

  #advance(length: number): number {
    if (length < 0 || length > this.remaining) throw violation('insufficient data left in message');
    const start = this.#offset;
    this.#offset += length;
    return start;
  }
}

export function violation(message: string): TrailhoundError {
  return new TrailhoundError('protocol_violation', message);
}
