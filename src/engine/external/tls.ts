import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { TrailhoundError } from '../../kernel/errors.ts';
import { KEEP_ALIVE_MS, type TlsOptions } from '../pool.ts';

/** Int32(8) Int32(80877103): "SSLRequest" among PostgreSQL's message formats. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const CONNECT_PATIENCE_MS = 10_000;

/** A socket's path, or a TCP address. */
export type Address = { readonly path: string } | { readonly host: string; readonly port: number };

export function connectPlain(address: Address): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp(address);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setTimeout(CONNECT_PATIENCE_MS, () =>
      socket.destroy(new Error(`no answer within ${CONNECT_PATIENCE_MS / 1000} s`)),
    );
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}

/** Asks the server for TLS; undefined where it has none. The plain connection is closed then. */
export async function connectEncrypted(
  address: { host: string; port: number },
  tls: TlsOptions,
): Promise<Duplex | undefined> {
  const socket = await connectPlain(address);
  socket.setTimeout(CONNECT_PATIENCE_MS);
  const answer = await askForTls(socket);
  if (answer === 'N') {
    socket.destroy();
    return undefined;
  }
  if (answer !== 'S') {
    socket.destroy();
    throw new TrailhoundError('configuration', `what answers at ${address.host}:${address.port} is not PostgreSQL`);
  }
  const secure = await upgrade(socket, address.host, tls);
  socket.setTimeout(0);
  return secure;
}

function askForTls(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error('the server closed the connection'));
    socket.once('error', reject);
    socket.once('close', onClose);
    // One byte exactly: more would have been sent before the handshake (CVE-2021-23222).
    socket.once('data', (chunk: Buffer) => {
      socket.pause();
      socket.off('error', reject);
      socket.off('close', onClose);
      resolve(chunk.length === 1 ? chunk.toString('latin1') : '');
    });
    socket.write(SSL_REQUEST);
  });
}

function upgrade(socket: Socket, host: string, tls: TlsOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secure = connectTls({
      socket,
      rejectUnauthorized: tls.rejectUnauthorized,
      ...(isIP(host) === 0 ? { servername: host } : { host }),
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls.key === undefined ? {} : { key: tls.key }),
      ...(tls.checkName ? {} : { checkServerIdentity: () => undefined }),
    });
    secure.once('error', reject);
    secure.once('secureConnect', () => {
      secure.off('error', reject);
      resolve(secure);
    });
  });
}
