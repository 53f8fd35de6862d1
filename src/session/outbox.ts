import type { Writable } from 'node:stream';

/** Gathers what goes to one stream: neighbouring slices of a chunk leave as one write, several chunks as one writev. */
export class Outbox {
  readonly #stream: Writable;
  #parts: Buffer[] = [];
  #chunk: Buffer | undefined;
  #start = 0;
  #end = 0;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  add(chunk: Buffer, start = 0, end = chunk.length): void {
    if (chunk === this.#chunk && start === this.#end) {
      this.#end = end;
      return;
    }
    this.#closeRun();
    this.#chunk = chunk;
    this.#start = start;
    this.#end = end;
  }

  /** False: the stream has enough for now and will emit `drain`. */
  flush(): boolean {
    this.#closeRun();
    const parts = this.#parts;
    this.#parts = [];
    if (!this.#stream.writable) return true;
    const [only] = parts;
    if (only === undefined) return !this.#stream.writableNeedDrain;
    if (parts.length === 1) return this.#stream.write(only);
    this.#stream.cork();
    for (const part of parts) this.#stream.write(part);
    this.#stream.uncork();
    return !this.#stream.writableNeedDrain;
  }

  #closeRun(): void {
    if (this.#chunk === undefined) return;
    this.#parts.push(this.#chunk.subarray(this.#start, this.#end));
    this.#chunk = undefined;
  }
}
