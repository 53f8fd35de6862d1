import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { endPointOf } from '../wire/scram/end-point.ts';
import { PeerGone } from './handshake-reader.ts';

export interface TlsOptions {
  /** PEM, the server's own certificate first. */
  readonly cert: string;
  readonly key: string;
  /** Refuse log-ins without TLS. */
  readonly required?: boolean;
}

export interface TlsServer {
  readonly context: SecureContext;
  /** Undefined: no channel binding can be offered. */
  readonly endPoint: Buffer | undefined;
  readonly required: boolean;
}

/** https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-FLOW-SSL */
const ALPN = 'postgresql';

export function createTlsServer(options: TlsOptions): TlsServer {
  const context = createSecureContext({ cert: options.cert, key: options.key, minVersion: 'TLSv1.2' });
  const endPoint = endPointOf(new X509Certificate(options.cert).raw);
  return { context, endPoint, required: options.required ?? false };
}

/** `received` is the beginning of the handshake, where it was read already. */
export function startTls(socket: Socket, server: TlsServer, received: Buffer): Promise<TLSSocket> {
  if (received.length > 0) socket.unshift(received);
  const secured = new TLSSocket(socket, { isServer: true, secureContext: server.context, ALPNProtocols: [ALPN] });
  return new Promise((resolve, reject) => {
    const gone = () => reject(new PeerGone());
    secured.once('secure', () => {
      secured.off('close', gone);
      resolve(secured);
    });
    secured.once('close', gone);
    // A handshake that fails closes the socket; later errors are followed by `close` too.
    secured.on('error', () => secured.destroy());
    socket.once('close', () => secured.destroy());
  });
}

/** Direct TLS needs it: the connection might else be meant for another protocol. */
export function agreedOnPostgres(socket: TLSSocket): boolean {
  return socket.alpnProtocol === ALPN;
}

/** For a server beyond loopback that was given no certificate. `hosts`: names and addresses that clients use for it. */
export async function selfSignedCertificate(hosts: readonly string[] = ['localhost']): Promise<TlsOptions> {
  // Few servers need it, and it takes a tenth of a second to load.
  const { generate } = await import('selfsigned');
  const [name = 'localhost'] = hosts;
  const expires = new Date();
  expires.setFullYear(expires.getFullYear() + 10);
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate: expires,
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: hosts.map(altName) },
    ],
  });
  return { cert, key };
}

function altName(host: string) {
  // Types of RFC 5280's GeneralName: 7 an address, 2 a DNS name.
  return /^[\d.]+$|:/u.test(host) ? ({ type: 7, ip: host } as const) : ({ type: 2, value: host } as const);
}
