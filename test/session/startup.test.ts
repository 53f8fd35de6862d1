import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSignedCertificate } from '../../src/session/tls.ts';
import { decodeErrorResponse } from '../../src/wire/backend/error-response.ts';
import { encodeCancelRequest } from '../../src/wire/frontend/cancel-request.ts';
import { encodeGSSENCRequest } from '../../src/wire/frontend/gssenc-request.ts';
import { encodeSASLInitialResponse } from '../../src/wire/frontend/sasl-initial-response.ts';
import { encodeSSLRequest } from '../../src/wire/frontend/ssl-request.ts';
import { encodeStartupMessage } from '../../src/wire/frontend/startup-message.ts';
import { endPointOf } from '../../src/wire/scram/end-point.ts';
import { DATABASE, PASSWORD, USER } from './support/engine.ts';
import { openTestEndpoint, type TestEndpoint } from './support/endpoint.ts';
import { line, say } from './support/transcript.ts';
import { connectTcp, logIn, type LogIn, WireClient, type WireMessage } from './support/wire-client.ts';

const hunter: LogIn = { user: USER, password: PASSWORD, database: DATABASE };

/** A record's content type (RFC 5246, A.1). */
const TLS_ALERT = 21;

function told(messages: readonly WireMessage[]) {
  return messages
    .filter((message) => message.type === 'E')
    .map((message) => {
      const { fields } = decodeErrorResponse(message.payload);
      return ['V', 'C', 'M'].map((letter) => fields.get(letter)).join(' ');
    });
}

/** What comes before any message, one answer a request. */
async function firstByte(stream: Duplex): Promise<string> {
  const [chunk] = (await once(stream, 'data')) as [Buffer];
  return chunk.toString('latin1');
}

