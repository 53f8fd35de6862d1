import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { Client, type ClientConfig } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { abortable } from '../../src/kernel/abort.ts';
import { selfSignedCertificate, type TlsOptions } from '../../src/session/tls.ts';
import { DATABASE, PASSWORD, USER } from './support/engine.ts';
import { openTestEndpoint, type TestEndpoint } from './support/endpoint.ts';

let endpoint: TestEndpoint;
let tls: TlsOptions;
beforeAll(async () => {
  tls = await selfSignedCertificate(['localhost', '127.0.0.1']);
  endpoint = await openTestEndpoint({ tls });
});
afterAll(() => endpoint.close());
beforeEach(() => endpoint.pipeline.reset());

describe('pg', () => {
  const withClient = async <T>(work: (client: Client) => Promise<T>, config: ClientConfig = {}): Promise<T> => {
    const client = new Client({
      host: '127.0.0.1',
      port: endpoint.port,
      user: USER,
      password: PASSWORD,
      database: DATABASE,
      ...config,
    });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };

  test.each<[string, () => ClientConfig]>([
    ['plain', () => ({})],
    ['over TLS whose certificate it checks', () => ({ ssl: { ca: tls.cert } })],
    ['in binary', () => ({ binary: true }) as ClientConfig],
  ])('runs statements, %s', async (_what, config) => {
    await withClient(async (client) => {
      expect((await client.query('select x from virtual_demo')).rows).toEqual([{ x: 1 }, { x: 2 }, { x: 3 }]);
      expect((await client.query('select x from virtual_demo where x > $1', [1])).rows).toEqual([{ x: 2 }, { x: 3 }]);
      for (const least of [1, 2, 3, 4]) {
        const { rows } = await client.query<{ x: number }>({
          name: 'by least',
          text: 'select x from virtual_demo where x >= $1 order by x',
          values: [least],
        });
        expect(rows.map((row) => row.x)).toEqual([1, 2, 3].filter((x) => x >= least));
      }
      await expect(client.query('select x, nope from virtual_demo')).rejects.toMatchObject({
        code: '42703',
        position: '11',
      });
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    }, config());
  });

  test('runs many statements on one connection, every third of a virtual table', async () => {
    await withClient(async (client) => {
      for (let n = 0; n < 150; n += 1) {
        const text = n % 3 === 0 ? 'select $1::int as n, x from virtual_demo limit 1' : 'select $1::int as n';
        expect((await client.query<{ n: number }>(text, [n])).rows[0]?.n).toBe(n);
      }
    });
  });

  test('copies in and out', async () => {
    await withClient(async (client) => {
      await client.query('create temp table copied (a int, b text)');
      const input = client.query(copyFrom('copy copied from stdin'));
      for (let row = 0; row < 50_000; row += 1) {
        if (!input.write(`${row}\t${'b'.repeat(40)}\n`)) await once(input, 'drain');
      }
      input.end();
      await once(input, 'finish');
      const output = client.query(copyTo('copy copied to stdout'));
      let bytes = 0;
      for await (const chunk of output) bytes += (chunk as Buffer).length;
      const { rows } = await client.query(
        'select count(*)::int as n, sum(length(a::text) + 42)::int as bytes from copied',
      );
      expect(rows).toEqual([{ n: 50_000, bytes }]);
    });
  });

  test('hears notifications while a statement of another session is hydrated', async () => {
    await withClient(async (client) => {
      await client.query('listen news');
      const heard = once(client, 'notification');
      await withClient((other) => other.query("notify news, 'hello'"));
      expect((await heard)[0]).toMatchObject({ channel: 'news', payload: 'hello' });
    });
  });

  test('rejects what runs when the server closes the connection', async () => {
    endpoint.pipeline.reset({ hydrate: ({ signal }) => abortable(new Promise<number[]>(() => undefined), signal) });
    const client = new Client({
      host: '127.0.0.1',
      port: endpoint.port,
      user: USER,
      password: PASSWORD,
      database: DATABASE,
    });
    await client.connect();
    client.on('error', () => undefined);
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const running = client.query('select x from virtual_demo');
    const rejected = expect(running).rejects.toMatchObject({ code: '57P01' });
    await expect.poll(() => endpoint.pipeline.requests.length).toBe(1);
    await endpoint.engine.pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
    await rejected;
    await client.end();
  });
});

function hasPsql(): boolean {
  try {
    execFileSync('psql', ['--version']);
    return true;
  } catch {
    return false;
  }
}

describe.runIf(hasPsql())('psql', () => {
  const psql = (args: readonly string[], environment: Record<string, string> = {}) =>
    new Promise<{ out: string; err: string; status: number }>((resolve) => {
      const child = execFile(
        'psql',
        ['-X', '-At', '-h', '127.0.0.1', '-p', String(endpoint.port), '-U', USER, ...args, DATABASE],
        { env: { PATH: '/usr/bin:/bin:/usr/local/bin', PGPASSWORD: PASSWORD, LC_ALL: 'C', ...environment } },
        (_error, out, err) => resolve({ out, err, status: child.exitCode ?? -1 }),
      );
    });

  test('runs statements over TLS with channel binding, and without TLS', async () => {
    for (const environment of [{ PGCHANNELBINDING: 'require' }, { PGSSLMODE: 'disable' }]) {
      expect(await psql(['-c', 'select x from virtual_demo'], environment)).toEqual({
        out: '1\n2\n3\n',
        err: '',
        status: 0,
      });
    }
  });

  test('shows where an error is', async () => {
    const { err } = await psql(['-c', "select 'é'; select x, nope from virtual_demo"]);
    expect(err).toBe(
      `ERROR:  column "nope" does not exist\nLINE 1: select 'é'; select x, nope from virtual_demo\n                              ^\n`,
    );
  });

  test('describes a view', async () => {
    const { out, err } = await psql(['-c', '\\d virtual_demo']);
    expect([out, err]).toEqual(['x|integer|||\n', '']);
  });
});
