import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';

/** Most files of CloudTrail are smaller. */
const READ_AT_ONCE = 1024 * 1024;
/** Behind what a file was said to have. */
const GROWN_AT_ONCE = 64 * 1024;

/** A file of this machine: it gives its bytes, or its path to a thread that reads it by itself. */
export class LocalFile implements AsyncIterable<Uint8Array> {
  readonly path: string;
  readonly #signal: AbortSignal;

  constructor(path: string, signal: AbortSignal) {
    this.path = path;
    this.#signal = signal;
  }

  /** Opens it when it is asked for its first bytes. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of createReadStream(this.path, { highWaterMark: READ_AT_ONCE, signal: this.#signal })) {
      yield chunk as Buffer;
    }
  }
}

/**
 * The bytes of a file of this machine, read by the thread that wants them, which waits for each piece: that takes a tenth of
 * the processor time that Node's own threads take with it. Between two pieces others that share the thread have their turn.
 */
export async function* bytesOf(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const file = openSync(path, 'r');
  try {
    for (let left = fstatSync(file).size; ;) {
      // One byte more than there should be, as it may have grown; then it may go on growing.
      const buffer = Buffer.allocUnsafeSlow(left < 0 ? GROWN_AT_ONCE : Math.min(READ_AT_ONCE, left + 1));
      const length = readSync(file, buffer);
      left -= length;
      if (length === 0) return;
      yield buffer.subarray(0, length);
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    closeSync(file);
  }
}
