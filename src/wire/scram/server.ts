import { timingSafeEqual } from 'node:crypto';
import { TrailhoundError } from '../../kernel/errors.ts';
import { violation } from '../payload-reader.ts';
import { attributes, requireAttribute } from './attributes.ts';
import { hash, hmac, xor } from './keys.ts';
import type { Verifier } from './verifier.ts';

export const SCRAM_SHA_256 = 'SCRAM-SHA-256';
export const SCRAM_SHA_256_PLUS = 'SCRAM-SHA-256-PLUS';

export interface ServerStart {
  /** As the client named it in SASLInitialResponse. */
  readonly mechanism: string;
  readonly clientFirst: Buffer;
  readonly verifier: Verifier;
  /** Printable ASCII without commas, at least 18 random bytes' worth. */
  readonly nonce: string;
  /** tls-server-end-point's data; undefined where the connection cannot offer PLUS. */
  readonly endPoint: Buffer | undefined;
}

export interface ServerExchange {
  readonly serverFirst: Buffer;
  readonly verifier: Verifier;
  readonly nonce: string;
  readonly clientFirstBare: string;
  /** What the client must send back in `c=`: the GS2 header and, with PLUS, the end point. */
  readonly binding: Buffer;
}

export type ServerVerdict =
  { readonly accepted: true; readonly serverFinal: Buffer; readonly clientKey: Buffer } | { readonly accepted: false };

/** The server's first half: RFC 5802 and 5929, with PostgreSQL's checks and words (libpq/auth-scram.c). */
export function startExchange(start: ServerStart): ServerExchange {
  checkMechanism(start);
  const text = start.clientFirst.toString('utf8');
  const match = /^(?<flag>n|y|p=(?<type>[A-Za-z0-9.-]+)),(?<authzid>[^,]*),(?<bare>.*)$/su.exec(text);
  if (match?.groups === undefined) throw malformed();
  const { flag = '', type, authzid = '', bare = '' } = match.groups;
  if (authzid !== '')
    throw new TrailhoundError('not_supported', 'client uses authorization identity, but it is not supported');
  checkBinding(start, flag, type);
  const fields = attributes(bare);
  if (fields[0]?.name === 'm')
    throw new TrailhoundError('not_supported', 'client requires an unsupported SCRAM extension');
  requireAttribute(fields, 0, 'n');
  const clientNonce = requireAttribute(fields, 1, 'r');
  if (clientNonce === '' || !/^[\x21-\x2b\x2d-\x7e]+$/u.test(clientNonce)) {
    throw violation('non-printable characters in SCRAM nonce');
  }
  const nonce = clientNonce + start.nonce;
  const { salt, iterations } = start.verifier;
  const header = Buffer.from(`${flag},,`);
  return {
    serverFirst: Buffer.from(`r=${nonce},s=${salt.toString('base64')},i=${iterations}`),
    verifier: start.verifier,
    nonce,
    clientFirstBare: bare,
    binding: type === undefined || start.endPoint === undefined ? header : Buffer.concat([header, start.endPoint]),
  };
}

/** The second half. A proof that fits gives away the ClientKey: enough to log in elsewhere with the same verifier. */
export function finishExchange(exchange: ServerExchange, clientFinal: Buffer): ServerVerdict {
  const text = clientFinal.toString('utf8');
  const fields = attributes(text);
  const binding = requireAttribute(fields, 0, 'c');
  const nonce = requireAttribute(fields, 1, 'r');
  const last = fields.length - 1;
  const proof = Buffer.from(requireAttribute(fields, last, 'p'), 'base64');
  if (last < 2 || proof.length !== exchange.verifier.storedKey.length) throw malformed();
  if (binding !== exchange.binding.toString('base64')) {
    throw new TrailhoundError('protocol_violation', 'SCRAM channel binding check failed');
  }
  if (nonce !== exchange.nonce) throw violation('invalid SCRAM response');
  const withoutProof = text.slice(0, text.lastIndexOf(',p='));
  const authMessage = `${exchange.clientFirstBare},${exchange.serverFirst.toString()},${withoutProof}`;
  const clientKey = xor(proof, hmac(exchange.verifier.storedKey, authMessage));
  if (!timingSafeEqual(hash(clientKey), exchange.verifier.storedKey)) return { accepted: false };
  const signature = hmac(exchange.verifier.serverKey, authMessage);
  return { accepted: true, serverFinal: Buffer.from(`v=${signature.toString('base64')}`), clientKey };
}

function checkMechanism({ mechanism, endPoint }: ServerStart): void {
  if (mechanism === SCRAM_SHA_256 || (mechanism === SCRAM_SHA_256_PLUS && endPoint !== undefined)) return;
  throw violation('client selected an invalid SASL authentication mechanism');
}

function checkBinding(start: ServerStart, flag: string, type: string | undefined): void {
  const plus = start.mechanism === SCRAM_SHA_256_PLUS;
  if (plus && type === undefined) {
    throw malformed(
      'The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.',
    );
  }
  if (!plus && type !== undefined) {
    throw malformed(
      'The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.',
    );
  }
  if (type !== undefined && type !== 'tls-server-end-point') {
    throw violation(`unsupported SCRAM channel-binding type "${type}"`);
  }
  if (flag === 'y' && start.endPoint !== undefined) {
    throw new TrailhoundError('protocol_violation', 'SCRAM channel binding negotiation error', {
      detail:
        'The client supports SCRAM channel binding but thinks the server does not. However, this server does support channel binding.',
    });
  }
}

function malformed(detail?: string): TrailhoundError {
  return new TrailhoundError('protocol_violation', 'malformed SCRAM message', { detail });
}
