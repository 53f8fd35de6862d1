import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Engine } from '../engine/engine.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { decodeAuthentication } from '../wire/backend/authentication.ts';
import { encodeSASLInitialResponse } from '../wire/frontend/sasl-initial-response.ts';
import { encodeSASLResponse } from '../wire/frontend/sasl-response.ts';
import { encodeStartupMessage, type StartupMessage } from '../wire/frontend/startup-message.ts';
import { proveClient, readChallenge, serverIsGenuine, startClientExchange } from '../wire/scram/client.ts';
import type { ScramKeys } from '../wire/scram/keys.ts';
import { SCRAM_SHA_256 } from '../wire/scram/server.ts';
import { engineUnavailable } from './credentials.ts';
import { HandshakeReader, PeerGone } from './handshake-reader.ts';

export interface LoggedIn {
  readonly stream: Duplex;
  /** What the engine sent since, its AuthenticationOk or its refusal first. */
  readonly received: Buffer;
}

const MAX_MESSAGE = 64 * 1024;
const NONCE_LENGTH = 18;
const HEADER = 5;

/** As the client, with the keys that its proof gave away. A refusal is not an error here: the client gets it as it is. */
export async function logInToEngine(engine: Engine, startup: StartupMessage, keys: ScramKeys): Promise<LoggedIn> {
  const stream = await engine.connectBackend().catch((cause: unknown) => {
    throw engineUnavailable(cause);
  });
  const reader = new HandshakeReader(stream);
  try {
    return { stream, received: await logIn(stream, reader, startup, keys) };
  } catch (error) {
    stream.destroy();
    throw error instanceof PeerGone ? engineUnavailable(error) : error;
  }
}

async function logIn(
  stream: Duplex,
  reader: HandshakeReader,
  startup: StartupMessage,
  keys: ScramKeys,
): Promise<Buffer> {
  const exchange = startClientExchange({ nonce: randomBytes(NONCE_LENGTH).toString('base64') });
  let proof: ReturnType<typeof proveClient> | undefined;
  let genuine = false;
  stream.write(encodeStartupMessage(startup));
  for (;;) {
    const message = await reader.message(MAX_MESSAGE);
    if (message.type === 'E') return Buffer.concat([frame(message), reader.detach()]);
    if (message.type !== 'R') continue;
    const step = decodeAuthentication(message.payload);
    switch (step.method) {
      case 'sasl':
        if (!step.mechanisms.includes(SCRAM_SHA_256)) throw unsupported();
        stream.write(encodeSASLInitialResponse({ mechanism: SCRAM_SHA_256, response: exchange.clientFirst }));
        break;
      case 'sasl-continue':
        proof = proveClient(exchange, readChallenge(exchange, step.data), keys.clientKey);
        stream.write(encodeSASLResponse({ data: proof.clientFinal }));
        break;
      case 'sasl-final':
        genuine = proof !== undefined && serverIsGenuine(proof, step.data, keys.serverKey);
        break;
      case 'ok':
        if (!genuine) throw unsupported();
        return Buffer.concat([frame(message), reader.detach()]);
      case 'other':
        throw unsupported();
    }
  }
}

function frame(message: { readonly type: string; readonly payload: Buffer }): Buffer {
  const header = Buffer.alloc(HEADER);
  header.write(message.type, 0, 'latin1');
  header.writeUInt32BE(message.payload.length + HEADER - 1, 1);
  return Buffer.concat([header, message.payload]);
}

function unsupported(): TrailhoundError {
  return new TrailhoundError('configuration', 'the engine does not ask this role for SCRAM-SHA-256', {
    hint: "Set the method scram-sha-256 in the engine's pg_hba.conf for connections from Trailhound.",
  });
}
