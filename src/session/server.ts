import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Engine } from '../engine/engine.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { QueryPipeline } from '../query/pipeline.ts';
import type { BackendKeyData } from '../wire/backend/backend-key-data.ts';
import type { CancelRequest } from '../wire/frontend/cancel-request.ts';
import { Admission, type Limits } from './admission.ts';
import { authenticate } from './authenticate.ts';
import { CancelKeys, forwardCancel } from './cancel-keys.ts';
import { logInToEngine } from './engine-login.ts';
import { closeStream } from './close.ts';
import { fatal } from './error-fields.ts';
import { PeerGone } from './handshake-reader.ts';
import { negotiate, valueOf } from './negotiate.ts';
import { type Opened, receiveStartup } from './receive-startup.ts';
import { Session } from './session.ts';
import { startupSettings } from './startup-settings.ts';
import { createTlsServer, type TlsOptions, type TlsServer } from './tls.ts';

export interface SessionServerOptions {
  readonly engine: Engine;
  readonly pipeline: QueryPipeline;
  /** Without it, SSLRequest is answered with N. */
  readonly tls?: TlsOptions | undefined;
  readonly limits: Limits;
  /** Sent to each client as NOTICEs once it has logged in. */
  readonly notices?: readonly string[];
  /** For the loopback: whose scan it is that postgres_fdw connects for, by its application_name. Asked before the log-in ends. */
  readonly callerOf?: (applicationName: string | undefined) => Promise<number | undefined>;
  /** Superusers see no limit of ours: refused by default. */
  readonly allowSuperuser?: boolean;
  /** Gets the cancel requests that are of no client here. Never rejects. */
  readonly cancelElsewhere?: (request: CancelRequest) => Promise<void>;
  /** Called when a client's backend is known, and when it is gone. */
  readonly serving?: (pid: number, is: boolean) => void;
  readonly log: Logger;
}

export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export interface SessionServer {
  /** The port is 0 for a path. */
  listen(address: ListenAddress): Promise<{ readonly port: number }>;
  /** A connection that somebody else has accepted, and read `head` of. */
  receive(socket: Socket, head: Buffer): void;
  /** Clients that are logged in, or about to be. */
  readonly connections: number;
  /** Whether the backend with this pid is that of a client. */
  serves(pid: number): boolean;
  /** False where the request is of no client here, or its key is wrong. Resolves when the engine has acted. */
  cancel(request: CancelRequest): Promise<boolean>;
  /** For connections that come from now on. Throws, and leaves it as it was, where certificate and key cannot be used. */
  renewTls(tls: TlsOptions): void;
  /** No new connections; running statements get `graceMs`, then everybody is told 57P01. Idempotent. */
  close(graceMs: number): Promise<void>;
}

const AUTHENTICATION_TIMEOUT_MS = 60_000;

/** For a client that does not read its last message. */
const LAST_WORDS_MS = 1_000;

/** For the engine's other databases: nothing of ours is in them, not even what tells so. */
const NO_VIRTUAL_TABLES: QueryPipeline = {
  mayConcern: () => false,
  split: () => undefined,
  rewrite: () => Promise.resolve(undefined),
};

export function createSessionServer(options: SessionServerOptions): SessionServer {
  return new Endpoint(options);
}

/** What waits for a client at most: with less than two reads of its backend, each would stop and start that. */
const CLIENT_BUFFER = 128 * 1024;

class Endpoint implements SessionServer {
  readonly #options: SessionServerOptions;
  readonly #admission: Admission;
  #tls: TlsServer | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<Session>();
  readonly #cancelKeys = new CancelKeys<Session>();
  #closing: Promise<void> | undefined;

