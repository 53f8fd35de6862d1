import { ENDS_EARLY, NotDecompressible } from './not-decompressible.ts';

const NOTHING = Buffer.alloc(0);

/** Chunks, read by lengths. Throws NotDecompressible where they end before what is asked for. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #held: Buffer = NOTHING;
  #taken = 0;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(chunks: AsyncIterator<Buffer>) {
    this.#chunks = chunks;
  }

  /** What has been taken, in bytes. */
  get taken(): number {
    return this.#taken;
  }

  /** What has come and was not taken. */
  get held(): Buffer {
    return this.#held;
  }

  /** Nothing follows what is held; what follows has to be asked for where this is not so. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  async atEnd(): Promise<boolean> {
    while (this.#held.length === 0) if (!(await this.more())) return true;
    return false;
  }

  async peek(length: number): Promise<Buffer> {
    while (this.#held.length < length) if (!(await this.more())) throw this.#endsEarly();
    return this.#held.subarray(0, length);
  }

  /** Of what is held. */
  advance(length: number): void {
    this.#held = this.#held.subarray(length);
    this.#taken += length;
  }

  async *take(length: number): AsyncGenerator<Buffer, void, undefined> {
    for (let missing = length; missing > 0;) {
      if (await this.atEnd()) throw this.#endsEarly();
      const part = this.#held.subarray(0, missing);
      this.advance(part.length);
      missing -= part.length;
      yield part;
    }
  }

  async skip(length: number): Promise<void> {
    const parts = this.take(length);
    while ((await parts.next()).done !== true);
  }

  /** Holds one chunk more; false where there is none. What the chunks fail with is thrown each time: they seem to be at their end then. */
  async more(): Promise<boolean> {
    if (this.#ended) return false;
    if (this.#failure !== undefined) throw this.#failure.error;
    const next = await this.#chunks.next().catch((error: unknown) => {
      this.#failure = { error };
      throw error;
    });
    if (next.done === true) {
      this.#ended = true;
      return false;
    }
    this.#held = this.#held.length === 0 ? next.value : Buffer.concat([this.#held, next.value]);
    return true;
  }

  #endsEarly(): NotDecompressible {
    return new NotDecompressible(ENDS_EARLY, this.#taken + this.#held.length);
  }
}
