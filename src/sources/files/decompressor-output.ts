import type { Duplex } from 'node:stream';

/** Each costs a turn of the event loop: by Node's own size, 16 KiB, decompressing takes four times as long. */
export const CHUNK_BYTES = 256 * 1024;

/**
 * What a decompressor makes of a piece. What has come out before a failure comes before the failure; Node's own iteration
 * of a stream drops it.
 */
export async function* outputOf(decompressor: Duplex, piece: Buffer): AsyncGenerator<Buffer, void, undefined> {
  const writing: { done: boolean; failure: Error | undefined } = { done: false, failure: undefined };
  let wake = () => {};
  const end = (failure?: Error | null) => {
    writing.done = true;
    writing.failure ??= failure ?? undefined;
    wake();
  };
  const readable = () => wake();
  decompressor.on('readable', readable);
  decompressor.on('error', end);
  try {
    decompressor.write(piece, end);
    for (;;) {
      const chunk = decompressor.read() as Buffer | null;
      if (chunk !== null) yield chunk;
      else if (writing.done) break;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    if (writing.failure !== undefined) throw writing.failure;
  } finally {
    decompressor.off('readable', readable);
    decompressor.off('error', end);
    // One that nobody listens to ends the process.
    if (decompressor.listenerCount('error') === 0) decompressor.on('error', () => undefined);
  }
}
