import { isUtf8 } from 'node:buffer';
import { TrailhoundError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { BackendError, type ClientBackend, type Parameter } from '../query/backend.ts';
import type { QueryPipeline, Rewrite } from '../query/pipeline.ts';
import { encodeErrorResponse } from '../wire/backend/error-response.ts';
import type { ResponseFields } from '../wire/backend/response-fields.ts';
import type { BackendLink } from './backend-link.ts';
import { CancelWatch } from './cancel-watch.ts';
import type { SessionBackend } from './client-backend.ts';
import { asKnownError, fieldsOf, notice, withoutOurText } from './error-fields.ts';
import type { ReplyFilter } from './expected.ts';
import type { Outbox } from './outbox.ts';
import { locate } from './position.ts';
import { semiJoinFilter } from './semi-join.ts';

export interface RewriterOptions {
  readonly link: BackendLink;
  readonly backend: SessionBackend;
  readonly pipeline: QueryPipeline;
  readonly toClient: Outbox;
  readonly user: string;
  readonly startupSettings: readonly string[];
  /** Of the backend, once it has said it. */
  readonly pid: () => number | undefined;
  /** The pid of the backend that postgres_fdw says it scans for. */
  readonly caller: number | undefined;
  readonly log: Logger;
  /** Resolves once the engine has passed the cancel on. */
  readonly cancelEngine: () => Promise<void>;
}

export interface StatementSource {
  readonly text: string;
  /** Characters before it in what the client sent. */
  readonly offset: number;
}

export interface Bound {
  readonly parameterTypes: readonly number[];
  readonly parameters: readonly Parameter[];
}

/** Takes one statement at a time through the pipeline; what fails there becomes the backend's own error state. */
export class Rewriter {
  readonly #options: RewriterOptions;
  #running: AbortController | undefined;
  /** Of statements that are relayed as they are: how to say that they have ended. */
  #leaving: (() => void)[] = [];
  #onTheirWay: (() => void)[] = [];
  /** Of statements that the backend has got: what postgres_fdw scans for them ends with them. */
  readonly #executing = new Set<AbortController>();

  constructor(options: RewriterOptions) {
    this.#options = options;
  }

  /**
   * False: PostgreSQL alone answers. Text that it would read in another encoding or with other string literals than we is
   * left to it and to the loopback.
   */
  concerns(text: string, bytes: Buffer): boolean {
    const { parameters } = this.#options.link;
    return (
      this.#options.pipeline.mayConcern(text, this.#options.pid()) &&
      parameters.get('client_encoding') === 'UTF8' &&
      parameters.get('standard_conforming_strings') === 'on' &&
      isUtf8(bytes)
    );
  }

  /** Aborts the statement that is in the pipeline, or on the backend, now: none that comes later. */
  aborter(): (reason: unknown) => void {
    const controllers = [...(this.#running === undefined ? [] : [this.#running]), ...this.#executing];
    return (reason) => {
      for (const controller of controllers) controller.abort(reason);
    };
  }

  /** What the replies to a statement's Parse become on their way to the client. */
  get parseFilter(): ReplyFilter | undefined {
    return semiJoinFilter(this.#options.user);
  }

  /** @param outsideBlock, ownTransaction as RewriteRequest has them */
  async rewrite(
    text: string,
    bound: Bound,
    outsideBlock: boolean,
    ownTransaction: (signal: AbortSignal) => Promise<boolean>,
  ): Promise<Rewrite | undefined> {
    const controller = new AbortController();
    const { signal } = controller;
    const { queue } = this.#options.link;
    this.#running = controller;
    const watch = new CancelWatch(this.#options.backend, text, (reason) => {
      controller.abort(reason);
    });
    const backend = new GuardedBackend(this.#options.backend, signal, watch);
    try {
      const rewrite = await this.#options.pipeline.rewrite(
        {
          text,
          ...bound,
          signal,
          user: this.#options.user,
          startupSettings: this.#options.startupSettings,
          session: this,
          pid: this.#options.pid(),
          caller: this.#options.caller,
          fresh: queue.status === 'I' && !queue.segmentOpen,
          outsideBlock,
          // Its first statement is no sleep of ours.
          ownTransaction: () => watch.while(() => ownTransaction(signal)),
          relayed: (ended) => {
            this.#executing.add(controller);
            this.#leaving.push(() => {
              this.#executing.delete(controller);
              ended();
            });
          },
          notice: (severity, message) => this.#options.link.say(notice(severity, message)),
        },
        backend,
      );
      await watch.end();
      if (!signal.aborted) return rewrite === undefined ? undefined : this.#followed(rewrite, controller);
      await rewrite?.release();
      throw signal.reason;
    } catch (error) {
      throw signal.aborted && !(error instanceof BackendError) ? signal.reason : error;
    } finally {
      backend.close();
      await watch.end();
      this.#running = undefined;
    }
  }

  /** What the pipeline left alone is on its way to the backend. */
  relaying(): void {
    this.#onTheirWay.push(...this.#leaving.splice(0));
  }

  /** ReadyForQuery has come. */
  ready(): void {
    for (const ended of this.#onTheirWay.splice(0)) ended();
  }

  #followed(rewrite: Rewrite, controller: AbortController): Rewrite {
    this.#executing.add(controller);
    const ended = (): void => {
      this.#executing.delete(controller);
      rewrite.ended?.();
    };
    return {
      ...rewrite,
      ended: rewrite.holdUntilTransactionEnd ? undefined : ended,
      release: () => {
        ended();
        return rewrite.release();
      },
    };
  }

  /** In place of the statement: the client gets exactly one ErrorResponse, at once. */
  async fail(thrown: unknown, source: StatementSource): Promise<void> {
    const error = asKnownError(thrown);
    if (error instanceof TrailhoundError && error.code === 'internal') {
      this.#options.log.error({ err: error.cause ?? error }, 'a statement failed for a defect of ours');
    }
    const fields =
      error instanceof BackendError && this.#options.link.queue.skipping
        ? this.#relayed(error, source)
        : await this.#raised(error, source);
    this.#options.toClient.add(encodeErrorResponse({ fields }));
    this.#options.toClient.flush();
  }

  #relayed(error: BackendError, source: StatementSource): ResponseFields {
    const theirs = this.#options.backend.failedText === source.text;
    if (!theirs) return withoutOurText(error.fields);
    return locate(error.fields, { original: source.text, executed: source.text, offset: source.offset });
  }

  /** An error that only we knew of would end in COMMIT in place of ROLLBACK. */
  async #raised(error: TrailhoundError | BackendError, source: StatementSource): Promise<ResponseFields> {
    const { link, backend, cancelEngine } = this.#options;
    const fields = error instanceof TrailhoundError ? fieldsOf(error, 'ERROR') : withoutOurText(error.fields);
    const result = new Map(fields);
    if (!link.queue.settled) await cancelEngine();
    if ((await link.settle()) === 'ready') {
      const response = await backend.query(raise(fields)).then(
        () => undefined,
        (raised: unknown) => (raised instanceof BackendError ? raised.fields : Promise.reject(asError(raised))),
      );
      if (response === undefined) throw new Error('trailhound.raise() returned');
      result.set('S', response.get('S') ?? 'ERROR');
    }
    if (error instanceof TrailhoundError && error.position !== undefined) {
      result.set('P', String(error.position + source.offset));
    }
    return result;
  }
}

