import { randomBytes } from 'node:crypto';
import {
  BackendError,
  type ClientBackend,
  type Description,
  type ExecuteText,
  type InjectedResult,
  type InjectedStatement,
} from '../query/backend.ts';
import { decodeDataRow } from '../wire/backend/data-row.ts';
import { decodeErrorResponse } from '../wire/backend/error-response.ts';
import { BACKEND } from '../wire/backend/message-type.ts';
import { decodeParameterDescription } from '../wire/backend/parameter-description.ts';
import type { TransactionStatus } from '../wire/backend/ready-for-query.ts';
import { decodeRowDescription, type FieldDescription } from '../wire/backend/row-description.ts';
import { encodeBind } from '../wire/frontend/bind.ts';
import { encodeClose } from '../wire/frontend/close.ts';
import { encodeDescribe } from '../wire/frontend/describe.ts';
import { encodeExecute } from '../wire/frontend/execute.ts';
import { encodeFlush } from '../wire/frontend/flush.ts';
import { encodeParse } from '../wire/frontend/parse.ts';
import { encodeSync } from '../wire/frontend/sync.ts';
import { type BackendLink, BackendGone } from './backend-link.ts';
import type { Expected, Outcome, ReplyKind } from './expected.ts';
import { locatedInClients, withName } from './execute-arguments.ts';
import { NOTHING, payload } from './filters.ts';

/** Seen in pg_prepared_statements by a statement that looks while ours exists. */
const PREFIX = 'trailhound_';

/** Statements of ours on the client's backend, inside the client's own segment: never a Sync, nothing reaches the client. */
export class SessionBackend implements ClientBackend {
  readonly #link: BackendLink;
  readonly #unique = randomBytes(6).toString('hex');
  #count = 0;
  /** Survived an error between Parse and Close. */
  #leftOver = new Set<string>();
  #failedText: string | undefined;
  #lastError: ReadonlyMap<string, string> = new Map();

  constructor(link: BackendLink) {
    this.#link = link;
  }

  get transactionStatus(): TransactionStatus {
    return this.#link.queue.status;
  }

  /** The text that PostgreSQL's last error was about: whether its position means anything to the client. */
  get failedText(): string | undefined {
    return this.#failedText;
  }

  freshName(): string {
    this.#count += 1;
    return `${PREFIX}${this.#unique}_${this.#count}`;
  }

