import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Engine } from '../engine/engine.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { encodeAuthentication } from '../wire/backend/authentication.ts';
import { decodeSASLInitialResponse } from '../wire/frontend/sasl-initial-response.ts';
import { decodeSASLResponse } from '../wire/frontend/sasl-response.ts';
import { violation } from '../wire/payload-reader.ts';
import { MAX_AUTH_MESSAGE } from '../wire/protocol.ts';
import type { ScramKeys } from '../wire/scram/keys.ts';
import {
  chosenMechanism,
  finishExchange,
  SCRAM_SHA_256,
  SCRAM_SHA_256_PLUS,
  startExchange,
} from '../wire/scram/server.ts';
import { readCredentials } from './credentials.ts';
import type { HandshakeReader } from './handshake-reader.ts';

export interface Authenticated {
  /** With them the server logs in to the engine as the same role, without its password. */
  readonly keys: ScramKeys;
  /** To be sent once the log-in is certain. */
  readonly serverFinal: Buffer;
}

export interface AuthenticateOptions {
  readonly stream: Duplex;
  readonly reader: HandshakeReader;
  readonly engine: Engine;
  readonly user: string;
  /** tls-server-end-point's data; undefined: no TLS, or no channel binding. */
  readonly endPoint: Buffer | undefined;
  readonly allowSuperuser: boolean;
}

const NONCE_LENGTH = 18;

/** SCRAM-SHA-256, with channel binding where the connection has TLS. Throws what the client is to be told. */
export async function authenticate(options: AuthenticateOptions): Promise<Authenticated> {
  const { stream, user, endPoint } = options;
  const mechanisms = endPoint === undefined ? [SCRAM_SHA_256] : [SCRAM_SHA_256_PLUS, SCRAM_SHA_256];
  const credentials = await readCredentials(options.engine, user);
  stream.write(encodeAuthentication({ method: 'sasl', mechanisms }));
  const first = decodeSASLInitialResponse(await saslMessage(options));
  const mechanism = chosenMechanism(first.mechanism, endPoint);
  const exchange = startExchange({
    mechanism,
    clientFirst: first.response ?? (await askForFirst(options)),
    verifier: credentials.verifier,
    nonce: randomBytes(NONCE_LENGTH).toString('base64'),
  });
  stream.write(encodeAuthentication({ method: 'sasl-continue', data: exchange.serverFirst }));
  const { data } = decodeSASLResponse(await saslMessage(options));
  const verdict = finishExchange(exchange, data);
  if (!verdict.accepted || credentials.doomed) throw wrongPassword(user);
  if (credentials.superuser && !options.allowSuperuser) {
    throw new TrailhoundError('invalid_authorization', `role "${user}" is a superuser and may not log in here`, {
      hint: 'Log in as a role without superuser, such as trailhound; `trailhound user add` makes more.',
    });
  }
  return {
    keys: { clientKey: verdict.clientKey, serverKey: credentials.verifier.serverKey },
    serverFinal: encodeAuthentication({ method: 'sasl-final', data: verdict.serverFinal }),
  };
}

/** A client may say nothing but its mechanism yet: an empty challenge asks for the rest (scram_exchange). */
async function askForFirst(options: AuthenticateOptions): Promise<Buffer> {
  options.stream.write(encodeAuthentication({ method: 'sasl-continue', data: Buffer.alloc(0) }));
  return decodeSASLResponse(await saslMessage(options)).data;
}

async function saslMessage({ reader, user }: AuthenticateOptions): Promise<Buffer> {
  // PostgreSQL says no more of one that is too long (CheckSASLAuth in libpq/auth-sasl.c).
  const { type, payload } = await reader.message(MAX_AUTH_MESSAGE).catch((error: unknown) => {
    throw error instanceof TrailhoundError ? wrongPassword(user) : error;
  });
  if (type !== 'p') throw violation(`expected SASL response, got message type ${type.charCodeAt(0)}`);
  return payload;
}

function wrongPassword(user: string): TrailhoundError {
  return new TrailhoundError('invalid_password', `password authentication failed for user "${user}"`);
}