describe('log-in', () => {
  let endpoint: TestEndpoint;
  beforeAll(async () => {
    endpoint = await openTestEndpoint({ notices: ['demo data: nothing here is real'] });
  });
  afterAll(() => endpoint.close());

  const ours = async () => new WireClient(await connectTcp(endpoint.port));
  const direct = async () => new WireClient(await endpoint.engine.connectBackend());
  const attempt = async (client: WireClient, as: Partial<LogIn>) => {
    const messages = await logIn(client, { ...hunter, ...as });
    client.close();
    return messages;
  };

  const seen = (messages: readonly WireMessage[]) =>
    messages
      .filter((message) => message.type !== 'N')
      .map((message) => (message.type === 'K' ? `K of ${message.payload.length} bytes` : line(message)));

  test.each<[string, Partial<LogIn>]>([
    ['3.0', { version: { major: 3, minor: 0 } }],
    ['3.1', { version: { major: 3, minor: 1 } }],
    ['3.2', { version: { major: 3, minor: 2 } }],
    ['3.9999', { version: { major: 3, minor: 9999 }, parameters: [['_pq_.test_protocol_negotiation', '']] }],
    ['3.0 with an unknown option', { parameters: [['_pq_.foo', 'x']] }],
    [
      'settings',
      {
        parameters: [
          ['application_name', 'x'],
          ['client_encoding', 'LATIN1'],
          ['options', '-c timezone=Asia/Tokyo --datestyle=SQL'],
        ],
      },
    ],
    ['an unknown setting', { parameters: [['no_such_setting', '1']] }],
    ['a value that is not allowed', { parameters: [['datestyle', 'nope']] }],
    ['replication that is off', { parameters: [['replication', 'off']] }],
    ['an unknown database', { database: 'nope' }],
    ['a role that may not log in', { user: 'resting' }],
  ])('with %s is answered as by PostgreSQL', async (_what, as) => {
    const expected = seen(await attempt(await direct(), as));
    expect(expected.length).toBeGreaterThan(0);
    expect(seen(await attempt(await ours(), as))).toEqual(expected);
  });

  test.each<[string, Buffer]>([
    ['protocol 4.0', encodeStartupMessage({ version: { major: 4, minor: 0 }, parameters: [['user', USER]] })],
    ['protocol 2.0', encodeStartupMessage({ version: { major: 2, minor: 0 }, parameters: [['user', USER]] })],
    ['no user', encodeStartupMessage({ version: { major: 3, minor: 0 }, parameters: [['database', DATABASE]] })],
    ['no terminator', Buffer.from('\0\0\0\x0d\0\x03\0\0user\0')],
    ['a length that is too small', Buffer.from('\0\0\0\x07')],
    ['a length that is too large', Buffer.from('\x7f\0\0\0')],
    [
      'a message that is no SASL response',
      Buffer.concat([
        encodeStartupMessage({ version: { major: 3, minor: 0 }, parameters: [['user', USER]] }),
        say.query('select 1'),
      ]),
    ],
  ])('with %s ends as in PostgreSQL', async (_what, bytes) => {
    const results = await Promise.all(
      [await direct(), await ours()].map(async (client) => {
        client.send(bytes);
        return told(await client.until('-'));
      }),
    );
    expect(results[1]).toEqual(results[0]);
  });

  test('brings the notices of the server before the first ReadyForQuery', async () => {
    const messages = await attempt(await ours(), {});
    expect(messages.slice(-2).map(line)).toEqual([
      'N SNOTICE\\0VNOTICE\\0C00000\\0Mdemo data: nothing here is real\\0\\0',
      'Z I',
    ]);
  });

  test('hands out the real pid of the backend', async () => {
    const client = await ours();
    const messages = await logIn(client, hunter);
    const pid = messages.find((message) => message.type === 'K')?.payload.readInt32BE(0);
    client.send(say.query('select pg_backend_pid()'));
    expect((await client.until('Z')).map(line)[1]).toContain(String(pid));
    client.close();
  });

  test.each([
    ['a wrong password', { password: 'nope' }],
    ['an unknown role', { user: 'nobody' }],
    ['an expired password', { user: 'expired' }],
  ])('with %s is refused in the same words', async (_what, as) => {
    const { user } = { ...hunter, ...as };
    expect(told(await attempt(await ours(), as))).toEqual([
      `FATAL 28P01 password authentication failed for user "${user}"`,
    ]);
  });

  test('an unknown role has a challenge like a known one, the same each time', async () => {
    const challenge = async (user: string) => {
      const client = await ours();
      client.send(encodeStartupMessage({ version: { major: 3, minor: 0 }, parameters: [['user', user]] }));
      await client.until('R');
      client.send(encodeSASLInitialResponse({ mechanism: 'SCRAM-SHA-256', response: Buffer.from('n,,n=,r=abc') }));
      const [message] = await client.until('R');
      client.close();
      return message?.payload.toString('latin1').replace(/r=[^,]*/u, 'r=') ?? '';
    };
    const [known, unknown, again, other] = [
      await challenge(USER),
      await challenge('nobody'),
      await challenge('nobody'),
      await challenge('somebody'),
    ];
    expect(unknown.replace(/s=[^,]*/u, '')).toBe(known.replace(/s=[^,]*/u, ''));
    expect(unknown.length).toBe(known.length);
    expect(again).toBe(unknown);
    expect(other).not.toBe(unknown);
  });

  test('counts a new password at once', async () => {
    await endpoint.engine.pool.query("create role changing login password 'one'");
    expect((await attempt(await ours(), { user: 'changing', password: 'one' })).at(-1)?.type).toBe('Z');
    await endpoint.engine.pool.query("alter role changing password 'two'");
    expect(told(await attempt(await ours(), { user: 'changing', password: 'one' }))).toHaveLength(1);
    expect((await attempt(await ours(), { user: 'changing', password: 'two' })).at(-1)?.type).toBe('Z');
  });

  test('of a superuser is refused, by a superuser with a wrong password as a wrong password', async () => {
    expect(told(await attempt(await ours(), { user: 'admin' }))).toEqual([
      'FATAL 28000 role "admin" is a superuser and may not log in here',
    ]);
    expect(told(await attempt(await ours(), { user: 'admin', password: 'nope' }))).toEqual([
      'FATAL 28P01 password authentication failed for user "admin"',
    ]);
  });

  test.each(['database', 'true'])('for replication (%s) is refused before a password is asked for', async (value) => {
    const client = await ours();
    client.send(
      encodeStartupMessage({
        version: { major: 3, minor: 0 },
        parameters: [
          ['user', USER],
          ['replication', value],
        ],
      }),
    );
    expect(told(await client.until('-'))).toEqual(['FATAL 0A000 replication connections are not supported']);
  });

  test('SSLRequest and GSSENCRequest are answered with N, and the connection goes on', async () => {
    const socket = await connectTcp(endpoint.port);
    socket.write(encodeGSSENCRequest());
    expect(await firstByte(socket)).toBe('N');
    socket.write(encodeSSLRequest());
    expect(await firstByte(socket)).toBe('N');
    const client = new WireClient(socket);
    expect((await logIn(client, hunter)).at(-1)?.type).toBe('Z');
    client.close();
  });

  test('bytes right behind an SSLRequest are refused', async () => {
    const socket = await connectTcp(endpoint.port);
    const startup = encodeStartupMessage({ version: { major: 3, minor: 0 }, parameters: [['user', USER]] });
    socket.write(Buffer.concat([encodeSSLRequest(), startup]));
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString('latin1')).toMatch(
      /^NE.*C08P01\0Mreceived unencrypted data after SSL request/su,
    );
  });

  test('the start-up message may come byte by byte', async () => {
    const client = await ours();
    for (const byte of encodeStartupMessage({ version: { major: 3, minor: 0 }, parameters: [['user', USER]] })) {
      client.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await client.until('R')).map((message) => message.type)).toEqual(['R']);
    client.close();
  });
});