  async query(statement: InjectedStatement): Promise<InjectedResult> {
    const name = this.freshName();
    const parameters = statement.parameters ?? [];
    const replies = await this.#inject(
      statement.text,
      [name],
      [
        [
          'parse',
          encodeParse({ statement: name, text: statement.text, parameterTypes: statement.parameterTypes ?? [] }),
        ],
        ['bind', encodeBind({ portal: name, statement: name, parameters, resultFormats: [] })],
        ['describe', encodeDescribe({ target: 'P', name })],
        ['execute', encodeExecute({ portal: name, maxRows: statement.maxRows ?? 0 })],
        ['close', encodeClose({ target: 'P', name })],
        ['close', encodeClose({ target: 'S', name })],
      ],
    );
    return { fields: replies.fields ?? [], rows: replies.rows, complete: !replies.suspended };
  }

  async describe(text: string, parameterTypes: readonly number[]): Promise<Description> {
    const name = this.freshName();
    const { parameterTypes: types, fields } = await this.#inject(
      text,
      [name],
      [
        ['parse', encodeParse({ statement: name, text, parameterTypes })],
        ['describe', encodeDescribe({ target: 'S', name })],
        ['close', encodeClose({ target: 'S', name })],
      ],
    );
    return { parameterTypes: types, fields };
  }

  async describePrepared(name: string, text: string): Promise<Description> {
    const { parameterTypes, fields } = await this.#inject(
      text,
      [],
      [['describe', encodeDescribe({ target: 'S', name })]],
    );
    return { parameterTypes, fields };
  }

  async executeArguments(execute: ExecuteText, types: readonly number[]): Promise<InjectedResult> {
    const own = this.freshName();
    const name = this.freshName();
    const columns = types.map((_type, index) => `$${String(index + 1)}`);
    const messages: [ReplyKind, Buffer][] = [
      ['parse', encodeParse({ statement: own, text: `select ${columns.join(', ')}`, parameterTypes: types })],
      ['parse', encodeParse({ statement: name, text: withName(execute, own), parameterTypes: [] })],
      ['bind', encodeBind({ portal: name, statement: name, parameters: [], resultFormats: [] })],
      ['execute', encodeExecute({ portal: name, maxRows: 0 })],
      ['close', encodeClose({ target: 'P', name })],
      ['close', encodeClose({ target: 'S', name })],
      ['close', encodeClose({ target: 'S', name: own })],
    ];
    try {
      const { rows } = await this.#inject(execute.text, [own, name], messages);
      return { fields: [], rows, complete: true };
    } catch (error) {
      throw error instanceof BackendError ? new BackendError(locatedInClients(error.fields, execute, own)) : error;
    }
  }

  #inject(text: string, names: readonly string[], messages: readonly (readonly [ReplyKind, Buffer])[]) {
    const replies = new Replies();
    return new Promise<Replies>((resolve, reject) => {
      const end = (outcome: Outcome) => {
        if (outcome === 'done') {
          for (const name of names) this.#leftOver.delete(name);
          resolve(replies);
          return;
        }
        if (this.#link.gone) {
          reject(new BackendGone());
          return;
        }
        if (replies.error !== undefined) {
          this.#lastError = replies.error;
          this.#failedText = text;
        }
        reject(new BackendError(this.#lastError));
      };
      if (this.#link.gone) {
        end('skipped');
        return;
      }
      this.#sweep();
      for (const name of names) this.#leftOver.add(name);
      messages.forEach(([kind, message], index) => {
        const last = index === messages.length - 1;
        this.#link.send(message, this.#expect(kind, replies, last ? end : undefined));
      });
      this.#link.send(encodeFlush());
      // What is asked in the same turn leaves in the same write.
      queueMicrotask(() => this.#link.flush());
    });
  }

  #expect(kind: ReplyKind, replies: Replies, onEnd: Expected['onEnd']): Expected {
    return {
      kind,
      injected: true,
      filter: {
        takes: () => true,
        apply: (type, message) => {
          replies.take(type, message);
          return [];
        },
      },
      onEnd,
    };
  }

  /** What an error has left behind goes as soon as nothing is under way, in a segment of its own that nobody sees. */
  tidy(): void {
    const { queue } = this.#link;
    if (this.#leftOver.size === 0 || !queue.settled || queue.skipping || queue.segmentOpen || queue.copyIn) return;
    this.#sweep();
    this.#link.send(encodeSync(), { kind: 'sync', filter: NOTHING });
    this.#link.flush();
  }

  /** Where the backend is skipping this is lost, and the names stay for the next time. */
  #sweep(): void {
    if (this.#link.queue.skipping || !this.#link.queue.settled) return;
    for (const name of this.#leftOver) {
      const onEnd = (outcome: Outcome) => {
        if (outcome === 'done') this.#leftOver.delete(name);
      };
      this.#link.send(encodeClose({ target: 'S', name }), this.#expect('close', new Replies(), onEnd));
    }
  }
}

class Replies {
  parameterTypes: readonly number[] = [];
  fields: readonly FieldDescription[] | undefined;
  readonly rows: (readonly (string | null)[])[] = [];
  error: ReadonlyMap<string, string> | undefined;
  suspended = false;

  take(type: number, message: Buffer): void {
    const body = payload(message);
    if (type === BACKEND.parameterDescription) this.parameterTypes = decodeParameterDescription(body).types;
    else if (type === BACKEND.rowDescription) this.fields = decodeRowDescription(body).fields;
    else if (type === BACKEND.portalSuspended) this.suspended = true;
    else if (type === BACKEND.errorResponse) this.error = decodeErrorResponse(body).fields;
    else if (type === BACKEND.dataRow) {
      this.rows.push(decodeDataRow(body).values.map((value) => value?.toString('utf8') ?? null));
    }
  }
}
