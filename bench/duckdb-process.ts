import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** DuckDB in a process of its own, as users of its Node package run it: answers each statement with rows of texts. */

interface DuckDb {
  readonly DuckDBInstance: {
    create(path: string, options: Readonly<Record<string, string>>): Promise<{ connect(): Promise<Connection> }>;
  };
}

interface Connection {
  runAndReadAll(sql: string): Promise<{ getRowsJson(): readonly (readonly unknown[])[] }>;
}

export interface DuckDbStart {
  readonly threads: number;
}

/** Its own package.json, not Trailhound's: bench/duckdb/. */
const require = createRequire(new URL('duckdb/package.json', import.meta.url));
let connection: Connection | undefined;

process.on('message', (message: DuckDbStart | string) => {
  void answer(message).then(
    (rows) => process.send?.({ rows }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});

async function answer(message: DuckDbStart | string): Promise<readonly (readonly unknown[])[]> {
  if (typeof message !== 'string') {
    const { DuckDBInstance } = (await import(pathToFileURL(require.resolve('@duckdb/node-api')).href)) as DuckDb;
    const instance = await DuckDBInstance.create(':memory:', { threads: String(message.threads) });
    connection = await instance.connect();
    return [];
  }
  if (connection === undefined) throw new Error('it was not started');
  return (await connection.runAndReadAll(message)).getRowsJson();
}