describe('limits', () => {
  let endpoint: TestEndpoint;
  beforeAll(async () => {
    endpoint = await openTestEndpoint({
      limits: { maxConnections: 1, authenticationTimeoutMs: 500 },
      allowSuperuser: true,
    });
  });
  afterAll(() => endpoint.close());

  test('a superuser may log in where that was asked for; the next client is one too many, until it leaves', async () => {
    const first = await endpoint.connect({ user: 'admin' });
    expect(endpoint.server.connections).toBe(1);
    const second = new WireClient(await connectTcp(endpoint.port));
    expect(told(await logIn(second, hunter))).toEqual(['FATAL 53300 sorry, too many clients already']);
    first.close();
    await expect.poll(() => endpoint.server.connections).toBe(0);
    (await endpoint.connect()).close();
    await expect.poll(() => endpoint.server.connections).toBe(0);
  });

  test('a client that says nothing is disconnected without a word, one that does not log in is told', async () => {
    const silent = new WireClient(await connectTcp(endpoint.port));
    expect(await silent.until('-')).toEqual([]);
    const slow = new WireClient(await connectTcp(endpoint.port));
    slow.send(encodeStartupMessage({ version: { major: 3, minor: 0 }, parameters: [['user', USER]] }));
    expect(told(await slow.until('-'))).toEqual(['FATAL 57014 canceling authentication due to timeout']);
    await expect.poll(() => endpoint.server.connections).toBe(0);
  });
});

