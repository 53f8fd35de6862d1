import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import { isLoopback } from '../http/http-server.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { selfSignedCertificate, type TlsOptions } from '../session/tls.ts';
import type { Config } from './config/load.ts';
import { writePrivateFile } from './private-file.ts';

/**
 * What the endpoint offers: nothing on loopback unless a certificate is configured; beyond loopback TLS is required,
 * with a certificate of our own where none is given.
 */
export async function tlsFor(config: Config): Promise<TlsOptions | undefined> {
  const { tls, host } = config.listen;
  const beyondLoopback = !(host === 'localhost' || isLoopback(host));
  if (tls === 'off') return undefined;
  if (tls === 'auto') {
    return beyondLoopback ? { ...(await ownCertificate(config.dataDir, host)), required: true } : undefined;
  }
  const options = { cert: await readPem(config, 'cert', tls.cert), key: await readPem(config, 'key', tls.key) };
  try {
    createSecureContext(options);
  } catch (cause) {
    throw new TrailhoundError(
      'configuration',
      `${config.origin(['listen', 'tls'])}: listen.tls: certificate and key cannot be used`,
      {
        detail: `OpenSSL says: ${cause instanceof Error ? cause.message : String(cause)}.`,
        hint: 'Both are PEM files, the key belongs to the certificate and has no passphrase.',
        cause,
      },
    );
  }
  return { ...options, required: beyondLoopback };
}

async function readPem(config: Config, name: 'cert' | 'key', file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new TrailhoundError(
      'configuration',
      `${config.origin(['listen', 'tls', name])}: listen.tls.${name}: cannot read ${file}`,
      {
        cause,
      },
    );
  });
}

/** Made once and kept, so that clients can remember it. */
async function ownCertificate(dataDir: string, host: string): Promise<TlsOptions> {
  const file = path.join(dataDir, 'tls.pem');
  const stored = await readFile(file, 'utf8').catch(() => undefined);
  if (stored !== undefined && stored.includes('PRIVATE KEY') && stored.includes('CERTIFICATE')) {
    return { cert: stored, key: stored };
  }
  const wildcard = host === '0.0.0.0' || host === '::';
  const made = await selfSignedCertificate(['localhost', '127.0.0.1', ...(wildcard ? [] : [host])]);
  await writePrivateFile(file, `${made.cert.trim()}\n${made.key.trim()}\n`);
  return made;
}
