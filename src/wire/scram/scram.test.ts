import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mutated } from '../../../test/support/mutations.ts';
import { TrailhoundError } from '../../kernel/errors.ts';
import { proveClient, readChallenge, serverIsGenuine, startClientExchange } from './client.ts';
import { deriveKeys } from './keys.ts';
import { prepare } from './saslprep.ts';
import { chosenMechanism, finishExchange, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, startExchange } from './server.ts';
import { createVerifier, formatVerifier, mockVerifier, parseVerifier } from './verifier.ts';

/** RFC 7677, section 3. */
const RFC = {
  password: 'pencil',
  clientNonce: 'rOprNGfwEbeRWgbNEkqO',
  serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

const endPoint = Buffer.from('hash of a certificate');

async function begin(options: { clientFirst?: string; mechanism?: string; endPoint?: Buffer | undefined } = {}) {
  const verifier = await createVerifier(RFC.password, RFC.salt, 4096);
  return startExchange({
    mechanism: chosenMechanism(options.mechanism ?? SCRAM_SHA_256, options.endPoint),
    clientFirst: Buffer.from(options.clientFirst ?? RFC.clientFirst),
    verifier,
    nonce: RFC.serverNonce,
  });
}

test("the server's side speaks the exchange of RFC 7677", async () => {
  const exchange = await begin();
  expect(exchange.serverFirst.toString()).toBe(RFC.serverFirst);
  const verdict = finishExchange(exchange, Buffer.from(RFC.clientFinal));
  expect(verdict.accepted && verdict.serverFinal.toString()).toBe(RFC.serverFinal);
});

test("the client's side speaks the exchange of RFC 7677", async () => {
  const exchange = startClientExchange({ nonce: RFC.clientNonce, user: 'user' });
  expect(exchange.clientFirst.toString()).toBe(RFC.clientFirst);
  const challenge = readChallenge(exchange, Buffer.from(RFC.serverFirst));
  const keys = await deriveKeys(RFC.password, challenge.salt, challenge.iterations);
  const proof = proveClient(exchange, challenge, keys.clientKey);
  expect(proof.clientFinal.toString()).toBe(RFC.clientFinal);
  expect(serverIsGenuine(proof, Buffer.from(RFC.serverFinal), keys.serverKey)).toBe(true);
  expect(serverIsGenuine(proof, Buffer.from(RFC.serverFinal), keys.clientKey)).toBe(false);
});

test('the ClientKey that an accepted proof gives away logs in elsewhere, without the password', async () => {
  const verdict = finishExchange(await begin(), Buffer.from(RFC.clientFinal));
  const client = startClientExchange({ nonce: 'another' });
  const server = await begin({ clientFirst: client.clientFirst.toString() });
  const clientKey = verdict.accepted ? verdict.clientKey : Buffer.alloc(32);
  const proof = proveClient(client, readChallenge(client, server.serverFirst), clientKey);
  expect(finishExchange(server, proof.clientFinal).accepted).toBe(true);
});

test('a wrong password is not accepted', async () => {
  const client = startClientExchange({ nonce: 'n' });
  const server = await begin({ clientFirst: client.clientFirst.toString() });
  const challenge = readChallenge(client, server.serverFirst);
  const { clientKey } = await deriveKeys('pencils', challenge.salt, challenge.iterations);
  expect(finishExchange(server, proveClient(client, challenge, clientKey).clientFinal)).toEqual({ accepted: false });
});

describe('channel binding', () => {
  test('fits when both ends see the same certificate, and only then', async () => {
    const attempt = async (seen: Buffer) => {
      const client = startClientExchange({ nonce: 'n', endPoint: seen });
      const clientFirst = client.clientFirst.toString();
      const server = await begin({ clientFirst, mechanism: SCRAM_SHA_256_PLUS, endPoint });
      const challenge = readChallenge(client, server.serverFirst);
      const { clientKey } = await deriveKeys(RFC.password, challenge.salt, challenge.iterations);
      return finishExchange(server, proveClient(client, challenge, clientKey).clientFinal).accepted;
    };
    expect(await attempt(endPoint)).toBe(true);
    await expect(attempt(Buffer.from('another'))).rejects.toThrow('SCRAM channel binding check failed');
  });

  test.each([
    ['thinks that the server cannot, which can', 'y,,n=,r=x', SCRAM_SHA_256, endPoint, 'negotiation error'],
    [
      'binds though it chose the plain mechanism',
      'p=tls-server-end-point,,n=,r=x',
      SCRAM_SHA_256,
      endPoint,
      'malformed',
    ],
    ['does not bind though it chose PLUS', 'n,,n=,r=x', SCRAM_SHA_256_PLUS, endPoint, 'malformed'],
    ['chose PLUS without TLS', 'p=tls-server-end-point,,n=,r=x', SCRAM_SHA_256_PLUS, undefined, 'invalid SASL'],
    ['binds otherwise', 'p=tls-unique,,n=,r=x', SCRAM_SHA_256_PLUS, endPoint, 'unsupported SCRAM channel-binding type'],
  ])('a client that %s is refused', async (_what, clientFirst, mechanism, data, message) => {
    await expect(begin({ clientFirst, mechanism, endPoint: data })).rejects.toThrow(message);
  });

  test('a client that could bind, where the server cannot, is taken', async () => {
    expect((await begin({ clientFirst: 'y,,n=,r=x' })).header.toString()).toBe('y,,');
  });
});

test.each([
  ['an authorization identity', 'n,a=admin,n=,r=x'],
  ['a mandatory extension', 'n,,m=ext,n=,r=x'],
  ['no nonce', 'n,,n='],
  ['an empty nonce', 'n,,n=,r='],
  ['a nonce that is not printable', 'n,,n=,r=a b'],
  ['no SCRAM at all', 'hello'],
])('%s in the first message is refused', async (_what, clientFirst) => {
  await expect(begin({ clientFirst })).rejects.toBeInstanceOf(TrailhoundError);
});

test.each([
  ['another nonce', 'c=biws,r=other,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ='],
  ['a short proof', RFC.clientFinal.replace(/p=.*/u, 'p=AAAA')],
  ['no proof', RFC.clientFinal.replace(/,p=.*/u, '')],
])('%s in the last message is refused', async (_what, clientFinal) => {
  const exchange = await begin();
  expect(() => finishExchange(exchange, Buffer.from(clientFinal))).toThrow(TrailhoundError);
});

test('no message makes the server throw anything but a TrailhoundError', async () => {
  const exchange = await begin();
  const message = fc.oneof(
    fc.string(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  await fc.assert(
    fc.asyncProperty(message, async (text) => {
      await begin({ clientFirst: `n,,${text}` }).catch((error: unknown) =>
        expect(error).toBeInstanceOf(TrailhoundError),
      );
      try {
        expect(finishExchange(exchange, Buffer.from(text)).accepted).toBe(false);
      } catch (error) {
        expect(error).toBeInstanceOf(TrailhoundError);
      }
    }),
  );
});

/** Of the exchange's own errors one, or what `work` gives. */
function orRefused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    expect(error).toBeInstanceOf(TrailhoundError);
    expect(['protocol_violation', 'not_supported', 'invalid_authorization']).toContain((error as TrailhoundError).code);
    return undefined;
  }
}

const changed = (text: string) => mutated(fc.constant(Buffer.from(text))).filter((bytes) => bytes.toString() !== text);

test("a client's messages that are changed on the way are refused, and never accepted", async () => {
  const exchange = await begin();
  const { verifier } = exchange;
  fc.assert(
    fc.property(changed(RFC.clientFirst), changed(RFC.clientFinal), (clientFirst, clientFinal) => {
      const mechanism = chosenMechanism(SCRAM_SHA_256, undefined);
      const begun = orRefused(() => startExchange({ mechanism, clientFirst, verifier, nonce: RFC.serverNonce }));
      const size = clientFirst.length + RFC.serverNonce.length + RFC.serverFirst.length;
      expect(begun?.serverFirst.length ?? 0).toBeLessThanOrEqual(size);
      expect(orRefused(() => finishExchange(exchange, clientFinal).accepted) ?? false).toBe(false);
    }),
    { numRuns: 500 },
  );
});

test("a server's messages that are changed on the way are refused, or prove nothing", async () => {
  const exchange = startClientExchange({ nonce: RFC.clientNonce, user: 'user' });
  const challenge = readChallenge(exchange, Buffer.from(RFC.serverFirst));
  const keys = await deriveKeys(RFC.password, challenge.salt, challenge.iterations);
  const proof = proveClient(exchange, challenge, keys.clientKey);
  fc.assert(
    fc.property(changed(RFC.serverFirst), mutated(fc.constant(Buffer.from('v=AAAA'))), (serverFirst, serverFinal) => {
      const read = orRefused(() => readChallenge(exchange, serverFirst));
      expect(read?.salt.length ?? 0).toBeLessThanOrEqual(serverFirst.length);
      expect(orRefused(() => serverIsGenuine(proof, serverFinal, keys.serverKey)) ?? false).toBe(false);
    }),
    { numRuns: 500 },
  );
});

test('a server nonce that does not begin with our own is refused', () => {
  const exchange = startClientExchange({ nonce: 'mine' });
  expect(() => readChallenge(exchange, Buffer.from('r=other,s=AAAA,i=4096'))).toThrow('invalid SCRAM nonce');
  expect(() => readChallenge(exchange, Buffer.from('r=mine,s=AAAA,i=4096'))).toThrow('invalid SCRAM nonce');
});

describe('verifiers', () => {
  test("are read and written in pg_authid's form", async () => {
    const verifier = await createVerifier(RFC.password, RFC.salt, 4096);
    expect(parseVerifier(formatVerifier(verifier))).toEqual(verifier);
  });

  test.each([
    '',
    'md5d41d8cd98f00b204e9800998ecf8427e',
    'SCRAM-SHA-256$0:AAAA$AAAA:AAAA',
    'SCRAM-SHA-256$4096:AAAA$x:y',
  ])('%j is none', (text) => {
    expect(parseVerifier(text)).toBeUndefined();
  });

  test('that are changed are others, or none', async () => {
    const text = formatVerifier(await createVerifier(RFC.password, RFC.salt, 1));
    fc.assert(
      fc.property(fc.oneof(changed(text).map(String), fc.string()), (other) => {
        const verifier = parseVerifier(other);
        expect([undefined, 32]).toContain(verifier?.storedKey.length);
        expect([undefined, 32]).toContain(verifier?.serverKey.length);
      }),
    );
  });

  test('of users that do not exist stay the same for a user, differ between users and look like real ones', () => {
    const secret = Buffer.from('secret');
    const mock = mockVerifier('nobody', secret);
    expect(mockVerifier('nobody', secret)).toEqual(mock);
    expect(mockVerifier('somebody', secret).salt).not.toEqual(mock.salt);
    expect(parseVerifier(formatVerifier(mock))).toEqual(mock);
  });
});

test('passwords are prepared as SASLprep says, or taken as they are where it refuses', () => {
  // U+00AA is mapped to "a" (RFC 4013, section 3); U+0007 is prohibited.
  expect(prepare('\u00aa')).toBe('a');
  expect(prepare('a\u0007')).toBe('a\u0007');
});