describe('TLS', () => {
  let endpoint: TestEndpoint;
  let endPoint: Buffer | undefined;
  beforeAll(async () => {
    const certificate = await selfSignedCertificate(['localhost', '127.0.0.1', '::1']);
    endPoint = endPointOf(new X509Certificate(certificate.cert).raw);
    endpoint = await openTestEndpoint({ tls: { ...certificate, required: true } });
  });
  afterAll(() => endpoint.close());

  const secure = async (socket: Duplex, options: ConnectionOptions = {}) => {
    const secured = connectTls({ socket, rejectUnauthorized: false, ...options });
    await once(secured, 'secureConnect');
    return secured;
  };
  const requestTls = async () => {
    const socket = await connectTcp(endpoint.port);
    socket.write(encodeSSLRequest());
    expect(await firstByte(socket)).toBe('S');
    return secure(socket);
  };

  test.each([true, false])('SCRAM works over it, with channel binding (%s)', async (bound) => {
    const client = new WireClient(await requestTls());
    const messages = await logIn(client, { ...hunter, endPoint: bound ? endPoint : undefined });
    expect(messages.at(-1)?.type).toBe('Z');
    client.send(say.query("select repeat('x', 1000000), x from virtual_demo"));
    expect((await client.until('Z')).map((message) => message.type).join('')).toBe('TDDDCZ');
    client.close();
  });

  test('both mechanisms are offered', async () => {
    const client = new WireClient(await requestTls());
    client.send(encodeStartupMessage({ version: { major: 3, minor: 0 }, parameters: [['user', USER]] }));
    const [message] = await client.until('R');
    expect(message?.payload.subarray(4).toString()).toBe('SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0');
    client.close();
  });

  test('another certificate than the one that the client saw is refused', async () => {
    const client = new WireClient(await requestTls());
    const messages = await logIn(client, { ...hunter, endPoint: Buffer.alloc(32) });
    expect(told(messages)).toEqual(['FATAL 28000 SCRAM channel binding check failed']);
  });

  test("the connection of a CancelRequest ends with TLS's close_notify, without which libpq reports an attack", async () => {
    const socket = await connectTcp(endpoint.port);
    socket.write(encodeSSLRequest());
    expect(await firstByte(socket)).toBe('S');
    const received: Buffer[] = [];
    const wire = new Duplex({
      read: () => undefined,
      write: (chunk, _encoding, done) => void socket.write(chunk, done),
    });
    socket.on('data', (chunk: Buffer) => {
      received.push(chunk);
      wire.push(chunk);
    });
    socket.on('end', () => wire.push(null));
    // In TLS 1.3 an alert cannot be told from data.
    const secured = connectTls({ socket: wire, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    secured.resume();
    await once(secured, 'secureConnect');
    const before = Buffer.concat(received).length;
    secured.write(encodeCancelRequest({ pid: 1, key: Buffer.alloc(4) }));
    await once(socket, 'end');
    expect(Buffer.concat(received).subarray(before)[0]).toBe(TLS_ALERT);
    socket.destroy();
  });

  test('a log-in without TLS is refused where TLS is required', async () => {
    const client = new WireClient(await connectTcp(endpoint.port));
    expect(told(await logIn(client, hunter))).toEqual(['FATAL 28000 this endpoint requires TLS']);
  });

  test('a handshake may come first where it names the protocol', async () => {
    const secured = await secure(await connectTcp(endpoint.port), { ALPNProtocols: ['postgresql'] });
    expect(secured.alpnProtocol).toBe('postgresql');
    const client = new WireClient(secured);
    expect((await logIn(client, { ...hunter, endPoint })).at(-1)?.type).toBe('Z');
    client.close();
  });

  test('a handshake that comes first and names no protocol, or another one, ends the connection', async () => {
    const unnamed = await secure(await connectTcp(endpoint.port));
    expect(await new WireClient(unnamed).until('-')).toEqual([]);
    await expect(secure(await connectTcp(endpoint.port), { ALPNProtocols: ['h2'] })).rejects.toThrow();
  });

  test('plain bytes right behind an SSLRequest end the connection', async () => {
    const socket = await connectTcp(endpoint.port);
    socket.on('error', () => undefined);
    socket.write(Buffer.concat([encodeSSLRequest(), encodeSSLRequest()]));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(socket, 'close');
    expect(Buffer.concat(chunks).toString()).toBe('S');
  });

  test('a handshake that fails leaves the server running', async () => {
    const socket = await connectTcp(endpoint.port);
    socket.on('error', () => undefined);
    socket.write(Buffer.concat([Buffer.from([0x16, 3, 1, 0, 5]), Buffer.from('nonsense')]));
    socket.resume();
    await once(socket, 'close');
    const client = new WireClient(await requestTls());
    expect((await logIn(client, hunter)).at(-1)?.type).toBe('Z');
    client.close();
  });
});
