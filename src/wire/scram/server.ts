import { timingSafeEqual } from 'node:crypto';
import { TrailhoundError } from '../../kernel/errors.ts';
import { violation } from '../payload-reader.ts';
import { AttributeReader, malformed, printed } from './attribute-reader.ts';
import { hash, hmac, xor } from './keys.ts';
import type { Verifier } from './verifier.ts';

export const SCRAM_SHA_256 = 'SCRAM-SHA-256';
export const SCRAM_SHA_256_PLUS = 'SCRAM-SHA-256-PLUS';

const END_POINT = 'tls-server-end-point';

/** What the client chose of what it was offered. */
export interface Mechanism {
  /** tls-server-end-point's data where it chose PLUS. */
  readonly endPoint: Buffer | undefined;
  readonly plusOffered: boolean;
}

export interface ServerStart {
  readonly mechanism: Mechanism;
  readonly clientFirst: Buffer;
  readonly verifier: Verifier;
  /** Printable ASCII without commas, at least 18 random bytes' worth. */
  readonly nonce: string;
}

export interface ServerExchange {
  readonly serverFirst: Buffer;
  readonly verifier: Verifier;
  readonly nonce: string;
  /** Each character a byte. */
  readonly clientFirstBare: string;
  /** The GS2 header: what the client must send back in `c=`, with PLUS followed by the end point. */
  readonly header: Buffer;
  readonly endPoint: Buffer | undefined;
}

export type ServerVerdict =
  { readonly accepted: true; readonly serverFinal: Buffer; readonly clientKey: Buffer } | { readonly accepted: false };

/** @param endPoint tls-server-end-point's data; undefined where the connection cannot offer PLUS */
export function chosenMechanism(name: string, endPoint: Buffer | undefined): Mechanism {
  const plusOffered = endPoint !== undefined;
  if (name === SCRAM_SHA_256) return { endPoint: undefined, plusOffered };
  if (name === SCRAM_SHA_256_PLUS && plusOffered) return { endPoint, plusOffered };
  throw violation('client selected an invalid SASL authentication mechanism');
}

/** The server's first half: RFC 5802 and 5929, with PostgreSQL's checks and words (libpq/auth-scram.c). */
export function startExchange(start: ServerStart): ServerExchange {
  const text = textOf(start.clientFirst);
  const reader = new AttributeReader(text);
  const flag = readBindingFlag(start.mechanism, reader);
  if (reader.peek() === 'a')
    throw new TrailhoundError('not_supported', 'client uses authorization identity, but it is not supported');
  if (reader.peek() !== ',') {
    throw malformed(`Unexpected attribute "${printed(reader.peek())}" in client-first-message.`);
  }
  reader.skip(1);
  const bare = text.slice(reader.position);
  if (reader.peek() === 'm')
    throw new TrailhoundError('not_supported', 'client requires an unsupported SCRAM extension');
  // The start-up packet names the user.
  reader.required('n');
  const clientNonce = reader.required('r');
  if (clientNonce === '' || !/^[\x21-\x2b\x2d-\x7e]+$/u.test(clientNonce)) {
    throw violation('non-printable characters in SCRAM nonce');
  }
  while (reader.peek() !== '') reader.any();
  const nonce = clientNonce + start.nonce;
  const { salt, iterations } = start.verifier;
  const header = Buffer.from(`${flag},,`);
  return {
    serverFirst: Buffer.from(`r=${nonce},s=${salt.toString('base64')},i=${iterations}`),
    verifier: start.verifier,
    nonce,
    clientFirstBare: bare,
    endPoint: start.mechanism.endPoint,
    header,
  };
}

/** The second half. A proof that fits gives away the ClientKey: enough to log in elsewhere with the same verifier. */
export function finishExchange(exchange: ServerExchange, clientFinal: Buffer): ServerVerdict {
  const text = textOf(clientFinal);
  const reader = new AttributeReader(text);
  checkBinding(exchange, reader.required('c'));
  const nonce = reader.required('r');
  let end = reader.position - 1;
  let attribute = reader.any();
  while (attribute.name !== 'p') {
    end = reader.position - 1;
    attribute = reader.any();
  }
  const proof = Buffer.from(attribute.value, 'base64');
  if (proof.length !== exchange.verifier.storedKey.length || proof.toString('base64') !== attribute.value) {
    throw malformed('Malformed proof in client-final-message.');
  }
  if (reader.peek() !== '') throw malformed('Garbage found at the end of client-final-message.');
  if (nonce !== exchange.nonce) {
    throw new TrailhoundError('protocol_violation', 'invalid SCRAM response', { detail: 'Nonce does not match.' });
  }
  const said = `${exchange.clientFirstBare},${exchange.serverFirst.toString()},${text.slice(0, end)}`;
  const authMessage = Buffer.from(said, 'latin1');
  const clientKey = xor(proof, hmac(exchange.verifier.storedKey, authMessage));
  if (!timingSafeEqual(hash(clientKey), exchange.verifier.storedKey)) return { accepted: false };
  const signature = hmac(exchange.verifier.serverKey, authMessage);
  return { accepted: true, serverFinal: Buffer.from(`v=${signature.toString('base64')}`), clientKey };
}

/** Whatever encoding its user's name has, the proof is about bytes. */
function textOf(message: Buffer): string {
  if (message.length === 0) throw malformed('The message is empty.');
  if (message.includes(0)) throw malformed('Message length does not match input length.');
  return message.toString('latin1');
}

/** `n`, `y` or `p=…`, and the comma behind it. */
function readBindingFlag({ endPoint, plusOffered }: Mechanism, reader: AttributeReader): string {
  const flag = reader.peek();
  const plus = endPoint !== undefined;
  if (flag === 'p') {
    if (!plus) {
      throw malformed(
        'The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.',
      );
    }
    const type = reader.required('p');
    if (type === END_POINT) return `p=${type}`;
    throw violation(`unsupported SCRAM channel-binding type "${type.slice(0, 30).replaceAll(/[^\x21-\x7e]/gu, '?')}"`);
  }
  if (flag !== 'n' && flag !== 'y') throw malformed(`Unexpected channel-binding flag "${printed(flag)}".`);
  if (plus) {
    throw malformed(
      'The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.',
    );
  }
  if (flag === 'y' && plusOffered) {
    throw new TrailhoundError('invalid_authorization', 'SCRAM channel binding negotiation error', {
      detail:
        'The client supports SCRAM channel binding but thinks the server does not.  However, this server does support channel binding.',
    });
  }
  reader.skip(1);
  if (reader.peek() !== ',') throw malformed(`Comma expected, but found character "${printed(reader.peek())}".`);
  reader.skip(1);
  return flag;
}

function checkBinding({ header, endPoint }: ServerExchange, said: string): void {
  const binding = endPoint === undefined ? header : Buffer.concat([header, endPoint]);
  if (said === binding.toString('base64')) return;
  if (endPoint !== undefined) throw new TrailhoundError('invalid_authorization', 'SCRAM channel binding check failed');
  throw violation('unexpected SCRAM channel-binding attribute in client-final-message');
}
