import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeCopyData } from '../../src/wire/frontend/copy-data.ts';
import { encodeCopyDone } from '../../src/wire/frontend/copy-done.ts';
import { encodeCopyFail } from '../../src/wire/frontend/copy-fail.ts';
import { encodeFunctionCall } from '../../src/wire/frontend/function-call.ts';
import { encodeTerminate } from '../../src/wire/frontend/terminate.ts';
import { openTestEndpoint, type TestEndpoint } from './support/endpoint.ts';
import { converse, line, say, sendByteByByte, type Step } from './support/transcript.ts';

const { query, parse, bind, describe: describeMessage, execute, close, sync, flush } = say;
const data = (text: string) => encodeCopyData({ data: Buffer.from(text) });

/** oid of int4pl(int4, int4) */
const INT4PL = 177;
const INT4 = 23;

const conversations: Readonly<Record<string, readonly Step[]>> = {
  'simple queries, empty ones too': [
    { send: [query('select 1 as a, null as b')], until: 'Z' },
    { send: [query('')], until: 'Z' },
    { send: [query(';')], until: 'Z' },
    { send: [query('-- ping')], until: 'Z' },
    { send: [query('select 1; create temp table t (a int); insert into t values (1), (2); table t')], until: 'Z' },
    { send: [query('select 1; select nope; select 3')], until: 'Z' },
    { send: [query('select 1; select 1/0; select 3')], until: 'Z' },
  ],
  'several queries sent at once': [
    { send: [query('select 1'), query('select 1/0'), query('select 3')], until: 'Z', count: 3 },
  ],
  'the extended protocol': [
    { send: [parse('select $1::int + 1 as a', 's', [INT4]), describeMessage('S', 's'), sync()], until: 'Z' },
    { send: [bind(['41'], 's'), describeMessage('P'), execute(), sync()], until: 'Z' },
    { send: [bind(['41'], 's', '', [1]), execute(), close('S', 's'), sync()], until: 'Z' },
    { send: [bind(['41'], 's'), sync()], until: 'Z' },
    { send: [parse(''), bind(), describeMessage('P'), execute(), sync()], until: 'Z' },
    { send: [parse('create temp table t (a int)'), bind(), describeMessage('P'), execute(), sync()], until: 'Z' },
  ],
  'Describe before Bind, by Flush': [
    { send: [parse('select $1::text as a'), describeMessage('S'), flush()], until: 'T' },
    { send: [bind(['x']), execute(), flush()], until: 'C' },
    { send: [sync()], until: 'Z' },
  ],
  'an error skips to Sync, also a simple Query': [
    { send: [parse('select nope')], until: 'E' },
    { send: [parse('select 1'), bind(), execute(), flush(), query('select 2'), sync()], until: 'Z' },
    { send: [parse('select 3'), bind(), execute(), sync()], until: 'Z' },
  ],
  'segments of a pipeline, one of them in error': [
    {
      send: [
        ...[parse('select 1'), bind(), execute(), sync()],
        ...[parse('select 1/$1::int', 'd'), bind(['0'], 'd'), execute(), bind(['1'], 'd'), execute(), sync()],
        ...[bind(['1'], 'd'), execute(), parse('select 1', 'd'), sync()],
        ...[close('S', 'd'), close('S', 'no such'), close('P', 'no such'), sync()],
      ],
      until: 'Z',
      count: 4,
    },
  ],
  'portals with row limits': [
    { send: [parse('select generate_series(1, 5)'), bind(), execute(2), flush()], until: 's' },
    { send: [execute(2), sync()], until: 'Z' },
    { send: [execute(2), sync()], until: 'Z' },
    { send: [query('begin')], until: 'Z' },
    { send: [parse('select generate_series(1, 5)'), bind([], '', 'p'), execute(2, 'p'), sync()], until: 'Z' },
    { send: [execute(0, 'p'), sync()], until: 'Z' },
    { send: [close('P', 'p'), execute(0, 'p'), sync()], until: 'Z' },
    { send: [query('rollback')], until: 'Z' },
  ],
  'a simple Query inside a batch shares its transaction': [
    { send: [query('create temp table t (a int)')], until: 'Z' },
    {
      send: [parse('insert into t values (1)'), bind(), execute(), query('insert into t values (2)'), sync()],
      until: 'Z',
      count: 2,
    },
  ],
  'an error of a simple Query inside a batch takes back what came before it': [
    { send: [query('create temp table t (a int)')], until: 'Z' },
    { send: [parse('insert into t values (3)'), bind(), execute(), query('select 1/0'), sync()], until: 'Z', count: 2 },
    { send: [query('select * from t')], until: 'Z' },
  ],
  'a simple Query destroys the unnamed statement': [
    {
      send: [parse('select 1'), sync(), bind(), execute(), sync(), query('select 2'), bind(), sync()],
      until: 'Z',
      count: 4,
    },
  ],
  'COPY out': [
    { send: [query('copy (select generate_series(1, 3)) to stdout')], until: 'Z' },
    {
      send: [parse('copy (select generate_series(1, 3)) to stdout'), bind(), describeMessage('P'), execute(), sync()],
      until: 'Z',
    },
  ],
  'COPY in, by a simple Query': [
    { send: [query('create temp table t (a int)')], until: 'Z' },
    { send: [query('copy t from stdin; select count(*) from t')], until: 'G' },
    { send: [data('1\n2'), data('\n3\n'), encodeCopyDone()], until: 'Z' },
    { send: [query('copy t from stdin')], until: 'G' },
    { send: [data('4\n'), encodeCopyFail({ reason: 'changed my mind' })], until: 'Z' },
    { send: [query('copy t from stdin')], until: 'G' },
    { send: [data('x\n'), data('5\n'), encodeCopyDone(), query('select * from t')], until: 'Z', count: 2 },
  ],
  'COPY in, by Execute with an early Sync': [
    { send: [query('create temp table t (a int)')], until: 'Z' },
    { send: [parse('copy t from stdin'), bind(), describeMessage('P'), execute(), sync()], until: 'G' },
    { send: [data('1\n'), encodeCopyDone(), sync()], until: 'Z' },
    { send: [parse('copy t from stdin'), bind(), execute(), sync()], until: 'G' },
    { send: [data('x\n'), encodeCopyDone(), sync()], until: 'Z' },
    { send: [parse('select * from t'), bind(), execute(), sync()], until: 'Z' },
  ],
  'LISTEN and NOTIFY': [{ send: [query('listen relay'), query("notify relay, 'hello'")], until: 'Z', count: 2 }],
  'notices and ParameterStatus': [
    { send: [query("do $$ begin raise notice 'one'; raise warning 'two'; end $$")], until: 'Z' },
    { send: [query("set application_name = 'x'; set timezone = 'Asia/Tokyo'")], until: 'Z' },
  ],
  FunctionCall: [
    {
      send: [
        encodeFunctionCall({
          oid: INT4PL,
          arguments: ['2', '3'].map((text) => ({ format: 0, value: Buffer.from(text) })),
          resultFormat: 0,
        }),
        encodeFunctionCall({ oid: 0, arguments: [], resultFormat: 0 }),
        query('select 1'),
      ],
      until: 'Z',
      count: 3,
    },
  ],
  'transaction blocks, failed ones too': [
    { send: [query('begin; select 1')], until: 'Z' },
    { send: [query('savepoint s; select nope')], until: 'Z' },
    { send: [query('select 1')], until: 'Z' },
    { send: [query('rollback to s; select 2')], until: 'Z' },
    { send: [query('commit')], until: 'Z' },
  ],
  'Bind with a wrong number of parameters, a wrong format, a wrong value': [
    {
      send: [parse('select $1::int', 's'), sync(), bind([], 's'), sync(), bind(['x'], 's'), sync()],
      until: 'Z',
      count: 3,
    },
    { send: [Buffer.concat([Buffer.from('B\0\0\0\x0d\0s\0\0\x01\0\x07\0\0')]), sync()], until: 'Z' },
  ],
  'messages that are not well formed': [
    { send: [Buffer.from('Q\0\0\0\x08abcd')], until: 'Z' },
    { send: [Buffer.from('P\0\0\0\x06ab'), sync()], until: 'Z' },
    { send: [Buffer.from('D\0\0\0\x06X\0'), sync()], until: 'Z' },
  ],
  'an unknown message type ends the connection': [
    { send: [Buffer.from('y\0\0\0\x04'), query('select 1')], until: 'Z' },
  ],
  'an impossible length ends the connection': [
    { send: [Buffer.from('Q\x7f\xff\xff\xff', 'latin1'), query('select 1')], until: 'Z' },
  ],
  'Terminate ends the connection': [{ send: [query('select 1'), encodeTerminate()], until: '-' }],
  'rows of all sizes': [
    { send: [query("select i, repeat('x', i * 37) from generate_series(1, 1500) i")], until: 'Z' },
    { send: [parse("select repeat('y', 3000000)"), bind(), execute(), sync()], until: 'Z' },
  ],
};

