import { type Stats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** Most files of CloudTrail are smaller. */
const READ_AT_ONCE = 1024 * 1024;
/** Behind what a file was said to have. */
const GROWN_AT_ONCE = 64 * 1024;
/** A pipe that stands where a file was listed would be waited for until somebody writes to it. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** The bytes of a file of this machine, opened when it is asked for its first ones, and read without keeping anybody waiting. */
export async function* readInTurns(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  signal.throwIfAborted();
  const file = await open(path, FLAGS);
  try {
    const read = async (buffer: Buffer) => {
      signal.throwIfAborted();
      return (await file.read(buffer)).bytesRead;
    };
    yield* pieces(sizeOf(await file.stat()), read);
  } finally {
    await file.close();
  }
}

/** The same, read by the thread that wants them, which waits for each piece: a tenth of the processor time. */
export async function* readAtOnce(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const file = openSync(path, FLAGS);
  try {
    yield* pieces(sizeOf(fstatSync(file)), (buffer) => readSync(file, buffer));
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
