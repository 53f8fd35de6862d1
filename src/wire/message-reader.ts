const HEADER = 5;

/** Chunks of fewer bytes are copied together, where they have to wait. */
const SMALL = 512;
const TAIL = 16 * 1024;

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
   * means that what follows cannot be messages: all further bytes come as pieces of this one, its size infinite,
   * the first of them its header.
   */
  want(type: number, size: number): 'whole' | 'pieces' | 'invalid';
  /**
   * Types wanted in pieces of which several that stand side by side in a chunk may come as one piece, its `size` that of the first:
   * rows, which nobody looks at one by one.
   */
  readonly runs?: ReadonlySet<number>;
}

/** The one whose header was read. */
interface Message {
  readonly type: number;
  readonly size: number;
  readonly whole: boolean;
  /** A piece of it was handed out. */
  begun: boolean;
  /** Bytes that were not yet handed out, where it comes in pieces. */
  left: number;
}

/** Cuts a byte stream into protocol messages. Pull: `push` what arrived, then call `next` until it returns undefined. */
export class MessageReader {
  readonly #options: MessageReaderOptions;
  #chunks: Buffer[] = [];
  /** Offset in the first chunk. */
  #offset = 0;
  #available = 0;
  #message: Message | undefined;
  /** What small chunks were copied to: of the buffer, the part that is filled, the last chunk where nothing came since. */
  #tail: { readonly buffer: Buffer; readonly filled: Buffer } | undefined;

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
    return message?.begun === true;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#available += chunk.length;
    if (chunk.length < SMALL && this.#chunks.length > 0) this.#gather(chunk);
    else this.#chunks.push(chunk);
  }

  /** A client that sends byte by byte makes neither many chunks to look through nor large ones that hold little. */
  #gather(chunk: Buffer): void {
    let tail = this.#tail;
    if (tail === undefined || this.#chunks.at(-1) !== tail.filled || tail.filled.length + chunk.length > TAIL) {
      const buffer = Buffer.allocUnsafeSlow(TAIL);
      tail = { buffer, filled: buffer.subarray(0, 0) };
      this.#chunks.push(tail.filled);
    }
    const { buffer, filled } = tail;
    chunk.copy(buffer, filled.length);
    this.#tail = { buffer, filled: buffer.subarray(0, filled.length + chunk.length) };
    this.#chunks[this.#chunks.length - 1] = this.#tail.filled;
  }

  /** Everything not yet handed out, for what comes after the last message (a TLS handshake, say). */
  takeRest(): Buffer {
    const rest = this.#take(this.#available, 0);
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
      return this.#take(message.size, message.type);
    }
    if (message.size === Infinity && !message.begun) {
      message.begun = true;
      return { ...this.#take(HEADER, message.type), size: Infinity, last: false };
    }
    const chunk = this.#chunks[0];
    if (chunk === undefined) return undefined;
    const start = this.#offset;
    let end = Math.min(chunk.length, start + message.left);
    const first = !message.begun;
    message.begun = true;
    message.left -= end - start;
    const last = message.left === 0;
    if (last) {
      this.#message = undefined;
      if (this.#options.runs?.has(message.type) === true) end = endOfRun(chunk, end, message.type);
    }
    this.#drop(end - start);
    return { type: message.type, size: message.size, first, last, chunk, start, end };
  }

  /**
   * Looks at what will be handed out: gives, call by call, the type of one message more, undefined where its header has
   * not arrived yet, 0 where what comes cannot be a message. Of use until something is handed out.
   */
  lookAhead(): () => number | undefined {
    let at = 0;
    let valid = true;
    return () => {
      if (!valid) return 0;
      if (at + HEADER > this.#available) return undefined;
      const type = this.#byteAt(at);
      const length = this.#lengthAt(at + 1);
      at += 1 + length;
      valid = length >= HEADER - 1;
      return valid ? type : 0;
    };
  }

  #readHeader(): Message | undefined {
    const chunk = this.#chunks[0];
    if (chunk === undefined || this.#available < HEADER) return undefined;
    const at = this.#offset;
    const isTogether = at + HEADER <= chunk.length;
    const type = chunk[at] as number;
    const size = (isTogether ? chunk.readUInt32BE(at + 1) : this.#lengthAt(1)) + 1;
    const want = size < HEADER ? 'invalid' : this.#options.want(type, size);
    if (want === 'invalid') return { type, size: Infinity, whole: false, begun: false, left: Infinity };
    return { type, size, whole: want === 'whole', begun: false, left: size };
  }

  #lengthAt(index: number): number {
    let length = 0;
    for (let offset = 0; offset < 4; offset += 1) length = length * 0x100 + this.#byteAt(index + offset);
    return length;
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

  /** As a whole message. */
  #take(size: number, type: number): Piece {
    const chunk = this.#chunks[0];
    if (chunk !== undefined && chunk.length - this.#offset >= size) {
      const start = this.#offset;
      this.#drop(size);
      return { type, size, first: true, last: true, chunk, start, end: start + size };
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
    return { type, size, first: true, last: true, chunk: Buffer.concat(parts, size), start: 0, end: size };
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
