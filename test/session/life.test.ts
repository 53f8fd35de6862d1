import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { abortable } from '../../src/kernel/abort.ts';
import type { RewriteRequest } from '../../src/query/pipeline.ts';
import { decodeErrorResponse } from '../../src/wire/backend/error-response.ts';
import { encodeCancelRequest } from '../../src/wire/frontend/cancel-request.ts';
import { encodeTerminate } from '../../src/wire/frontend/terminate.ts';
import { DATABASE, PASSWORD, USER } from './support/engine.ts';
import { openTestEndpoint, type TestEndpoint } from './support/endpoint.ts';
import { line, say } from './support/transcript.ts';
import { connectTcp, logIn, WireClient, type WireMessage } from './support/wire-client.ts';

const { query, parse, bind, execute, sync } = say;

const types = (messages: readonly WireMessage[]) => messages.map((message) => message.type).join('');
const told = (messages: readonly WireMessage[]) =>
  messages
    .filter((message) => message.type === 'E')
    .map((message) => {
      const { fields } = decodeErrorResponse(message.payload);
      return `${fields.get('C') ?? ''} ${fields.get('M') ?? ''}`;
    });
const never = ({ signal }: RewriteRequest) => abortable(new Promise<number[]>(() => undefined), signal);

describe('the life of a session', () => {
  let endpoint: TestEndpoint;
  beforeAll(async () => {
    endpoint = await openTestEndpoint();
  });
  afterAll(() => endpoint.close());
  beforeEach(() => endpoint.pipeline.reset());

  const connect = async (minor = 0) => {
    const client = new WireClient(await connectTcp(endpoint.port));
    const version = { major: 3, minor };
    const messages = await logIn(client, { user: USER, password: PASSWORD, database: DATABASE, version });
    const key = messages.find((message) => message.type === 'K')?.payload ?? Buffer.alloc(8);
    return { client, pid: key.readInt32BE(0), key: key.subarray(4) };
  };
  const cancel = async (pid: number, key: Buffer) => {
    const canceller = new WireClient(await connectTcp(endpoint.port));
    canceller.send(encodeCancelRequest({ pid, key }));
    expect(await canceller.until('-')).toEqual([]);
  };
  const hydrating = () => expect.poll(() => endpoint.pipeline.requests.length).toBeGreaterThan(0);
  const running = (text: string) =>
    expect
      .poll(async () => {
        const { rows } = await endpoint.engine.pool.query<{ query: string }>(
          "select query from pg_stat_activity where state = 'active' and usename = $1",
          [USER],
        );
        return rows.map((row) => row.query).join('\n');
      })
      .toContain(text);
  const backends = async (pid: number) =>
    (await endpoint.engine.pool.query('select from pg_stat_activity where pid = $1', [pid])).rowCount;

  describe('CancelRequest', () => {
    test.each([0, 2])('ends a statement that PostgreSQL runs (protocol 3.%i)', async (minor) => {
      const { client, pid, key } = await connect(minor);
      expect(key.length).toBe(minor === 2 ? 32 : 4);
      client.send(query('select pg_sleep(60)'));
      await running('pg_sleep');
      await cancel(pid, key);
      expect(told(await client.until('Z'))).toEqual(['57014 canceling statement due to user request']);
      client.close();
    });

    test('ends a hydration, and the session lives on', async () => {
      endpoint.pipeline.reset({ hydrate: never });
      const { client, pid, key } = await connect();
      client.send(query('select 1; select x from virtual_demo'));
      await hydrating();
      expect(endpoint.pipeline.requests[0]?.signal.aborted).toBe(false);
      await cancel(pid, key);
      const messages = await client.until('Z');
      expect([types(messages), told(messages)]).toEqual(['TDCEZ', ['57014 canceling statement due to user request']]);
      endpoint.pipeline.reset();
      client.send(query('select x from virtual_demo'));
      expect(types(await client.until('Z'))).toBe('TDDDCZ');
      client.close();
    });

    test('ends a hydration in the extended protocol, which skips to Sync', async () => {
      endpoint.pipeline.reset({ hydrate: never });
      const { client, pid, key } = await connect();
      client.send(query('begin'), parse('select x from virtual_demo'), bind(), execute(), query('select 1'), sync());
      await hydrating();
      await cancel(pid, key);
      expect((await client.until('Z', 2)).map((message) => message.type).join('')).toBe('CZ1EZ');
      client.send(query('select 1'));
      expect(told(await client.until('Z'))[0]).toMatch(/^25P02/u);
      client.close();
    });

    test('ends a statement that was injected', async () => {
      endpoint.pipeline.reset({
        hydrate: async (_request, backend) => {
          await backend.query({ text: 'select pg_sleep(60)' });
          return [];
        },
      });
      const { client, pid, key } = await connect();
      client.send(query('select x from virtual_demo'));
      await running('pg_sleep');
      await cancel(pid, key);
      const messages = await client.until('Z');
      expect([types(messages), told(messages)]).toEqual(['EZ', ['57014 canceling statement due to user request']]);
      client.close();
    });

    test('with a wrong key, a wrong pid or nothing to cancel does nothing and says nothing', async () => {
      endpoint.pipeline.reset({ hydrate: never });
      const { client, pid, key } = await connect();
      await cancel(pid, key);
      client.send(query('select x from virtual_demo'));
      await hydrating();
      await cancel(pid, Buffer.alloc(key.length));
      await cancel(pid, Buffer.concat([key, key]));
      await cancel(pid + 1, key);
      expect(endpoint.pipeline.requests[0]?.signal.aborted).toBe(false);
      await cancel(pid, key);
      await client.until('Z');
      client.close();
    });

    test('of one session leaves others alone', async () => {
      endpoint.pipeline.reset({ hydrate: never });
      const one = await connect();
      const other = await connect();
      other.client.send(query('select x from virtual_demo'));
      await hydrating();
      await cancel(one.pid, one.key);
      expect(endpoint.pipeline.requests[0]?.signal.aborted).toBe(false);
      other.client.close();
      one.client.close();
    });
  });

  describe('a client that goes away', () => {
    test('aborts the hydration, and its backend ends', async () => {
      endpoint.pipeline.reset({ hydrate: never });
      const { client, pid } = await connect();
      client.send(query('select x from virtual_demo'));
      await hydrating();
      client.close();
      await expect.poll(() => endpoint.pipeline.requests[0]?.signal.aborted).toBe(true);
      await expect.poll(() => backends(pid)).toBe(0);
    });

    test('is noticed though it had sent more statements ahead', async () => {
      endpoint.pipeline.reset({ hydrate: never });
      const { client } = await connect();
      client.send(query('select x from virtual_demo'), query('select 1'), query('select 2'));
      await hydrating();
      client.close();
      await expect.poll(() => endpoint.pipeline.requests[0]?.signal.aborted).toBe(true);
      expect(endpoint.pipeline.requests.length).toBe(1);
    });

    test('ends an injected statement of ours', async () => {
      endpoint.pipeline.reset({
        hydrate: async (_request, backend) => {
          await backend.query({ text: 'select pg_sleep(60)' });
          return [];
        },
      });
      const { client, pid } = await connect();
      client.send(query('select x from virtual_demo'));
      await running('pg_sleep');
      client.close();
      await expect.poll(() => backends(pid)).toBe(0);
    });

    test('while it logs in leaves no backend behind', async () => {
      class Leaving extends WireClient {
        #left = 3;

        override send(...messages: readonly Buffer[]): void {
          super.send(...messages);
          this.#left -= 1;
          // Behind its proof: what comes now is our own log-in to the engine.
          if (this.#left === 0) this.stream.end();
        }
      }
      const client = new Leaving(await connectTcp(endpoint.port));
      const messages = await logIn(client, { user: USER, password: PASSWORD, database: DATABASE });
      expect(messages.at(-1)?.type).toBe('Z');
      const key = messages.find((message) => message.type === 'K')?.payload ?? Buffer.alloc(8);
      await expect.poll(() => backends(key.readInt32BE(0))).toBe(0);
      expect(await client.until('-')).toEqual([]);
    });

    test('what it sent before closing its side is worked off, and it gets the answers', async () => {
      const { client } = await connect();
      client.stream.end(Buffer.concat([query("select pg_sleep(0.1), 'a'"), query("select 'b'")]));
      expect(types(await client.until('-'))).toBe('TDCZTDCZ');
    });

    test('by Terminate while a statement runs, lets PostgreSQL finish it', async () => {
      await endpoint.engine.pool.query(
        'create table if not exists public.kept (a int); grant all on public.kept to hunter',
      );
      const { client, pid } = await connect();
      client.send(query('insert into kept select 1 from pg_sleep(0.2)'), encodeTerminate());
      client.close();
      await expect.poll(() => backends(pid)).toBe(0);
      expect((await endpoint.engine.pool.query('select * from public.kept')).rowCount).toBe(1);
    });
  });

  test('a backend that is terminated has the last word, and the connection ends', async () => {
    const { client, pid } = await connect();
    client.send(query('select pg_sleep(60)'));
    await running('pg_sleep');
    await endpoint.engine.pool.query('select pg_terminate_backend($1)', [pid]);
    expect(told(await client.until('-'))).toEqual(['57P01 terminating connection due to administrator command']);
  });

  test('a backend that is terminated during a hydration ends it', async () => {
    endpoint.pipeline.reset({ hydrate: never });
    const { client, pid } = await connect();
    client.send(query('select x from virtual_demo'));
    await hydrating();
    await endpoint.engine.pool.query('select pg_terminate_backend($1)', [pid]);
    expect(told(await client.until('-'))).toEqual(['57P01 terminating connection due to administrator command']);
    expect(endpoint.pipeline.requests[0]?.signal.aborted).toBe(true);
  });

  test('what is sent ahead during a hydration is bounded, and answered afterwards', async () => {
    let goOn: (rows: number[]) => void = () => undefined;
    const rows = new Promise<number[]>((resolve) => {
      goOn = resolve;
    });
    endpoint.pipeline.reset({ hydrate: () => rows });
    const { client } = await connect();
    const ahead = Array.from({ length: 40 }, (_, index) => query(`select ${index} -- ${'x'.repeat(100_000)}`));
    client.send(query('select x from virtual_demo'), ...ahead);
    await hydrating();
    goOn([1]);
    const messages = await client.until('Z', 41);
    expect(messages.filter((message) => message.type === 'D').map(line)).toHaveLength(41);
    client.close();
  });
});

test('the crash of one backend ends all of them with what PostgreSQL says, and the endpoint serves on', async () => {
  const endpoint = await openTestEndpoint();
  try {
    endpoint.pipeline.reset({ hydrate: never });
    const [idle, hydrating, crashing] = [await endpoint.connect(), await endpoint.connect(), await endpoint.connect()];
    hydrating.send(query('select x from virtual_demo'));
    crashing.send(query('select pg_backend_pid()'));
    const row = (await crashing.until('Z')).find((message) => message.type === 'D');
    const pid = Number(row?.payload.subarray(6).toString());
    await expect.poll(() => endpoint.pipeline.requests.length).toBe(1);
    process.kill(pid, 'SIGKILL');
    expect(await crashing.until('-')).toEqual([]);
    for (const client of [idle, hydrating]) {
      expect((await client.until('-')).map(line).join()).toContain('57P02');
    }
    expect(endpoint.pipeline.requests[0]?.signal.aborted).toBe(true);
    endpoint.pipeline.reset();
    await expect
      .poll(() =>
        endpoint.connect().then(
          () => 'in',
          () => 'not yet',
        ),
      )
      .toBe('in');
  } finally {
    await endpoint.close();
  }
});

describe('closing the server', () => {
  test('tells idle clients at once, lets a running statement end in its grace, and takes no new ones', async () => {
    const endpoint = await openTestEndpoint();
    try {
      const idle = await endpoint.connect();
      const busy = await endpoint.connect();
      // What runs ends when the idle one has ended.
      idle.send(query('select pg_advisory_lock(1)'));
      await idle.until('Z');
      busy.send(query("select pg_advisory_lock(1), 'done'"));
      const waiting = "select from pg_locks where locktype = 'advisory' and not granted";
      await expect.poll(async () => (await endpoint.engine.pool.query(waiting)).rowCount).toBe(1);
      const closing = endpoint.server.close(20_000);
      expect(told(await idle.until('-'))).toEqual(['57P01 terminating connection due to administrator command']);
      const messages = await busy.until('-');
      expect([types(messages), told(messages)]).toEqual([
        'TDCZE',
        ['57P01 terminating connection due to administrator command'],
      ]);
      await closing;
      await expect(connectTcp(endpoint.port)).rejects.toThrow();
      expect(endpoint.server.connections).toBe(0);
    } finally {
      await endpoint.close();
    }
  });

  test('aborts what still runs after the grace', async () => {
    const endpoint = await openTestEndpoint();
    try {
      endpoint.pipeline.reset({ hydrate: never });
      const hydrating = await endpoint.connect();
      hydrating.send(query('select x from virtual_demo'));
      const sleeping = await endpoint.connect();
      sleeping.send(query('select pg_sleep(600)'));
      await expect.poll(() => endpoint.pipeline.requests.length).toBe(1);
      await endpoint.server.close(50);
      const expected = ['57P01 terminating connection due to administrator command'];
      expect(told(await hydrating.until('-'))).toEqual(expected);
      expect(told(await sleeping.until('-'))).toEqual(expected);
      expect(endpoint.pipeline.requests[0]?.signal.reason).toMatchObject({ code: 'admin_shutdown' });
      const active = "select from pg_stat_activity where usename = 'hunter'";
      await expect.poll(async () => (await endpoint.engine.pool.query(active)).rowCount).toBe(0);
    } finally {
      await endpoint.close();
    }
  });
});
