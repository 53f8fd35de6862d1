import { createHash } from 'node:crypto';
import { decodeCommandComplete } from '../../../src/wire/backend/command-complete.ts';
import { decodeDataRow } from '../../../src/wire/backend/data-row.ts';
import { decodeErrorResponse } from '../../../src/wire/backend/error-response.ts';
import { decodeRowDescription } from '../../../src/wire/backend/row-description.ts';
import { encodeBind } from '../../../src/wire/frontend/bind.ts';
import { encodeDescribe } from '../../../src/wire/frontend/describe.ts';
import { encodeExecute } from '../../../src/wire/frontend/execute.ts';
import { encodeParse } from '../../../src/wire/frontend/parse.ts';
import { encodeQuery } from '../../../src/wire/frontend/query.ts';
import { encodeSync } from '../../../src/wire/frontend/sync.ts';
import { connectTcp, logIn, WireClient, type WireMessage } from '../../session/support/wire-client.ts';

export interface Login {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface Result {
  readonly fields: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  /** Of its last statement. */
  readonly tag: string | undefined;
}

/** What a driver sends, message by message: the programs themselves cannot run everywhere, what they say can. */
export interface Driver {
  /** @throws where the server answers with an error, whose SQLSTATE is `code`. */
  rows(sql: string): Promise<Result>;
  close(): void;
}

export type Connect = (login: Login) => Promise<Driver>;

type Parameters = readonly (readonly [string, string])[];
const UTF8: Parameters = [['client_encoding', 'UTF8']];

/** pgx by `PgConn.Exec`, as Grafana's panels: one Query. */
export const pgxSimple = driver([], (client, sql) => {
  client.send(encodeQuery({ text: sql }));
  return client.until('Z');
});

/** pgx as it is used otherwise: a named statement, kept. */
export const pgxCached = driver([], async (client, sql, again) => {
  const statement = `stmtcache_${createHash('sha256').update(sql).digest('hex').slice(0, 48)}`;
  const described = again ? [] : await describe(client, statement, sql);
  return [...described, ...(await execute(client, statement))];
});

/** lib/pq with arguments: the unnamed statement is described in one round trip and bound in the next. */
export const libPq = driver([['extra_float_digits', '2'], ...UTF8, ['datestyle', 'ISO, MDY']], async (client, sql) => [
  ...(await describe(client, '', sql)),
  ...(await execute(client, '')),
]);

/** pgjdbc: all in one; from the fifth time on a statement of its own name. */
export const pgjdbc = driver([...UTF8, ['DateStyle', 'ISO'], ['TimeZone', 'Europe/Berlin']], (client, sql) => {
  client.send(
    encodeParse({ statement: '', text: sql, parameterTypes: [] }),
    encodeBind({ portal: '', statement: '', parameters: [], resultFormats: [] }),
    encodeDescribe({ target: 'P', name: '' }),
    encodeExecute({ portal: '', maxRows: 0 }),
    encodeSync(),
  );
  return client.until('Z');
});

/** psycopg2, and with it SQLAlchemy and Superset: simple statements, each in a transaction of its own. */
export const psycopg2 = driver(UTF8, async (client, sql) => {
  client.send(encodeQuery({ text: 'BEGIN' }));
  await client.until('Z');
  client.send(encodeQuery({ text: sql }));
  const answer = await client.until('Z');
  client.send(encodeQuery({ text: 'ROLLBACK' }));
  await client.until('Z');
  return answer;
});

/** postgres_fdw: a cursor in a REPEATABLE READ transaction. What comes is what its last FETCH says. */
export const postgresFdw = driver([['application_name', 'postgres_fdw'], ...UTF8], async (client, sql) => {
  const query = async (text: string) => {
    client.send(encodeQuery({ text }));
    return client.until('Z');
  };
  const before = [
    'SET search_path = pg_catalog',
    "SET timezone = 'GMT'",
    'SET datestyle = ISO',
    'SET intervalstyle = postgres',
    'SET extra_float_digits = 3',
    'START TRANSACTION ISOLATION LEVEL REPEATABLE READ',
  ];
  for (const text of before) await query(text);
  client.send(
    encodeParse({ statement: '', text: `DECLARE c1 CURSOR FOR\n${sql}`, parameterTypes: [] }),
    encodeBind({ portal: '', statement: '', parameters: [], resultFormats: [] }),
    encodeDescribe({ target: 'P', name: '' }),
    encodeExecute({ portal: '', maxRows: 0 }),
    encodeSync(),
  );
  const declared = await client.until('Z');
  if (declared.some(({ type }) => type === 'E')) {
    await query('ABORT TRANSACTION');
    return declared;
  }
  const fetched = await query('FETCH 1000 FROM c1');
  await query('CLOSE c1');
  await query('COMMIT TRANSACTION');
  return fetched;
});

function driver(
  parameters: Parameters,
  ask: (client: WireClient, sql: string, again: boolean) => Promise<readonly WireMessage[]>,
): Connect {
  return async ({ port, ...login }) => {
    const client = new WireClient(await connectTcp(port));
    const messages = await logIn(client, { ...login, parameters });
    if (messages.at(-1)?.type !== 'Z') throw new Error('no log-in');
    const before = new Set<string>();
    return {
      rows: async (sql) => {
        const answer = resultOf(await ask(client, sql, before.has(sql)));
        before.add(sql);
        return answer;
      },
      close: () => client.close(),
    };
  };
}

function describe(client: WireClient, statement: string, sql: string): Promise<readonly WireMessage[]> {
  client.send(
    encodeParse({ statement, text: sql, parameterTypes: [] }),
    encodeDescribe({ target: 'S', name: statement }),
    encodeSync(),
  );
  return client.until('Z');
}

function execute(client: WireClient, statement: string): Promise<readonly WireMessage[]> {
  client.send(
    encodeBind({ portal: '', statement, parameters: [], resultFormats: [] }),
    encodeExecute({ portal: '', maxRows: 0 }),
    encodeSync(),
  );
  return client.until('Z');
}

function resultOf(messages: readonly WireMessage[]): Result {
  let fields: readonly string[] = [];
  let tag: string | undefined;
  const rows: (string | null)[][] = [];
  for (const { type, payload } of messages) {
    if (type === 'E') {
      const error = decodeErrorResponse(payload).fields;
      throw Object.assign(new Error(error.get('M') ?? ''), { code: error.get('C') });
    }
    if (type === 'T') fields = decodeRowDescription(payload).fields.map(({ name }) => name);
    if (type === 'D') rows.push(decodeDataRow(payload).values.map((value) => value?.toString() ?? null));
    if (type === 'C') tag = decodeCommandComplete(payload).tag;
  }
  if (messages.at(-1)?.type !== 'Z') throw new Error('the connection ended');
  return { fields, rows, tag };
}
