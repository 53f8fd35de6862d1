import type { Duplex } from 'node:stream';

/** For what a peer has sent and we no longer read: on a busy machine a second is not long. */
const LINGER_MS = 5_000;

/**
 * Sends what was written, then ends the stream, with TLS's close_notify: without that a client of OpenSSL takes the end
 * for an attack. What still comes is dropped until the peer ends its side, for a moment: a socket that is closed over bytes
 * that nobody has read is reset, and its peer loses what it was told.
 */
export function closeStream(stream: Duplex): void {
  if (stream.destroyed) return;
  if (stream.readableEnded) {
    stream.end(() => stream.destroy());
    return;
  }
  const timer = setTimeout(() => stream.destroy(), LINGER_MS);
  stream.once('close', () => clearTimeout(timer));
  stream.once('end', () => stream.destroy());
  stream.end();
  stream.removeAllListeners('data');
  stream.resume();
}
