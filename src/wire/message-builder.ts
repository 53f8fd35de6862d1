const LENGTH_WORD = 4;

/** Builds one message: type byte (none for start-up packets), length word, payload. */
export class MessageBuilder {
  #buffer = Buffer.allocUnsafe(256);
  #length: number;
  readonly #lengthAt: number;

  constructor(type: string | undefined) {
    this.#lengthAt = type === undefined ? 0 : 1;
    if (type !== undefined) this.#buffer.writeUInt8(type.charCodeAt(0), 0);
    this.#length = this.#lengthAt + LENGTH_WORD;
  }

  int8(value: number): this {
    const at = this.#reserve(1);
    this.#buffer.writeUInt8(value, at);
    return this;
  }

  int16(value: number): this {
    const at = this.#reserve(2);
    this.#buffer.writeUInt16BE(value & 0xffff, at);
    return this;
  }

  int32(value: number): this {
    const at = this.#reserve(4);
    this.#buffer.writeUInt32BE(value >>> 0, at);
    return this;
  }

  bytes(value: Buffer): this {
    const at = this.#reserve(value.length);
    value.copy(this.#buffer, at);
    return this;
  }

  cstring(text: string): this {
    const size = Buffer.byteLength(text);
    const start = this.#reserve(size + 1);
    this.#buffer.write(text, start, 'utf8');
    this.#buffer[start + size] = 0;
    return this;
  }

  finish(): Buffer {
    this.#buffer.writeUInt32BE(this.#length - this.#lengthAt, this.#lengthAt);
    return this.#buffer.subarray(0, this.#length);
  }

  /** May replace the buffer: call it before naming that. */
  #reserve(size: number): number {
    const start = this.#length;
    this.#length += size;
    if (this.#length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#length, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, start);
      this.#buffer = larger;
    }
    return start;
  }
}
