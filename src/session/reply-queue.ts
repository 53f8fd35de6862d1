import { BACKEND } from '../wire/backend/message-type.ts';
import type { TransactionStatus } from '../wire/backend/ready-for-query.ts';
import type { Expected, Outcome, ReplyKind } from './expected.ts';
import { Fifo } from '../kernel/fifo.ts';

/** The message types that end the reply to a kind of message. */
const LAST: Readonly<Record<ReplyKind, ReadonlySet<number>>> = {
  parse: new Set([BACKEND.parseComplete]),
  bind: new Set([BACKEND.bindComplete]),
  close: new Set([BACKEND.closeComplete]),
  describe: new Set([BACKEND.rowDescription, BACKEND.noData]),
  execute: new Set([BACKEND.commandComplete, BACKEND.emptyQueryResponse, BACKEND.portalSuspended]),
  sync: new Set([BACKEND.readyForQuery]),
  query: new Set([BACKEND.readyForQuery]),
  'function-call': new Set([BACKEND.readyForQuery]),
  'copy-end': new Set(),
};

const RUNS: ReadonlySet<ReplyKind> = new Set(['bind', 'execute', 'query', 'function-call']);

/**
 * Which reply comes next, and what state the backend is in, as PostgreSQL's own main loop keeps it (tcop/postgres.c):
 * after an error in the extended protocol everything up to Sync is discarded, also a simple Query.
 */
export class ReplyQueue {
  /** As many as a client sends ahead: a pipeline may have a hundred thousand. */
  readonly #entries = new Fifo<Expected>();
  #failed = false;
  #skipping = false;
  #copyIn = false;
  #segmentOpen = false;
  #hasRun = false;
  #blockChanged = false;
  #status: TransactionStatus = 'I';

  /** The message whose reply comes next. */
  get head(): Expected | undefined {
    return this.#entries.at(0);
  }

  /** Every message sent so far has been answered, or never will be. */
  get settled(): boolean {
    return this.#entries.length === 0;
  }

  /** The backend discards what it gets until Sync. */
  get skipping(): boolean {
    return this.#skipping;
  }

  /** The backend takes CopyData, and nothing but that, until CopyDone or CopyFail. */
  get copyIn(): boolean {
    return this.#copyIn;
  }

  /** Messages of the extended protocol were sent and no Sync yet: they share a transaction with what follows. */
  get segmentOpen(): boolean {
    return this.#segmentOpen;
  }

  /** Something of the client's was bound or run since the last Sync: its transaction cannot be ended here. */
  get hasRun(): boolean {
    return this.#hasRun;
  }

  /** What the client's last statement since the last Sync did: began or ended a block, of which `status` does not know yet. */
  get blockChanged(): boolean {
    return this.#blockChanged;
  }

  /** The last message sent makes the backend flush its output by itself. */
  get endsWithFlush(): boolean {
    const last = this.#entries.at(this.#entries.length - 1)?.kind;
    return last === 'sync' || last === 'query' || last === 'function-call';
  }

  /** The last ReadyForQuery's. */
  get status(): TransactionStatus {
    return this.#status;
  }

  /** To be called when a message is sent, in order. */
  expect(entry: Expected): void {
    if (entry.kind === 'copy-end') {
      if (this.#copyIn) this.#copyIn = false;
      else if (!this.settled) this.#entries.push(entry);
      return;
    }
    if (entry.kind === 'sync') {
      this.#skipping = false;
      this.#segmentOpen = false;
      this.#hasRun = false;
    } else if (this.#skipping) {
      entry.onEnd?.('skipped');
      return;
    } else if (entry.kind !== 'query' && entry.kind !== 'function-call') {
      this.#segmentOpen = true;
    }
    // A Query of its own is a transaction of its own.
    if (RUNS.has(entry.kind) && entry.injected !== true) this.#hasRun = this.#segmentOpen;
    this.#entries.push(entry);
  }

  /** To be called when a message of the backend has been passed on, in order; asynchronous ones have no effect. */
  receive(type: number, status?: TransactionStatus): void {
    if (type === BACKEND.copyInResponse) this.#startCopyIn();
    else if (type === BACKEND.errorResponse) this.#fail();
    else if (type === BACKEND.readyForQuery) this.#ready(status ?? 'I');
    else if (this.head !== undefined && LAST[this.head.kind].has(type)) this.#finish('done');
  }

  /** To be called when the client's last statement was one that begins or ends a block, after its CommandComplete. */
  changedBlock(): void {
    this.#blockChanged = this.#segmentOpen;
  }

  /** The backend is gone: nothing will be answered. */
  abandon(): void {
    const entries = this.#entries.splice(0, this.#entries.length);
    this.#copyIn = false;
    for (const entry of entries) entry.onEnd?.('skipped');
  }

  #finish(outcome: Outcome): void {
    const entry = this.#entries.shift();
    if (entry !== undefined && RUNS.has(entry.kind) && entry.injected !== true) this.#blockChanged = false;
    while (this.head?.kind === 'copy-end') this.#entries.shift();
    entry?.onEnd?.(outcome);
  }

  /** libpq sends Sync right after Execute: while it reads data, the backend ignores that (CopyGetData in copyfromparse.c). */
  #startCopyIn(): void {
    let end = 1;
    while (this.#entries.at(end)?.kind === 'sync') end += 1;
    const closed = this.#entries.at(end)?.kind === 'copy-end';
    const dropped = this.#entries.splice(1, end - 1);
    if (closed) this.#entries.splice(1, 1);
    this.#copyIn = !closed;
    if (dropped.length > 0) this.#segmentOpen = true;
    for (const entry of dropped) entry.onEnd?.('skipped');
  }

  #fail(): void {
    this.#copyIn = false;
    const head = this.head;
    // Errors while idle are FATAL: the connection ends, nothing else changes.
    if (head === undefined) return;
    if (LAST[head.kind].has(BACKEND.readyForQuery)) {
      this.#failed = true;
      return;
    }
    let next = 0;
    while (next < this.#entries.length && this.#entries.at(next)?.kind !== 'sync') next += 1;
    const dropped = this.#entries.splice(0, next);
    this.#skipping = this.settled;
    dropped.forEach((entry, index) => entry.onEnd?.(index === 0 ? 'failed' : 'skipped'));
  }

  #ready(status: TransactionStatus): void {
    this.#status = status;
    this.#blockChanged = false;
    this.#copyIn = false;
    const failed = this.#failed;
    this.#failed = false;
    if (this.head !== undefined && LAST[this.head.kind].has(BACKEND.readyForQuery)) {
      this.#finish(failed ? 'failed' : 'done');
    }
  }
}
