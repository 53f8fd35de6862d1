import type { Duplex } from 'node:stream';
import { decodeCommandComplete } from '../wire/backend/command-complete.ts';
import { decodeErrorResponse } from '../wire/backend/error-response.ts';
import { BACKEND } from '../wire/backend/message-type.ts';
import { decodeNoticeResponse } from '../wire/backend/notice-response.ts';
import { decodeParameterStatus } from '../wire/backend/parameter-status.ts';
import { decodeReadyForQuery, type TransactionStatus } from '../wire/backend/ready-for-query.ts';
import type { ResponseFields } from '../wire/backend/response-fields.ts';
import { encodeFlush } from '../wire/frontend/flush.ts';
import { bytesOf, MessageReader, payloadOf, type Piece } from '../wire/message-reader.ts';
import type { Expected } from './expected.ts';
import { Outbox } from './outbox.ts';
import { ReplyQueue } from './reply-queue.ts';

/** The backend's stream ended while something was waited for. */
export class BackendGone extends Error {
  constructor() {
    super('the connection to the backend ended');
    this.name = 'BackendGone';
  }
}

export interface LinkEvents {
  /** The backend takes more again after `flush` returned false. */
  backendDrained(): void;
  /** A CommandComplete went to the client. */
  commandComplete(payload: Buffer): void;
  readyForQuery(status: TransactionStatus): void;
  /** The backend now waits for CopyData. */
  copyInStarted(): void;
  /** All replies so far were passed on. */
  settled(): void;
  /** A defect of ours, or a backend that does not speak the protocol. */
  failed(error: unknown): void;
  /** The backend's last byte was passed on, or its stream broke. */
  ended(): void;
}

/** No reply begins or ends with them. */
const ROWS: ReadonlySet<number> = new Set([BACKEND.dataRow, BACKEND.copyData]);

/** Tags of statements that may begin or end a block. */
export const CHANGES_BLOCK: ReadonlySet<string> = new Set([
  'BEGIN',
  'START TRANSACTION',
  'COMMIT',
  'ROLLBACK',
  'PREPARE TRANSACTION',
]);

export type Settled = 'ready' | 'skipping' | 'copying';

/** Rows and their kin are never decoded; what changes the session's state, or a filter asks for, comes whole. */
const PASSED_IN_PIECES: ReadonlySet<number> = new Set([
  BACKEND.dataRow,
  BACKEND.copyData,
  BACKEND.rowDescription,
  BACKEND.parameterDescription,
  BACKEND.functionCallResponse,
]);

/** One client's backend: knows what was sent to it, and passes its replies on to the client, in order. */
export class BackendLink {
  readonly queue = new ReplyQueue();
  readonly parameters = new Map<string, string>();
  readonly #stream: Duplex;
  readonly #toBackend: Outbox;
  readonly #toClient: Outbox;
  readonly #events: LinkEvents;
  readonly #reader: MessageReader;
  #waiting: (() => void)[] = [];
  #unsaid: Buffer[] = [];
  #gone = false;
  #clientFull = false;

  constructor(stream: Duplex, toClient: Outbox, events: LinkEvents) {
    this.#stream = stream;
    this.#toBackend = new Outbox(stream);
    this.#toClient = toClient;
    this.#events = events;
    this.#reader = new MessageReader({ want: (type) => this.#want(type), runs: ROWS });
  }

