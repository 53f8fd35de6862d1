import { CANCEL_REQUEST_CODE, GSSENC_REQUEST_CODE, MAX_STARTUP_PACKET, SSL_REQUEST_CODE } from './protocol.ts';
import { violation } from './payload-reader.ts';

const LENGTH_WORD = 4;
const CODE_WORD = 4;

/** What may come before any typed message. `packet` is without its length word, as the decoders take it. */
export type StartupPacket =
  | { readonly kind: 'ssl-request' }
  | { readonly kind: 'gssenc-request' }
  | { readonly kind: 'cancel-request'; readonly packet: Buffer }
  | { readonly kind: 'startup'; readonly packet: Buffer };

export type StartupRead =
  | { readonly state: 'incomplete' }
  /** The first byte of a TLS handshake, where a length word's is 0 for every allowed length. */
  | { readonly state: 'tls' }
  | { readonly state: 'packet'; readonly packet: StartupPacket; readonly rest: Buffer };

const TLS_HANDSHAKE = 0x16;

/** Throws where the length cannot be a start-up packet's: PostgreSQL closes such a connection without a word. */
export function readStartupPacket(received: Buffer): StartupRead {
  if (received[0] === TLS_HANDSHAKE) return { state: 'tls' };
  if (received.length < LENGTH_WORD) return { state: 'incomplete' };
  const length = received.readUInt32BE(0);
  if (length < LENGTH_WORD + CODE_WORD || length - LENGTH_WORD > MAX_STARTUP_PACKET) {
    throw violation('invalid length of startup packet');
  }
  if (received.length < length) return { state: 'incomplete' };
  const packet = received.subarray(LENGTH_WORD, length);
  return { state: 'packet', packet: classify(packet), rest: received.subarray(length) };
}

function classify(packet: Buffer): StartupPacket {
  const code = packet.readUInt32BE(0);
  if (code === CANCEL_REQUEST_CODE) return { kind: 'cancel-request', packet };
  if (code === SSL_REQUEST_CODE && packet.length === CODE_WORD) return { kind: 'ssl-request' };
  if (code === GSSENC_REQUEST_CODE && packet.length === CODE_WORD) return { kind: 'gssenc-request' };
  return { kind: 'startup', packet };
}