describe('what names no virtual table is answered byte for byte as by PostgreSQL', () => {
  let endpoint: TestEndpoint;
  beforeAll(async () => {
    endpoint = await openTestEndpoint();
  });
  afterAll(() => endpoint.close());

  test.each(Object.entries(conversations))('%s', async (_name, steps) => {
    const direct = await converse(await endpoint.connectDirectly(), steps);
    const relayed = await converse(await endpoint.connect(), steps);
    expect(direct.length).toBeGreaterThan(0);
    expect(relayed).toEqual(direct);
  });

  test('the same, when every byte comes in a segment of its own', async () => {
    const steps = conversations['segments of a pipeline, one of them in error'] ?? [];
    const direct = await converse(await endpoint.connectDirectly(), steps);
    expect(await converse(await endpoint.connect(), steps, sendByteByByte)).toEqual(direct);
  });

  test('the same, when a statement was prepared that names a virtual table and so names are read', async () => {
    const prepared: Step = { send: [parse('select 1 /* virtual_demo */', 'v'), sync()], until: 'Z' };
    for (const [name, steps] of Object.entries(conversations)) {
      const direct = await converse(await endpoint.connectDirectly(), [prepared, ...steps]);
      expect([name, ...(await converse(await endpoint.connect(), [prepared, ...steps]))]).toEqual([name, ...direct]);
    }
  });

  test("in another database of the engine's nothing is read, whatever a statement names", async () => {
    endpoint.pipeline.reset();
    const client = await endpoint.connect({ database: 'postgres' });
    const direct = await endpoint.connectDirectly({ database: 'postgres' });
    for (const each of [client, direct]) each.send(query('select x from virtual_demo; do $$ begin end $$'));
    expect((await client.until('Z')).map(line)).toEqual((await direct.until('Z')).map(line));
    expect(endpoint.pipeline.requests).toEqual([]);
  });

  test('a Query too large to be read is passed on as it comes', async () => {
    const client = await endpoint.connect();
    client.send(query(`select length('${'x'.repeat(65 * 1024 * 1024)}') /* virtual_demo */`));
    expect((await client.until('Z')).map((message) => message.type).join('')).toBe('TDCZ');
    expect(endpoint.pipeline.requests).toEqual([]);
    client.close();
  });

  test('a client that does not read holds its backend back and nobody else, and loses nothing', async () => {
    const client = await endpoint.connect();
    client.stream.pause();
    client.send(query("select repeat('z', 100000) from generate_series(1, 500)"));
    const idle =
      "select count(*)::int as n from pg_stat_activity where wait_event = 'ClientWrite' and usename = 'hunter'";
    await expect.poll(async () => (await endpoint.engine.pool.query<{ n: number }>(idle)).rows[0]?.n).toBe(1);
    const other = await endpoint.connect();
    other.send(query('select x from virtual_demo'));
    expect((await other.until('Z')).map((message) => message.type).join('')).toBe('TDDDCZ');
    other.close();
    client.stream.resume();
    const messages = await client.until('Z');
    expect(messages.filter((message) => message.type === 'D').length).toBe(500);
  });
});
