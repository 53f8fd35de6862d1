import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { decodeAuthentication } from '../../../src/wire/backend/authentication.ts';
import { encodeSASLInitialResponse } from '../../../src/wire/frontend/sasl-initial-response.ts';
import { encodeSASLResponse } from '../../../src/wire/frontend/sasl-response.ts';
import { encodeStartupMessage } from '../../../src/wire/frontend/startup-message.ts';
import { MessageReader, payloadOf } from '../../../src/wire/message-reader.ts';
import type { ProtocolVersion } from '../../../src/wire/protocol.ts';
import { deriveKeys } from '../../../src/wire/scram/keys.ts';
import { proveClient, readChallenge, serverIsGenuine, startClientExchange } from '../../../src/wire/scram/client.ts';

export interface WireMessage {
  readonly type: string;
  readonly payload: Buffer;
}

export interface LogIn {
  readonly user: string;
  readonly password: string;
  readonly database?: string;
  readonly version?: ProtocolVersion;
  readonly parameters?: readonly (readonly [string, string])[];
  readonly endPoint?: Buffer | undefined;
}

const PATIENCE_MS = 120_000;

/** A client that sends bytes and sees messages, nothing in between: what conversation tests are written with. */
export class WireClient {
  readonly stream: Duplex;
  readonly closed: Promise<void>;
  readonly #reader = new MessageReader({ want: () => 'whole' });
  readonly #messages: WireMessage[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(stream: Duplex) {
    this.stream = stream;
    this.closed = new Promise((resolve) => stream.once('close', () => resolve()));
    stream.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk);
      for (let piece = this.#reader.next(); piece !== undefined; piece = this.#reader.next()) {
        this.#messages.push({ type: String.fromCharCode(piece.type), payload: Buffer.from(payloadOf(piece)) });
      }
      this.#wake?.();
    });
    const end = () => {
      this.#ended = true;
      this.#wake?.();
    };
    stream.on('end', end).on('close', end).on('error', end);
  }

  send(...messages: readonly Buffer[]): void {
    this.stream.write(Buffer.concat(messages));
  }

  /** Undefined at the end of the stream. */
  async next(): Promise<WireMessage | undefined> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined || this.#ended) return message;
      await this.#arrival();
    }
  }

  /** All messages up to and with the `count`-th of the type, or to the end of the stream. */
  async until(type: string, count = 1): Promise<WireMessage[]> {
    const seen: WireMessage[] = [];
    for (let left = count; left > 0;) {
      const message = await this.next();
      if (message === undefined) break;
      seen.push(message);
      if (message.type === type) left -= 1;
    }
    return seen;
  }

  /** Rejects in place of a test that hangs without saying where. */
  #arrival(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no message came')), PATIENCE_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** What has arrived and was not yet read. */
  get pending(): number {
    return this.#messages.length;
  }

  close(): void {
    this.stream.destroy();
  }
}

export async function connectTcp(port: number): Promise<Duplex> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** Start-up and SCRAM up to the first ReadyForQuery or the end; the messages after SCRAM are returned. */
export async function logIn(client: WireClient, as: LogIn): Promise<WireMessage[]> {
  const database: readonly (readonly [string, string])[] = as.database === undefined ? [] : [['database', as.database]];
  const parameters = [['user', as.user] as const, ...database, ...(as.parameters ?? [])];
  client.send(encodeStartupMessage({ version: as.version ?? { major: 3, minor: 0 }, parameters }));
  const first = await client.until('R');
  if (first.at(-1)?.type !== 'R') return first;
  const refusal = await proveIdentity(client, as);
  return [...first.slice(0, -1), ...(refusal ?? (await client.until('Z')))];
}

/** SCRAM, after AuthenticationSASL has come. Undefined: AuthenticationOk is what comes next; else what came in its place. */
export async function proveIdentity(
  client: WireClient,
  as: Pick<LogIn, 'password' | 'endPoint'>,
): Promise<WireMessage[] | undefined> {
  const exchange = startClientExchange({ nonce: randomBytes(18).toString('base64'), endPoint: as.endPoint });
  const mechanism = as.endPoint === undefined ? 'SCRAM-SHA-256' : 'SCRAM-SHA-256-PLUS';
  client.send(encodeSASLInitialResponse({ mechanism, response: exchange.clientFirst }));
  const second = await client.until('R');
  const challengeData = second[0] === undefined ? undefined : decodeIfAuthentication(second[0]);
  if (challengeData?.method !== 'sasl-continue') return second;
  const challenge = readChallenge(exchange, challengeData.data);
  const keys = await deriveKeys(as.password, challenge.salt, challenge.iterations);
  const proof = proveClient(exchange, challenge, keys.clientKey);
  client.send(encodeSASLResponse({ data: proof.clientFinal }));
  const third = await client.until('R');
  const final = third[0] === undefined ? undefined : decodeIfAuthentication(third[0]);
  if (final?.method !== 'sasl-final') return third;
  if (!serverIsGenuine(proof, final.data, keys.serverKey)) throw new Error('the server does not know the verifier');
  return undefined;
}

function decodeIfAuthentication(message: WireMessage) {
  return message.type === 'R' ? decodeAuthentication(message.payload) : undefined;
}
