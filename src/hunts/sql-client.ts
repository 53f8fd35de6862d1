import net from 'node:net';
import { Client } from '../engine/client.ts';
import { encodeCancelRequest } from '../wire/frontend/cancel-request.ts';
import { TextQuery, type ResultEvent } from './text-query.ts';

/** Where the console and the hunts connect: always Trailhound's own endpoint, as every other client. */
export interface SqlTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password: string;
  /** The endpoint refuses connections without TLS; its certificate may be its own. */
  readonly tls: boolean;
  /** SQL's TimeZone for the session; undefined: as the server says. */
  readonly timezone?: string | undefined;
}

export interface Notice {
  readonly severity: string;
  readonly message: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
}

/** One connection through the endpoint. Values stay the text that PostgreSQL wrote: nothing is parsed and printed anew. */
export interface SqlClient {
  /** Runs a text of one or more statements by the simple protocol; rows come as they arrive, with backpressure. */
  run(text: string): AsyncIterable<ResultEvent>;
  /** One statement with bound parameters, for our own small questions. */
  rows(text: string, parameters?: readonly (string | null)[]): Promise<(string | null)[][]>;
  /** The columns of a statement without executing it. */
  describe(text: string): Promise<readonly string[]>;
  /** Asks the server to end the running statement; resolves when the server has read the request. */
  cancel(): Promise<void>;
  close(): Promise<void>;
}

export async function connectSql(target: SqlTarget, onNotice: (notice: Notice) => void): Promise<SqlClient> {
  const client = new Client({
    host: target.host,
    port: target.port,
    user: target.user,
    database: target.database,
    password: target.password,
    // The password protects both sides (SCRAM); a certificate that the server made itself has no other anchor.
    ssl: target.tls ? { rejectUnauthorized: false } : false,
    application_name: 'trailhound',
    ...(target.timezone === undefined ? {} : { options: `-c TimeZone=${target.timezone}` }),
  });
  client.on('notice', (notice) => {
    onNotice({
      severity: notice.severity ?? 'NOTICE',
      message: notice.message ?? '',
      detail: notice.detail,
      hint: notice.hint,
    });
  });
  // What ended the connection between two statements: the next one fails by it, and pg would not say.
  let lost: Error | undefined;
  client.on('error', (error) => (lost ??= error));
  await client.connect();

  async function* run(text: string, purpose: 'run' | 'describe' = 'run'): AsyncGenerator<ResultEvent> {
    if (lost !== undefined) throw lost;
    yield* client.query(new TextQuery(text, purpose));
  }
  return {
    run: (text) => run(text),
    rows: async (text, parameters = []) => {
      if (lost !== undefined) throw lost;
      const result = await client.query<(string | null)[]>({
        text,
        values: [...parameters],
        rowMode: 'array',
        types: { getTypeParser: () => (value: string) => value },
      });
      return result.rows;
    },
    describe: async (text) => {
      for await (const event of run(text, 'describe')) {
        if (event.kind === 'fields') return event.fields.map((field) => field.name);
      }
      return [];
    },
    cancel: () => sendCancelRequest(target, client),
    close: () => client.end(),
  };
}

function sendCancelRequest(target: SqlTarget, client: Client): Promise<void> {
  // Read at log-in by pg, which offers no road to send them.
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  const key = Buffer.alloc(4);
  key.writeInt32BE(secretKey);
  return new Promise((resolve, reject) => {
    const request = encodeCancelRequest({ pid: processID, key });
    const socket = net.connect(target.port, target.host, () => socket.end(request));
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.resume();
  });
}
