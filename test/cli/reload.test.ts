import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, expect, test } from 'vitest';
import { selfSignedCertificate } from '../../src/session/tls.ts';
import { CliProcess, temporaryDirectory } from './support/cli.ts';

const directory = temporaryDirectory();
const file = (name: string) => path.join(directory.path, name);
afterAll(() => directory.remove());

/** The certificate that a client is shown by direct TLS. */
async function shown(port: number): Promise<string> {
  const socket = tls.connect({
    socket: net.connect(port, '127.0.0.1'),
    rejectUnauthorized: false,
    ALPNProtocols: ['postgresql'],
  });
  await once(socket, 'secureConnect');
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return new X509Certificate(raw).fingerprint256;
}

async function renew(): Promise<string> {
  const { cert, key } = await selfSignedCertificate(['localhost', '127.0.0.1']);
  writeFileSync(file('server.crt'), cert);
  writeFileSync(file('server.key'), key);
  return new X509Certificate(cert).fingerprint256;
}

test('SIGHUP reads the certificate anew, and keeps the old one where the new one cannot be used', async () => {
  writeFileSync(file('trailhound.yaml'), 'listen: { tls: { cert: server.crt, key: server.key } }\n');
  const first = await renew();
  const server = new CliProcess(
    ['serve', '--port', '0', '--http-port', '0', '--data-dir', file('data'), '--log-level', 'info'],
    { cwd: directory.path },
  );
  try {
    const [, text] = await server.waitFor('stdout', /^ready: postgres:\/\/trailhound@127\.0\.0\.1:(\d+)\//);
    const port = Number(text);
    expect(await shown(port)).toBe(first);
    const second = await renew();
    expect(await shown(port)).toBe(first);
    server.child.kill('SIGHUP');
    await server.waitFor('stderr', /reloaded: certificate and key/);
    expect(await shown(port)).toBe(second);
    writeFileSync(file('server.key'), 'no key');
    server.child.kill('SIGHUP');
    await server.waitFor('stderr', /cannot reload: certificate and key stay as they were/);
    expect(await shown(port)).toBe(second);
  } finally {
    expect((await server.stop()).status).toBe(0);
  }
});
