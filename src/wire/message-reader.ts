const HEADER = 5;

/** A message, or a part of one, as bytes `start`..`end` of `chunk`: nothing is copied for it where it came in one piece. */
export interface Piece {
  readonly type: number;
  /** Of the whole message, header included. */
  readonly size: number;
  readonly first: boolean;
  readonly last: boolean;
  readonly chunk: Buffer;
  readonly start: number;
  readonly end: number;
}

export interface MessageReaderOptions {
  /**
   * Decides by type and size (header included) whether a message is wanted whole or in pieces as they come; `invalid`
   * means that what follows cannot be messages: all further bytes come as pieces of this one, whatever their number.
   */
  want(type: number, size: number): 'whole' | 'pieces' | 'invalid';
  /**
   * Types wanted in pieces of which several that stand side by side in a chunk may come as one piece, its `size` that of the first:
   * rows, which nobody looks at one by one.
   */
  readonly runs?: ReadonlySet<number>;
}

/** Cuts a byte stream into protocol messages. Pull: `push` what arrived, then call `next` until it returns undefined. */
export class MessageReader {
  readonly #options: MessageReaderOptions;
  #chunks: Buffer[] = [];
  /** Offset in the first chunk. */
  #offset = 0;
  #available = 0;
  #message: { readonly type: number; readonly size: number; readonly whole: boolean; left: number } | undefined;

  constructor(options: MessageReaderOptions) {
    this.#options = options;
  }

  /** Bytes that arrived and were not yet handed out. */
  get buffered(): number {
    return this.#available;
  }

  /** A part of a message was handed out, and not yet its end. */
  get midMessage(): boolean {
    const message = this.#message;
    return message !== undefined && !message.whole && message.left < message.size;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#available += chunk.length;
  }

  /** Everything not yet handed out, for what comes after the last message (a TLS handshake, say). */
  takeRest(): Buffer {
    const rest = this.#take(this.#available);
    this.#message = undefined;
    return rest.chunk.subarray(rest.start, rest.end);
  }

  next(): Piece | undefined {
    this.#message ??= this.#readHeader();
    const message = this.#message;
    if (message === undefined) return undefined;
    if (message.whole) {
      if (this.#available < message.size) return undefined;
      this.#message = undefined;
      const { chunk, start, end } = this.#take(message.size);
      return { type: message.type, size: message.size, first: true, last: true, chunk, start, end };
    }
    const chunk = this.#chunks[0];
    if (chunk === undefined) return undefined;
    const start = this.#offset;
    let end = Math.min(chunk.length, start + message.left);
    const first = message.left === message.size;
    message.left -= end - start;
    const last = message.left === 0;
    if (last) {
      this.#message = undefined;
      if (this.#options.runs?.has(message.type) === true) end = endOfRun(chunk, end, message.type);
    }
    this.#drop(end - start);
    return { type: message.type, size: message.size, first, last, chunk, start, end };
  }

  /** Types of the messages that have arrived and were not yet handed out; of the last one its header may be all there is. */
  *upcoming(): Generator<number> {
    for (let at = 0; at + HEADER <= this.#available;) {
      yield this.#byteAt(at);
      const length = this.#lengthAt(at + 1);
      if (length < HEADER - 1) return;
      at += 1 + length;
    }
  }

  #readHeader(): { type: number; size: number; whole: boolean; left: number } | undefined {
    if (this.#available < HEADER) return undefined;
    const type = this.#byteAt(0);
    const size = this.#lengthAt(1) + 1;
    const want = size < HEADER ? 'invalid' : this.#options.want(type, size);
    if (want === 'invalid') return { type, size: Infinity, whole: false, left: Infinity };
    return { type, size, whole: want === 'whole', left: size };
  }

  #lengthAt(index: number): number {
    const [first = 0, ...rest] = [0, 1, 2, 3].map((offset) => this.#byteAt(index + offset));
    return rest.reduce((length, byte) => length * 0x100 + byte, first);
  }

  #byteAt(index: number): number {
    let at = this.#offset + index;
    for (const chunk of this.#chunks) {
      const byte = chunk[at];
      if (byte !== undefined) return byte;
      at -= chunk.length;
    }
    throw new RangeError('read past the end of what is buffered');
  }

  #take(size: number): { chunk: Buffer; start: number; end: number } {
    const first = this.#chunks[0];
    if (first !== undefined && first.length - this.#offset >= size) {
      const start = this.#offset;
      this.#drop(size);
      return { chunk: first, start, end: start + size };
    }
    const parts: Buffer[] = [];
    for (let left = size; left > 0;) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) throw new RangeError('took more than what is buffered');
      const part = chunk.subarray(this.#offset, this.#offset + left);
      parts.push(part);
      left -= part.length;
      this.#drop(part.length);
    }
    return { chunk: Buffer.concat(parts, size), start: 0, end: size };
  }

  #drop(size: number): void {
    this.#offset += size;
    this.#available -= size;
    if (this.#offset === this.#chunks[0]?.length) {
      this.#chunks.shift();
      this.#offset = 0;
    }
  }
}

/** Behind the last of the messages of this type that stand there whole, one after the other. */
function endOfRun(chunk: Buffer, start: number, type: number): number {
  let end = start;
  while (end + HEADER <= chunk.length && chunk[end] === type) {
    const length = chunk.readUInt32BE(end + 1);
    if (length < HEADER - 1 || end + 1 + length > chunk.length) break;
    end += 1 + length;
  }
  return end;
}

/** What follows type byte and length word. */
export function payloadOf(piece: Piece): Buffer {
  return piece.chunk.subarray(piece.start + HEADER, piece.end);
}

export function bytesOf(piece: Piece): Buffer {
  return piece.chunk.subarray(piece.start, piece.end);
}
