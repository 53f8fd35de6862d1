import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { TrailhoundError } from '../kernel/errors.ts';
import { type CancelRequest, decodeCancelRequest } from '../wire/frontend/cancel-request.ts';
import { decodeStartupMessage, type StartupMessage } from '../wire/frontend/startup-message.ts';
import { violation } from '../wire/payload-reader.ts';
import { HandshakeReader, PeerGone } from './handshake-reader.ts';
import { agreedOnPostgres, startTls, type TlsServer } from './tls.ts';

export interface Opened {
  /** The socket, or TLS over it. */
  readonly stream: Duplex;
  readonly reader: HandshakeReader;
  readonly secure: boolean;
  readonly request:
    | { readonly kind: 'startup'; readonly message: StartupMessage }
    | { readonly kind: 'cancel'; readonly message: CancelRequest };
}

/** Called when an answer can be given on another stream than the socket's own. */
export type OnStream = (stream: Duplex) => void;

/** All that may come before the start-up message, in the orders that PostgreSQL takes (ProcessStartupPacket). */
export async function receiveStartup(socket: Socket, tls: TlsServer | undefined, onStream: OnStream): Promise<Opened> {
  let stream: Duplex = socket;
  let reader = new HandshakeReader(stream);
  let secure = false;
  let sslDone = false;
  let gssDone = false;
  for (;;) {
    const read = await firstBytes(reader);
    if (read.state === 'tls') {
      if (tls === undefined || secure || sslDone || gssDone) throw new PeerGone();
      const secured = await startTls(socket, tls, reader.detach());
      if (!agreedOnPostgres(secured)) throw new PeerGone();
      stream = secured;
      reader = new HandshakeReader(stream);
      onStream(stream);
      secure = true;
      continue;
    }
    const { packet } = read;
    if (packet.kind === 'ssl-request' && !sslDone) {
      sslDone = true;
      if (tls === undefined || secure) {
        stream.write('N');
        if (read.rest.length > 0) throw unencrypted('SSL request');
        continue;
      }
      stream.write('S');
      if (reader.detach().length > 0) throw new PeerGone();
      stream = await startTls(socket, tls, Buffer.alloc(0));
      reader = new HandshakeReader(stream);
      onStream(stream);
      secure = true;
      gssDone = true;
      continue;
    }
    if (packet.kind === 'gssenc-request' && !gssDone) {
      gssDone = true;
      stream.write('N');
      if (read.rest.length > 0) throw unencrypted('GSSAPI encryption request');
      continue;
    }
    return { stream, reader, secure, request: decode(packet) };
  }
}

/** PostgreSQL closes without a word what cannot be a start-up packet. */
async function firstBytes(reader: HandshakeReader) {
  try {
    return await reader.startupPacket();
  } catch {
    throw new PeerGone();
  }
}

type Packet = Extract<Awaited<ReturnType<HandshakeReader['startupPacket']>>, { state: 'packet' }>['packet'];

function decode(packet: Packet): Opened['request'] {
  switch (packet.kind) {
    case 'cancel-request':
      try {
        return { kind: 'cancel', message: decodeCancelRequest(packet.packet) };
      } catch {
        throw new PeerGone();
      }
    case 'startup':
      return { kind: 'startup', message: decodeStartupMessage(packet.packet) };
    // Asked for a second time: read as a version, as PostgreSQL does.
    case 'ssl-request':
      return { kind: 'startup', message: { version: { major: 1234, minor: 5679 }, parameters: [] } };
    case 'gssenc-request':
      return { kind: 'startup', message: { version: { major: 1234, minor: 5680 }, parameters: [] } };
  }
}

/** The gap that CVE-2021-23214 is about: bytes that a man in the middle put in front of the encrypted ones. */
function unencrypted(request: string): TrailhoundError {
  return violationWithDetail(
    `received unencrypted data after ${request}`,
    'This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.',
  );
}

function violationWithDetail(message: string, detail: string): TrailhoundError {
  return new TrailhoundError(violation(message).code, message, { detail });
}
