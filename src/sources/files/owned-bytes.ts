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
  readonly #buffers: ArrayBuffer[] = [];

  /** Returns the same. What Node cut out of its pool belongs to others, too, and is left alone. */
  own(bytes: Buffer): Buffer {
    const { buffer } = bytes;
    if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) this.#buffers.push(buffer);
    return bytes;
  }

  free(): void {
    if (this.#buffers.length > 0) nowhere.postMessage(undefined, this.#buffers.splice(0));
  }
}