function raise(fields: ResponseFields) {
  const value = (letter: string) => {
    const text = fields.get(letter);
    return { format: 0 as const, value: text === undefined ? null : Buffer.from(text) };
  };
  return {
    text: 'select trailhound.raise($1, $2, $3, $4)',
    parameters: [value('C'), value('M'), value('D'), value('H')],
  };
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** Nothing of a statement that was aborted, or is through, runs in the client's later statements. */
class GuardedBackend implements ClientBackend {
  readonly #backend: SessionBackend;
  readonly #signal: AbortSignal;
  readonly #watch: CancelWatch;
  #open = true;

  constructor(backend: SessionBackend, signal: AbortSignal, watch: CancelWatch) {
    this.#backend = backend;
    this.#signal = signal;
    this.#watch = watch;
  }

  get transactionStatus() {
    return this.#backend.transactionStatus;
  }

  async query(...statement: Parameters<ClientBackend['query']>) {
    this.#check();
    return this.#watch.while(() => this.#backend.query(...statement));
  }

  async describe(...statement: Parameters<ClientBackend['describe']>) {
    this.#check();
    return this.#watch.while(() => this.#backend.describe(...statement));
  }

  async describePrepared(...prepared: Parameters<ClientBackend['describePrepared']>) {
    this.#check();
    return this.#watch.while(() => this.#backend.describePrepared(...prepared));
  }

  async executeArguments(...execute: Parameters<ClientBackend['executeArguments']>) {
    this.#check();
    return this.#watch.while(() => this.#backend.executeArguments(...execute));
  }

  close(): void {
    this.#open = false;
  }

  #check(): void {
    this.#signal.throwIfAborted();
    if (!this.#open) throw new Error('the statement is through the pipeline');
  }
}