  constructor(options: SessionServerOptions) {
    this.#options = options;
    this.#admission = new Admission(options.limits);
    this.#tls = options.tls === undefined ? undefined : createTlsServer(options.tls);
    this.#server = createServer(
      { allowHalfOpen: true, noDelay: true, highWaterMark: CLIENT_BUFFER },
      (socket) => void this.#accept(socket),
    );
  }

  get connections(): number {
    return this.#admission.connections;
  }

  serves(pid: number): boolean {
    return this.#cancelKeys.has(pid);
  }

  async cancel(request: CancelRequest): Promise<boolean> {
    const session = this.#cancelKeys.find(request);
    await session?.cancel();
    return session !== undefined;
  }

  renewTls(tls: TlsOptions): void {
    this.#tls = createTlsServer(tls);
  }

  async listen(address: ListenAddress): Promise<{ port: number }> {
    this.#server.listen(address);
    await once(this.#server, 'listening');
    const bound = this.#server.address();
    return { port: isAddressInfo(bound) ? bound.port : 0 };
  }

  receive(socket: Socket, head: Buffer): void {
    if (this.#closing !== undefined) return void socket.destroy();
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
    socket.unshift(head);
    void this.#accept(socket);
  }

  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions) session.stop();
    await this.#ended(graceMs);
    for (const session of this.#sessions) session.terminate();
    await this.#ended(LAST_WORDS_MS);
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** All sessions, or the time is over. */
  async #ended(timeoutMs: number): Promise<void> {
    if (this.#sessions.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    const all = Promise.all([...this.#sessions].map((session) => session.ended));
    await Promise.race([all, timeout]);
    clearTimeout(timer);
  }

  async #accept(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    let stream: Duplex = socket;
    let opened: Opened | undefined;
    // The one that a connection began with is the one that its channel is bound to.
    const tls = this.#tls;
    const spoke = this.#admission.arrived(socket);
    socket.on('close', spoke);
    const timer = setTimeout(() => {
      // Before the start-up message PostgreSQL just closes (StartupPacketTimeoutHandler).
      if (opened === undefined) socket.destroy();
      else refuse(stream, new TrailhoundError('query_canceled', 'canceling authentication due to timeout'));
    }, this.#options.limits.authenticationTimeoutMs ?? AUTHENTICATION_TIMEOUT_MS);
    try {
      opened = await receiveStartup(socket, tls, (secured) => {
        stream = secured;
      });
      spoke();
      if (opened.request.kind === 'cancel') {
        const request = opened.request.message;
        // Whoever asks gets no answer, right key or wrong; the connection stays open until somebody has acted.
        if (!(await this.cancel(request))) await this.#options.cancelElsewhere?.(request);
        closeStream(stream);
      } else {
        await this.#serve(opened, socket, tls);
      }
    } catch (error) {
      this.#refuse(stream, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Log-in; returns when the session has begun. */
  async #serve({ stream, reader, secure, request }: Opened, socket: Socket, tls: TlsServer | undefined): Promise<void> {
    const { engine, allowSuperuser = false } = this.#options;
    if (request.kind !== 'startup') return;
    // PostgreSQL closes without a word for protocol 2, whose errors look otherwise.
    if (request.message.version.major < 3) throw new PeerGone();
    const { user, startup, answer } = negotiate(request.message, engine.version);
    if (answer !== undefined) stream.write(answer);
    if (!secure && tls?.required === true) throw withoutTls();
    const left = this.#admission.admit(socket);
    stream.once('close', left);
    const endPoint = secure ? tls?.endPoint : undefined;
    const { keys, serverFinal } = await authenticate({ stream, reader, engine, user, endPoint, allowSuperuser });
    const caller = await this.#options.callerOf?.(valueOf(startup.parameters, 'application_name'));
    stream.write(serverFinal);
    const backend = await logInToEngine(engine, startup, keys);
    if (stream.destroyed) {
      backend.stream.destroy();
      throw new PeerGone();
    }
    const settings = startupSettings(startup.parameters);
    const named = valueOf(startup.parameters, 'database') ?? '';
    const pipeline = (named === '' ? user : named) === engine.database ? this.#options.pipeline : NO_VIRTUAL_TABLES;
    this.#begin({ client: stream, received: reader.detach(), user, pipeline, settings, caller, backend });
  }

  #begin(parts: {
    client: Duplex;
    received: Buffer;
    user: string;
    pipeline: QueryPipeline;
    settings: readonly string[];
    caller: number | undefined;
    backend: { stream: Duplex; received: Buffer };
  }): void {
    const { engine, notices = [], serving, log } = this.#options;
    let key: BackendKeyData | undefined;
    const session = new Session({
      client: parts.client,
      backend: parts.backend.stream,
      pipeline: parts.pipeline,
      user: parts.user,
      startupSettings: parts.settings,
      caller: parts.caller,
      notices,
      log,
      onBackendKey: (data) => {
        // A view on a chunk that is much larger.
        key = { pid: data.pid, key: Buffer.from(data.key) };
        this.#cancelKeys.add(key, session);
        serving?.(key.pid, true);
      },
      cancelEngine: () => (key === undefined ? Promise.resolve() : forwardCancel(engine, key)),
    });
    this.#sessions.add(session);
    void session.ended.then(() => {
      this.#sessions.delete(session);
      if (key === undefined) return;
      this.#cancelKeys.remove(key, session);
      if (!this.#cancelKeys.has(key.pid)) serving?.(key.pid, false);
    });
    session.start(parts.received, parts.backend.received);
    if (this.#closing !== undefined) session.stop();
  }

  #refuse(stream: Duplex, error: unknown): void {
    if (error instanceof PeerGone) {
      closeStream(stream);
    } else if (error instanceof TrailhoundError) {
      refuse(stream, error);
    } else {
      this.#options.log.error({ err: error }, 'a log-in failed for a defect of ours');
      refuse(stream, new TrailhoundError('internal', 'internal error'));
    }
  }
}

function withoutTls(): TrailhoundError {
  return new TrailhoundError('invalid_authorization', 'this endpoint requires TLS', {
    hint: 'Connect with sslmode=require.',
  });
}

function refuse(stream: Duplex, error: TrailhoundError): void {
  stream.write(fatal(error));
  closeStream(stream);
}

function isAddressInfo(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}
