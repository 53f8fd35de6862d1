import type { Duplex } from 'node:stream';
import { TrailhoundError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { QueryPipeline } from '../query/pipeline.ts';
import { type BackendKeyData, decodeBackendKeyData } from '../wire/backend/backend-key-data.ts';
import { decodeCommandComplete } from '../wire/backend/command-complete.ts';
import { BACKEND } from '../wire/backend/message-type.ts';
import type { TransactionStatus } from '../wire/backend/ready-for-query.ts';
import { FRONTEND, frontendLimit } from '../wire/frontend/message-type.ts';
import { MessageReader, type Piece } from '../wire/message-reader.ts';
import { BackendGone, BackendLink } from './backend-link.ts';
import { SessionBackend } from './client-backend.ts';
import { closeStream } from './close.ts';
import { fatal, notice } from './error-fields.ts';
import { payload } from './filters.ts';
import { Outbox } from './outbox.ts';
import { VirtualPortals } from './portals.ts';
import { PreparedStatements } from './prepared-statements.ts';
import { Rewriter } from './rewriter.ts';
import { Router } from './router.ts';

export interface SessionOptions {
  readonly client: Duplex;
  /** After AuthenticationOk. */
  readonly backend: Duplex;
  readonly pipeline: QueryPipeline;
  readonly user: string;
  /** Names of settings that the client set as it connected. */
  readonly startupSettings: readonly string[];
  /** The pid of the backend that postgres_fdw says it scans for. */
  readonly caller?: number | undefined;
  /** Sent as NOTICEs before the first ReadyForQuery. */
  readonly notices: readonly string[];
  readonly log: Logger;
  onBackendKey(key: BackendKeyData): void;
  /** Resolves once the engine has passed a CancelRequest on, or it could not be. */
  cancelEngine(): Promise<void>;
}

/** Larger messages are passed on in pieces, unread: what they name is served by the loopback. */
const MAX_DECODED = 64 * 1024 * 1024;

/** What a client may send ahead while a statement is hydrated; up to it, we still see it go away. */
const MAX_HELD = 1024 * 1024;

/** What may come between Bind and Sync where nothing but the portal is run. */
const RUNS_PORTAL: ReadonlySet<number> = new Set([FRONTEND.describe, FRONTEND.execute, FRONTEND.close]);

const DROPS_STATEMENTS: ReadonlySet<string> = new Set(['DEALLOCATE', 'DEALLOCATE ALL', 'DISCARD ALL']);

/** One client and the backend that is its own, from log-in to the end. */
export class Session {
  /** Resolves when both connections are closed. */
  readonly ended: Promise<void>;
  readonly #options: SessionOptions;
  readonly #client: Duplex;
  readonly #toClient: Outbox;
  readonly #link: BackendLink;
  readonly #rewriter: Rewriter;
  readonly #statements = new PreparedStatements();
  readonly #portals = new VirtualPortals();
  readonly #router: Router;
  readonly #reader: MessageReader;
  #resolveEnded: () => void = () => undefined;
  #wake: () => void = () => undefined;
  #pid: number | undefined;
  #blocked = false;
  #backendFull = false;
  #clientEnded = false;
  #clientClosed = false;
  #stopping = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#client = options.client;
    this.#toClient = new Outbox(options.client);
    this.#link = new BackendLink(options.backend, this.#toClient, {
      backendDrained: () => {
        this.#backendFull = false;
        this.#drain();
      },
      commandComplete: (message) => this.#commandComplete(message),
      readyForQuery: (status) => this.#ready(status),
      copyInStarted: () => this.#drain(),
      settled: () => {
        backend.tidy();
        this.#stopIfIdle();
      },
      failed: (error) => this.#fail(error),
      ended: () => this.#backendEnded(),
    });
    const backend = new SessionBackend(this.#link);
    this.#rewriter = new Rewriter({
      link: this.#link,
      backend,
      pipeline: options.pipeline,
      toClient: this.#toClient,
      user: options.user,
      startupSettings: options.startupSettings,
      pid: () => this.#pid,
      caller: options.caller,
      log: options.log,
      cancelEngine: () => options.cancelEngine(),
    });
    this.#router = new Router({
      link: this.#link,
      backend,
      rewriter: this.#rewriter,
      statements: this.#statements,
      portals: this.#portals,
      pipeline: options.pipeline,
      toClient: this.#toClient,
      runsAlone: (signal) => this.#runsAlone(signal),
    });
    this.#reader = new MessageReader({ want: (type, size) => this.#want(type, size) });
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  /** With what either side sent after the log-in's last message. */
  start(fromClient: Buffer, fromBackend: Buffer): void {
    this.#link.queue.expect({
      kind: 'sync',
      filter: {
        takes: (type) => type === BACKEND.backendKeyData || type === BACKEND.readyForQuery,
        apply: (type, message) => {
          if (type === BACKEND.backendKeyData) this.#began(decodeBackendKeyData(payload(message)));
          else return [...this.#options.notices.map((text) => notice('NOTICE', text)), message];
          return [message];
        },
      },
    });
    this.#client.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk);
      this.#wake();
      this.#drain();
    });
    this.#client.on('drain', () => this.#link.resume());
    this.#client.on('error', () => this.#client.destroy());
    this.#client.on('end', () => this.#endOfClient());
    this.#client.on('close', () => this.#clientGone());
    this.#link.start(fromBackend);
    this.#reader.push(fromClient);
    // While it logged in: nobody hears of it again.
    if (this.#client.readableEnded) this.#endOfClient();
    else this.#drain();
  }

  #began(key: BackendKeyData): void {
    this.#pid = key.pid;
    this.#options.onBackendKey(key);
  }

  /** The engine first: a cancel that came late would hit the client's next statement. */
  async cancel(): Promise<void> {
    const abort = this.#rewriter.aborter();
    try {
      await this.#options.cancelEngine();
    } finally {
      abort(new TrailhoundError('query_canceled', 'canceling statement due to user request'));
    }
  }

  /** A running statement is let through; ends as soon as there is none. */
  stop(): void {
    this.#stopping = true;
    this.#stopIfIdle();
  }

  /** Whatever runs. */
  terminate(): void {
    const reason = shutdown();
    this.#rewriter.aborter()(reason);
    if (!this.#link.queue.settled) void this.#options.cancelEngine();
    this.#close(reason);
  }

  #want(type: number, size: number): 'whole' | 'pieces' | 'invalid' {
    const limit = frontendLimit(type);
    if (limit === undefined || size - 1 > limit) return 'invalid';
    return size <= MAX_DECODED && this.#router.reads(type) ? 'whole' : 'pieces';
  }

  /** While a statement is worked on nothing overtakes it, but for the data of its own COPY. */
  #drain(): void {
    while (!this.#link.gone && (!this.#blocked || this.#link.queue.copyIn)) {
      const piece = this.#reader.next();
      if (piece === undefined) break;
      this.#route(piece);
    }
    if (!this.#link.flush()) this.#backendFull = true;
    if (this.#clientEnded && !this.#blocked) this.#link.end();
    if (this.#backendFull || (this.#blocked && this.#reader.buffered > MAX_HELD)) this.#client.pause();
    else this.#client.resume();
  }

  /** Waits for the client's next messages, where they have not come. */
  async #runsAlone(signal: AbortSignal): Promise<boolean> {
    const wake = (): void => {
      this.#wake();
    };
    signal.addEventListener('abort', wake);
    const next = this.#reader.lookAhead();
    try {
      while (!signal.aborted && !this.#clientEnded && !this.#clientClosed) {
        for (let type = next(); type !== undefined; type = next()) {
          if (type === FRONTEND.sync) return true;
          if (!RUNS_PORTAL.has(type)) return false;
        }
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      return false;
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  #route(piece: Piece): void {
    const work = this.#router.route(piece, this.#blocked);
    if (work === undefined) return;
    this.#blocked = true;
    work.then(
      () => this.#unblock(),
      (error: unknown) => {
        if (!(error instanceof BackendGone)) this.#fail(error);
      },
    );
  }

  #unblock(): void {
    this.#blocked = false;
    this.#drain();
    this.#stopIfIdle();
  }

  #commandComplete(message: Buffer): void {
    if (this.#statements.empty) return;
    const { tag } = decodeCommandComplete(message);
    if (DROPS_STATEMENTS.has(tag)) this.#statements.suspectNamed();
  }

  #ready(status: TransactionStatus): void {
    this.#portals.ready(status);
    this.#rewriter.ready();
  }

  #stopIfIdle(): void {
    if (this.#stopping && !this.#blocked && this.#link.queue.settled) this.#close(shutdown());
  }

  #fail(error: unknown): void {
    this.#options.log.error({ err: error }, 'a session ended for a defect of ours');
    this.#close(new TrailhoundError('internal', 'internal error'));
  }

  /** A last word for the client, then both connections end. */
  #close(reason: TrailhoundError): void {
    if (this.#clientClosed) return;
    if (!this.#link.midMessage) this.#toClient.add(fatal(reason));
    this.#toClient.flush();
    this.#link.destroy();
  }

  #backendEnded(): void {
    this.#rewriter.aborter()(new TrailhoundError('internal', 'the connection to the backend ended'));
    this.#portals.releaseAll();
    closeStream(this.#client);
    if (this.#clientClosed) this.#resolveEnded();
  }

  /** PostgreSQL works off what a client sent before it closed its side. In a hydration, nobody waits for the rows. */
  #endOfClient(): void {
    this.#clientEnded = true;
    this.#wake();
    if (this.#blocked) this.#client.destroy();
    else this.#drain();
  }

  #clientGone(): void {
    this.#clientClosed = true;
    this.#wake();
    // What the client itself sent runs to its end, as in PostgreSQL; a statement of ours has nobody who wants it.
    if (this.#blocked && !this.#link.queue.settled) void this.#options.cancelEngine();
    this.#rewriter.aborter()(new TrailhoundError('query_canceled', 'the client is gone'));
    this.#link.destroy();
    this.#resolveEnded();
  }
}

function shutdown(): TrailhoundError {
  return new TrailhoundError('admin_shutdown', 'terminating connection due to administrator command');
}
