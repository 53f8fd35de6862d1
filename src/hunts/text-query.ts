import type { Duplex } from 'node:stream';

export interface ResultField {
  readonly name: string;
  readonly typeOid: number;
}

export type ResultRow = readonly (string | null)[];

/** What a text of statements answers, in order. `complete` ends one statement: `SELECT 3`, `CREATE TABLE`. */
export type ResultEvent =
  | { readonly kind: 'fields'; readonly fields: readonly ResultField[] }
  | { readonly kind: 'rows'; readonly rows: readonly ResultRow[] }
  | { readonly kind: 'copy'; readonly chunk: Buffer }
  | { readonly kind: 'complete'; readonly tag: string };

interface Connection {
  readonly stream: Duplex;
  query(text: string): void;
  parse(query: { name: string; text: string; types: string[] }, more: boolean): void;
  describe(target: { type: string; name?: string }, more: boolean): void;
  sync(): void;
  /** In pg, though not in its types. */
  sendCopyFail?(message: string): void;
}

interface FieldMessage {
  readonly name: string;
  readonly dataTypeID: number;
}

/** Rows waiting for a slow reader before the socket is told to wait too. */
const HIGH_WATER = 5_000;

/**
 * What pg calls a Submittable: given to `client.query()`, it receives the server's messages. pg's own queries hold all
 * rows, or emit them whether or not anyone can take them; this one stops the socket while its reader is behind.
 */
export class TextQuery implements AsyncIterable<ResultEvent> {
  readonly #text: string;
  readonly #purpose: 'run' | 'describe';
  #stream: Duplex | undefined;
  readonly #events: ResultEvent[] = [];
  #rows: ResultRow[] = [];
  #state: { kind: 'open' } | { kind: 'done' } | { kind: 'failed'; error: Error } = { kind: 'open' };
  #wake: () => void = () => {};
  #abandoned = false;

  constructor(text: string, purpose: 'run' | 'describe' = 'run') {
    this.#text = text;
    this.#purpose = purpose;
  }

  submit(connection: Connection): void {
    this.#stream = connection.stream;
    if (this.#purpose === 'run') {
      connection.query(this.#text);
      return;
    }
    connection.parse({ name: '', text: this.#text, types: [] }, true);
    connection.describe({ type: 'S', name: '' }, true);
    connection.sync();
  }

  handleRowDescription(message: { readonly fields: readonly FieldMessage[] }): void {
    const fields = message.fields.map(({ name, dataTypeID }) => ({ name, typeOid: dataTypeID }));
    this.#push({ kind: 'fields', fields });
  }

  handleDataRow(message: { readonly fields: ResultRow }): void {
    if (this.#abandoned) return;
    this.#rows.push(message.fields);
    if (this.#rows.length === HIGH_WATER) this.#stream?.pause();
    if (this.#rows.length === 1) this.#wake();
  }

  handleCommandComplete(message: { readonly text: string }): void {
    this.#push({ kind: 'complete', tag: message.text });
  }

  handleEmptyQuery(): void {}

  handlePortalSuspended(): void {}

  handleCopyInResponse(connection: Connection): void {
    connection.sendCopyFail?.('nothing to copy from: the console reads no data for COPY FROM STDIN');
  }

  handleCopyData(message: { readonly chunk: Buffer }): void {
    this.#push({ kind: 'copy', chunk: message.chunk });
    if (this.#events.length >= HIGH_WATER) this.#stream?.pause();
  }

  handleError(error: Error): void {
    this.#end({ kind: 'failed', error });
  }

  handleReadyForQuery(): void {
    this.#end({ kind: 'done' });
  }

  async *[Symbol.asyncIterator](): AsyncIterator<ResultEvent> {
    try {
      for (;;) {
        const event = this.#events.shift();
        if (event !== undefined) {
          yield event;
        } else if (this.#rows.length > 0) {
          yield { kind: 'rows', rows: this.#takeRows() };
        } else if (this.#state.kind === 'failed') {
          throw this.#state.error;
        } else if (this.#state.kind === 'done') {
          return;
        } else {
          this.#stream?.resume();
          await new Promise<void>((resolve) => (this.#wake = resolve));
        }
      }
    } finally {
      // A reader that stopped early must not block the connection for the next statement.
      this.#abandoned = true;
      this.#takeRows();
      this.#stream?.resume();
    }
  }

  /** Events keep their order: rows that came before one are moved in front of it. */
  #push(event: ResultEvent): void {
    if (this.#abandoned) return;
    if (this.#rows.length > 0) this.#events.push({ kind: 'rows', rows: this.#takeRows() });
    this.#events.push(event);
    this.#wake();
  }

  #takeRows(): ResultRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  #end(state: { kind: 'done' } | { kind: 'failed'; error: Error }): void {
    if (this.#state.kind !== 'open') return;
    this.#state = state;
    this.#wake();
  }
}
