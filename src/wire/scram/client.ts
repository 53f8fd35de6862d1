import { timingSafeEqual } from 'node:crypto';
import { violation } from '../payload-reader.ts';
import { AttributeReader } from './attribute-reader.ts';
import { type ScramKeys, hash, hmac, xor } from './keys.ts';

export interface ClientStart {
  readonly nonce: string;
  /** tls-server-end-point's data where PLUS was chosen. */
  readonly endPoint?: Buffer | undefined;
  /** PostgreSQL ignores it: the start-up packet names the user. */
  readonly user?: string;
}

export interface ClientExchange {
  readonly clientFirst: Buffer;
  readonly start: ClientStart;
  readonly bare: string;
  readonly header: string;
}

export interface ServerChallenge {
  readonly text: string;
  readonly nonce: string;
  readonly salt: Buffer;
  readonly iterations: number;
}

export interface ClientProof {
  readonly clientFinal: Buffer;
  readonly authMessage: string;
}

export function startClientExchange(start: ClientStart): ClientExchange {
  const header = start.endPoint === undefined ? 'n,,' : 'p=tls-server-end-point,,';
  const bare = `n=${start.user ?? ''},r=${start.nonce}`;
  return { clientFirst: Buffer.from(header + bare), start, bare, header };
}

export function readChallenge(exchange: ClientExchange, serverFirst: Buffer): ServerChallenge {
  const text = serverFirst.toString('utf8');
  const reader = new AttributeReader(text);
  const nonce = reader.required('r');
  const salt = Buffer.from(reader.required('s'), 'base64');
  const iterations = Number(reader.required('i'));
  if (!nonce.startsWith(exchange.start.nonce) || nonce === exchange.start.nonce) throw violation('invalid SCRAM nonce');
  if (salt.length === 0 || !Number.isSafeInteger(iterations) || iterations < 1)
    throw violation('malformed SCRAM message');
  return { text, nonce, salt, iterations };
}

/** Needs no password: the keys may come from one, or from another exchange against the same verifier. */
export function proveClient(exchange: ClientExchange, challenge: ServerChallenge, clientKey: Buffer): ClientProof {
  const binding = Buffer.concat([Buffer.from(exchange.header), exchange.start.endPoint ?? Buffer.alloc(0)]);
  const withoutProof = `c=${binding.toString('base64')},r=${challenge.nonce}`;
  const authMessage = `${exchange.bare},${challenge.text},${withoutProof}`;
  const proof = xor(clientKey, hmac(hash(clientKey), authMessage));
  return { clientFinal: Buffer.from(`${withoutProof},p=${proof.toString('base64')}`), authMessage };
}

/** Whether the server knows the verifier too. */
export function serverIsGenuine(proof: ClientProof, serverFinal: Buffer, serverKey: ScramKeys['serverKey']): boolean {
  const signature = Buffer.from(new AttributeReader(serverFinal.toString('utf8')).required('v'), 'base64');
  const expected = hmac(serverKey, proof.authMessage);
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}
