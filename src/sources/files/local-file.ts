import { type Stats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** Most files of CloudTrail are smaller. */
const READ_AT_ONCE = 1024 * 1024;
/** Behind what a file was said to have. */
const GROWN_AT_ONCE = 64 * 1024;
/** A pipe that stands where a file was listed would be waited for until somebody writes to it. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

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
    this.#signal.throwIfAborted();
    const file = await open(this.path, FLAGS);
    try {
      const read = async (buffer: Buffer) => {
        this.#signal.throwIfAborted();
        return (await file.read(buffer)).bytesRead;
      };
      yield* pieces(sizeOf(await file.stat()), read);
    } finally {
      await file.close();
    }
  }
}

/**
 * The bytes of a file of this machine, read by the thread that wants them, which waits for each piece: that takes a tenth of
 * the processor time that Node's own threads take with it. Between two pieces others that share the thread have their turn.
 */
export async function* bytesOf(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const file = openSync(path, FLAGS);
  try {
    for await (const piece of pieces(sizeOf(fstatSync(file)), (buffer) => readSync(file, buffer))) {
      yield piece;
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    closeSync(file);
  }
}

async function* pieces(
  size: number,
  read: (buffer: Buffer) => number | Promise<number>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let left = size; ;) {
    // One byte more than there should be, as it may have grown; then it may go on growing.
    const buffer = Buffer.allocUnsafeSlow(left < 0 ? GROWN_AT_ONCE : Math.min(READ_AT_ONCE, left + 1));
    const length = await read(buffer);
    left -= length;
    if (length > 0) yield buffer.subarray(0, length);
    else if (left > 0) throw Object.assign(new Error('it has become shorter'), { code: 'SHORTENED' });
    else return;
  }
}

function sizeOf(stats: Stats): number {
  if (stats.isFile()) return stats.size;
  throw stats.isDirectory() ? Object.assign(new Error('it is a folder'), { code: 'EISDIR' }) : noFile();
}

export function noFile(): Error {
  return Object.assign(new Error('it is no file'), { code: 'NO_FILE' });
}
