import { createHash } from 'node:crypto';

/** Signature algorithms of certificates (RFC 8017, 5758) and the hash that tls-server-end-point takes for them. */
const HASHES: ReadonlyMap<string, string> = new Map([
  // RFC 5929, section 4.1: SHA-256 in place of MD5 and SHA-1.
  ['1.2.840.113549.1.1.4', 'sha256'],
  ['1.2.840.113549.1.1.5', 'sha256'],
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.2.840.10045.4.1', 'sha256'],
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
]);

/**
 * RFC 5929's tls-server-end-point for a certificate in DER. Undefined where its signature names no single hash (Ed25519,
 * RSA-PSS): such a server cannot offer channel binding.
 */
export function endPointOf(certificate: Buffer): Buffer | undefined {
  const algorithm = HASHES.get(signatureAlgorithm(certificate) ?? '');
  return algorithm === undefined ? undefined : createHash(algorithm).update(certificate).digest();
}

/** Certificate ::= SEQUENCE { tbsCertificate SEQUENCE, signatureAlgorithm SEQUENCE { OBJECT IDENTIFIER, … }, … } */
function signatureAlgorithm(der: Buffer): string | undefined {
  const certificate = element(der, 0);
  if (certificate === undefined) return undefined;
  const body = element(der, certificate.start);
  if (body === undefined) return undefined;
  const algorithm = element(der, body.end);
  if (algorithm === undefined) return undefined;
  const oid = element(der, algorithm.start);
  return oid === undefined ? undefined : objectIdentifier(der.subarray(oid.start, oid.end));
}

function element(der: Buffer, at: number): { start: number; end: number } | undefined {
  const first = der[at + 1];
  if (first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4 || at + 2 + lengthBytes > der.length) return undefined;
  const length = lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes);
  const start = at + 2 + lengthBytes;
  return start + length > der.length ? undefined : { start, end: start + length };
}

function objectIdentifier(bytes: Buffer): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of bytes) {
    arc = arc * 0x80 + (byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const [head = 0, ...rest] = arcs;
  const top = Math.min(Math.floor(head / 40), 2);
  return [top, head - top * 40, ...rest].join('.');
}
