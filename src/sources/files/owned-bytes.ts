import { MessageChannel } from 'node:worker_threads';

/** What is transferred to a closed port is detached and sent to nobody, as HTML's steps for postMessage say. */
const { port1: nowhere } = new MessageChannel();
nowhere.close();

/**
 * Large buffers whose end is known. `free` gives their memory back at once, for the next ones: V8 would keep tens of
 * megabytes of them, and stop its thread each time that it looks for some to give back. A view of them that anybody kept
 * would be empty then.
 */
export class OwnedBytes {
  readonly #ownsInput: boolean;
  readonly #buffers = new Set<ArrayBuffer>();

  /** `ownsInput`: the buffers of what is read of the file are nobody else's either. */
  constructor(ownsInput = false) {
    this.#ownsInput = ownsInput;
  }

  /** Returns the same. */
  own(bytes: Buffer): Buffer {
    const buffer = wholeBuffer(bytes);
    if (buffer !== undefined) this.#buffers.add(buffer);
    return bytes;
  }

  /** The file's own bytes, all of them, which nobody needs any more. */
  spent(bytes: Buffer): void {
    const buffer = this.#ownsInput ? wholeBuffer(bytes) : undefined;
    if (buffer !== undefined) nowhere.postMessage(undefined, [buffer]);
  }

  free(): void {
    // What was spent is gone already.
    const buffers = [...this.#buffers].filter(({ byteLength }) => byteLength > 0);
    if (buffers.length > 0) nowhere.postMessage(undefined, buffers);
    this.#buffers.clear();
  }
}

/** Undefined where others may have a part of it, as of what Node cuts out of its pool. */
export function wholeBuffer({ buffer }: Uint8Array): ArrayBuffer | undefined {
  return buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize ? buffer : undefined;
}
