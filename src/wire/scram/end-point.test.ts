import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mutated } from '../../../test/support/mutations.ts';
import { endPointOf } from './end-point.ts';

const sequence = (...content: readonly Buffer[]) => {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([0x30, 0x82, body.length >> 8, body.length & 0xff]), body]);
};

/** As much of a certificate as is looked at: its body, and the algorithm's object identifier in hexadecimal. */
const certificate = (oid: string) => {
  const bytes = Buffer.from(oid, 'hex');
  return sequence(sequence(Buffer.alloc(300)), sequence(Buffer.from([0x06, bytes.length]), bytes));
};

test.each([
  ['MD5 with RSA', '2a864886f70d010104', 'sha256'],
  ['SHA-1 with RSA', '2a864886f70d010105', 'sha256'],
  ['SHA-256 with RSA', '2a864886f70d01010b', 'sha256'],
  ['SHA-384 with RSA', '2a864886f70d01010c', 'sha384'],
  ['SHA-512 with RSA', '2a864886f70d01010d', 'sha512'],
  ['ECDSA with SHA-384', '2a8648ce3d040303', 'sha384'],
])('a certificate signed by %s is hashed as RFC 5929 says', (_name, oid, algorithm) => {
  const der = certificate(oid);
  expect(endPointOf(der)).toEqual(createHash(algorithm).update(der).digest());
});

test.each([
  ['Ed25519', certificate('2b6570')],
  ['nothing', Buffer.alloc(0)],
  ['something cut short', certificate('2b6570').subarray(0, 50)],
])('%s gives no end point', (_name, der) => {
  expect(endPointOf(der)).toBeUndefined();
});

test('what is no certificate any more gives a digest, or none', () => {
  const broken = fc.oneof(
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    mutated(fc.constant(certificate('2a864886f70d01010b'))),
  );
  fc.assert(fc.property(broken, (der) => [undefined, 32, 48, 64].includes(endPointOf(der)?.length)));
});
