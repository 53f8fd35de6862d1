import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSignedCertificate, type TlsOptions } from '../../src/session/tls.ts';
import { decodeErrorResponse } from '../../src/wire/backend/error-response.ts';
import { encodeSSLRequest } from '../../src/wire/frontend/ssl-request.ts';
import { encodeStartupMessage } from '../../src/wire/frontend/startup-message.ts';
import { endPointOf } from '../../src/wire/scram/end-point.ts';
import { DATABASE, PASSWORD, USER } from './support/engine.ts';
import { openTestEndpoint, type TestEndpoint } from './support/endpoint.ts';
import { say } from './support/transcript.ts';
import { connectTcp, logIn, WireClient, type LogIn, type WireMessage } from './support/wire-client.ts';

const hunter: LogIn = { user: USER, password: PASSWORD, database: DATABASE };

/** What a client was told that did not get in; `in` where it did. */
function outcome(messages: readonly WireMessage[]): string {
  const refusal = messages.find(({ type }) => type === 'E');
  if (refusal === undefined) return messages.at(-1)?.type === 'Z' ? 'in' : 'closed';
  const { fields } = decodeErrorResponse(refusal.payload);
  return `${fields.get('C') ?? ''} ${fields.get('M') ?? ''}`;
}

async function attempt(port: number, as: Partial<LogIn> = {}): Promise<{ client: WireClient; outcome: string }> {
  const client = new WireClient(await connectTcp(port));
  return { client, outcome: outcome(await logIn(client, { ...hunter, ...as })) };
}

describe('limits', () => {
  let endpoint: TestEndpoint;
  beforeAll(async () => {
    endpoint = await openTestEndpoint({
      limits: { maxConnections: 20, maxConnectionsPerAddress: 2, maxHalfOpen: 3 },
    });
    await endpoint.engine.pool.query(`create role few login password '${PASSWORD}' connection limit 1`);
  });
  afterAll(() => endpoint.close());

  test('an address has no more connections than its own limit, until one of them ends', async () => {
    const [one, two, three] = [
      await attempt(endpoint.port),
      await attempt(endpoint.port),
      await attempt(endpoint.port),
    ];
    expect([one.outcome, two.outcome, three.outcome]).toEqual([
      'in',
      'in',
      '53300 too many connections from 127.0.0.1',
    ]);
    one.client.close();
    await expect.poll(() => endpoint.server.connections).toBe(1);
    const again = await attempt(endpoint.port);
    expect(again.outcome).toBe('in');
    again.client.close();
    two.client.close();
    await expect.poll(() => endpoint.server.connections).toBe(0);
  });

  test('a role has no more than PostgreSQL allows it', async () => {
    const [one, two] = [await attempt(endpoint.port, { user: 'few' }), await attempt(endpoint.port, { user: 'few' })];
    expect([one.outcome, two.outcome]).toEqual(['in', '53300 too many connections for role "few"']);
    one.client.close();
    two.client.close();
    await expect.poll(() => endpoint.server.connections).toBe(0);
  });

  test('of those that say nothing the oldest goes, and whoever speaks is served', async () => {
    const silent: WireClient[] = [];
    for (let count = 0; count < 4; count += 1) silent.push(new WireClient(await connectTcp(endpoint.port)));
    expect(await silent[0]?.until('-')).toEqual([]);
    const speaking = await attempt(endpoint.port);
    expect(speaking.outcome).toBe('in');
    expect(await silent[1]?.until('-')).toEqual([]);
    const startup = encodeStartupMessage({ version: { major: 3, minor: 0 }, parameters: [['user', USER]] });
    silent[3]?.send(startup);
    expect((await silent[3]?.until('R'))?.map(({ type }) => type)).toEqual(['R']);
    for (const client of [...silent, speaking.client]) client.close();
    await expect.poll(() => endpoint.server.connections).toBe(0);
  });

  test('a session that idles longer than its role may is ended by PostgreSQL', async () => {
    const { client } = await attempt(endpoint.port, { parameters: [['options', '-c idle_session_timeout=50ms']] });
    expect(outcome(await client.until('-'))).toBe('57P05 terminating connection due to idle-session timeout');
    client.close();
    await expect.poll(() => endpoint.server.connections).toBe(0);
  });
});

describe('a certificate that is renewed', () => {
  let endpoint: TestEndpoint;
  let before: TlsOptions;
  beforeAll(async () => {
    before = { ...(await selfSignedCertificate(['localhost', '127.0.0.1'])), required: true };
    endpoint = await openTestEndpoint({ tls: before });
  });
  afterAll(() => endpoint.close());

  const secure = async (ca: string): Promise<{ stream: Duplex; endPoint: Buffer | undefined }> => {
    const socket = await connectTcp(endpoint.port);
    socket.write(encodeSSLRequest());
    await once(socket, 'data');
    const stream = connectTls({ socket, ca, host: '127.0.0.1' });
    await once(stream, 'secureConnect');
    return { stream, endPoint: endPointOf(new X509Certificate(ca).raw) };
  };
  const works = async ({ stream, endPoint }: Awaited<ReturnType<typeof secure>>) => {
    const client = new WireClient(stream);
    const told = outcome(await logIn(client, { ...hunter, endPoint }));
    client.send(say.query('select x from virtual_demo'));
    const rows = (await client.until('Z')).filter(({ type }) => type === 'D').length;
    client.close();
    return `${told}, ${String(rows)} rows`;
  };

  test('is shown to who comes from then on; who has come before is still bound to the one that it saw', async () => {
    const old = await secure(before.cert);
    const renewed = { ...(await selfSignedCertificate(['localhost', '127.0.0.1'])), required: true };
    endpoint.server.renewTls(renewed);
    expect(await works(old)).toBe('in, 3 rows');
    expect(await works(await secure(renewed.cert))).toBe('in, 3 rows');
    await expect(secure(before.cert)).rejects.toThrow();
    // One that cannot be used changes nothing.
    expect(() => endpoint.server.renewTls({ cert: before.cert, key: 'no key' })).toThrow();
    expect(await works(await secure(renewed.cert))).toBe('in, 3 rows');
  });
});