  /** `received` is what came before, during log-in. */
  start(received: Buffer): void {
    this.#stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#stream.on('drain', () => this.#events.backendDrained());
    // A reset is followed by `close`; what it says is nothing that a client could use.
    this.#stream.on('error', () => this.#end());
    this.#stream.on('end', () => this.#end());
    this.#stream.on('close', () => this.#end());
    this.#receive(received);
    // Paused since the log-in.
    if (!this.#clientFull) this.#stream.resume();
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** The client has got only a part of the last message: nothing may be put in between. */
  get midMessage(): boolean {
    return this.#reader.midMessage;
  }

  /** A message of our own for the client: at once, or as soon as it has got the rest of the one that is on its way. */
  say(message: Buffer): void {
    this.#unsaid.push(message);
    this.#sayAll();
    this.#toClient.flush();
  }

  #sayAll(): void {
    if (this.#unsaid.length === 0 || this.#reader.midMessage) return;
    for (const message of this.#unsaid.splice(0)) this.#toClient.add(message);
  }

  /** One message of our own or of the client; goes out with the next `flush`. */
  send(message: Buffer, expected?: Expected): void {
    this.#toBackend.add(message);
    if (expected !== undefined) this.queue.expect(expected);
  }

  relay(piece: Piece, expected?: Expected): void {
    this.#toBackend.add(piece.chunk, piece.start, piece.end);
    if (expected !== undefined) this.queue.expect(expected);
  }

  /** False: the backend has enough for now. */
  flush(): boolean {
    return this.#toBackend.flush();
  }

  /** Waits until everything that was sent has been answered, or will never be. */
  async settle(): Promise<Settled> {
    if (!this.queue.settled && !this.queue.endsWithFlush && !this.queue.copyIn) this.send(encodeFlush());
    this.flush();
    while (!this.queue.settled && !this.queue.copyIn) await this.#change();
    if (this.#gone) throw new BackendGone();
    if (this.queue.copyIn) return 'copying';
    return this.queue.skipping ? 'skipping' : 'ready';
  }

  /** The client's stream has drained. */
  resume(): void {
    this.#clientFull = false;
    this.#stream.resume();
  }

  /** What was sent is still worked on; its replies still arrive. */
  end(): void {
    this.flush();
    this.#stream.end();
  }

  destroy(): void {
    this.#stream.destroy();
    this.#end();
  }

  #pause(): void {
    this.#clientFull = true;
    this.#stream.pause();
  }

  #change(): Promise<void> {
    if (this.#gone) return Promise.reject(new BackendGone());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #want(type: number): 'whole' | 'pieces' {
    if (this.queue.head?.filter?.takes(type) === true) return 'whole';
    return PASSED_IN_PIECES.has(type) ? 'pieces' : 'whole';
  }

  #receive(chunk: Buffer): void {
    if (this.#gone) return;
    try {
      this.#passOn(chunk);
    } catch (error) {
      this.#events.failed(error);
      return;
    }
    if (!this.#toClient.flush()) this.#pause();
    if (this.queue.settled) this.#events.settled();
    this.#wake();
  }

  #passOn(chunk: Buffer): void {
    this.#reader.push(chunk);
    for (let piece = this.#reader.next(); piece !== undefined; piece = this.#reader.next()) {
      if (piece.first && piece.last) this.#whole(piece);
      else {
        this.#toClient.add(piece.chunk, piece.start, piece.end);
        if (piece.last) this.queue.receive(piece.type);
      }
      if (piece.last) this.#sayAll();
    }
  }

  #whole(piece: Piece): void {
    const filter = this.queue.head?.filter;
    let passedOn = true;
    if (filter?.takes(piece.type) === true && !this.#concernsAll(piece)) {
      const messages = filter.apply(piece.type, bytesOf(piece));
      for (const message of messages) this.#toClient.add(message);
      passedOn = messages.length > 0;
    } else {
      this.#toClient.add(piece.chunk, piece.start, piece.end);
    }
    if (passedOn && piece.type === BACKEND.commandComplete) this.#events.commandComplete(payloadOf(piece));
    if (piece.type === BACKEND.parameterStatus) {
      const { name, value } = decodeParameterStatus(payloadOf(piece));
      this.parameters.set(name, value);
    }
    if (piece.type === BACKEND.readyForQuery) {
      const { status } = decodeReadyForQuery(payloadOf(piece));
      this.queue.receive(piece.type, status);
      this.#events.readyForQuery(status);
      return;
    }
    this.queue.receive(piece.type);
    if (passedOn && piece.type === BACKEND.commandComplete && this.queue.segmentOpen) {
      if (CHANGES_BLOCK.has(decodeCommandComplete(payloadOf(piece)).tag)) this.queue.changedBlock();
    }
    if (piece.type === BACKEND.copyInResponse && this.queue.copyIn) this.#events.copyInStarted();
  }

  /** Not part of any reply: NotificationResponse, ParameterStatus, and the last words of a backend that ends. */
  #concernsAll(piece: Piece): boolean {
    if (piece.type === BACKEND.notificationResponse || piece.type === BACKEND.parameterStatus) return true;
    if (piece.type === BACKEND.errorResponse) {
      return endsConnection(decodeErrorResponse(payloadOf(piece)).fields);
    }
    return piece.type === BACKEND.noticeResponse && isLastWord(decodeNoticeResponse(payloadOf(piece)).fields);
  }

  #end(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#toClient.flush();
    this.queue.abandon();
    this.#wake();
    this.#events.ended();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

function endsConnection(fields: ResponseFields): boolean {
  return fields.get('V') === 'FATAL' || fields.get('V') === 'PANIC';
}

/** Class 57P: after the crash of another backend, 57P02 comes as a WARNING. */
function isLastWord(fields: ResponseFields): boolean {
  return fields.get('C')?.startsWith('57P') === true;
}
