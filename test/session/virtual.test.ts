import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TrailhoundError } from '../../src/kernel/errors.ts';
import { decodeErrorResponse } from '../../src/wire/backend/error-response.ts';
import { decodeRowDescription } from '../../src/wire/backend/row-description.ts';
import { encodeCopyData } from '../../src/wire/frontend/copy-data.ts';
import { encodeCopyDone } from '../../src/wire/frontend/copy-done.ts';
import { encodeCopyFail } from '../../src/wire/frontend/copy-fail.ts';
import { openTestEndpoint, type TestEndpoint } from './support/endpoint.ts';
import { converse, line, say, sendByteByByte, type Step } from './support/transcript.ts';
import type { WireMessage } from './support/wire-client.ts';

const { query, parse, bind, describe: describeMessage, execute, close, sync, flush } = say;
const data = (text: string) => encodeCopyData({ data: Buffer.from(text) });

/** `t` is virtual to us; PostgreSQL, asked directly, has it as a table. */
const conversations: Readonly<Record<string, (t: string) => readonly Step[]>> = {
  'a simple Query': (t) => [
    { send: [query(`select * from ${t}`)], until: 'Z' },
    { send: [query(`select x, 6 / x as y from ${t} where x > 1 order by x desc`)], until: 'Z' },
  ],
  'several statements in one Query': (t) => [
    {
      send: [query(`create temp table c (a int); insert into c select x from ${t}; select * from c; -- end`)],
      until: 'Z',
    },
    { send: [query(`select 'é'; select * from ${t}; select sum(x) from ${t}`)], until: 'Z' },
    { send: [query(`select 1;; select x from ${t} limit 0`)], until: 'Z' },
  ],
  'only a comment names it': (t) => [
    { send: [query(`-- ${t}`)], until: 'Z' },
    { send: [query(`select 1 -- ${t}`), query('select 2')], until: 'Z', count: 2 },
  ],
  'errors and where they are': (t) => [
    { send: [query(`select * from ${t}, nope`)], until: 'Z' },
    { send: [query(`select nope from ${t}`)], until: 'Z' },
    { send: [query(`select 'é'; select nope, 'é' from ${t}; select 3`)], until: 'Z' },
    { send: [query(`select * from ${t}; select 'é', nope; select 3`)], until: 'Z' },
    { send: [query(`select 6 / (x - 2) from ${t}; select 2`)], until: 'Z' },
    { send: [query(`selec * from ${t} -- syntax error`)], until: 'Z' },
  ],
  'blocks inside and around a Query': (t) => [
    { send: [query(`begin; select * from ${t}; commit; select 1`)], until: 'Z' },
    { send: [query(`begin; select * from ${t}`)], until: 'Z' },
    { send: [query(`savepoint s; select 1 / (x - 1) from ${t}`)], until: 'Z' },
    { send: [query(`select * from ${t}`)], until: 'Z' },
    { send: [query('rollback to s')], until: 'Z' },
    { send: [query(`select * from ${t}; commit`)], until: 'Z' },
  ],
  'the implicit transaction of a Query': (t) => [
    { send: [query('create temp table c (a int)')], until: 'Z' },
    { send: [query(`insert into c select x from ${t}; select 1/0`)], until: 'Z' },
    { send: [query('select * from c')], until: 'Z' },
    { send: [query(`insert into c values (7); begin; insert into c select x from ${t}; rollback`)], until: 'Z' },
    { send: [query('select * from c')], until: 'Z' },
    { send: [query(`select x from ${t}; savepoint s`)], until: 'Z' },
    { send: [query(`select x from ${t}; vacuum c`)], until: 'Z' },
  ],
  'a Query inside a batch': (t) => [
    { send: [query('create temp table c (a int)')], until: 'Z' },
    {
      send: [parse('insert into c values (7)'), bind(), execute(), query(`insert into c select x from ${t}`), sync()],
      until: 'Z',
      count: 2,
    },
    // No more: the next statement of such a session fails in PostgreSQL 18.4 (XX000, unexpected state STARTED), not in ours.
  ],
  'an error of a Query inside a batch': (t) => [
    { send: [query('create temp table c (a int)')], until: 'Z' },
    {
      send: [parse('insert into c values (7)'), bind(), execute(), query(`select 1 / (x - 1) from ${t}`), sync()],
      until: 'Z',
      count: 2,
    },
    { send: [query('table c')], until: 'Z' },
  ],
  'the extended protocol': (t) => [
    { send: [parse(`select * from ${t} where x >= $1`, 's'), describeMessage('S', 's'), sync()], until: 'Z' },
    { send: [bind(['2'], 's'), describeMessage('P'), execute(), sync()], until: 'Z' },
    { send: [bind(['3'], 's', '', [1]), execute(), sync()], until: 'Z' },
    { send: [close('S', 's'), bind(['3'], 's'), sync()], until: 'Z' },
    { send: [parse(`select * from ${t}`), bind(), describeMessage('P'), execute(), sync()], until: 'Z' },
    { send: [bind(), execute(), sync()], until: 'Z' },
  ],
  'Bind that PostgreSQL refuses': (t) => [
    { send: [parse(`select * from ${t} where x > $1`, 's'), sync()], until: 'Z' },
    { send: [bind([], 's'), sync()], until: 'Z' },
    { send: [bind(['nope'], 's'), sync()], until: 'Z' },
    { send: [bind(['1', '2'], 's'), execute(), sync()], until: 'Z' },
    { send: [bind(['1'], 's', '', [1, 1]), execute(), sync()], until: 'Z' },
    { send: [bind(['1'], 's'), execute(), sync()], until: 'Z' },
  ],
  'Parse that PostgreSQL refuses': (t) => [
    { send: [parse(`select nope from ${t}`), bind(), execute(), sync()], until: 'Z' },
    { send: [parse(`select x from ${t}`, 's'), parse('select 1', 's'), bind([], 's'), execute(), sync()], until: 'Z' },
    { send: [parse(`select x from ${t}`, 's'), sync(), bind([], 's'), execute(), sync()], until: 'Z', count: 2 },
  ],
  'a pipeline of several statements, one of them in error': (t) => [
    {
      send: [
        ...[parse(`select x from ${t}`), bind(), execute(), parse('select 2'), bind(), execute(), sync()],
        ...[parse(`select 1 / (x - $1) from ${t}`, 'd'), bind(['9'], 'd'), execute(), bind(['1'], 'd'), execute()],
        ...[parse('select 1'), bind(), execute(), sync()],
        ...[parse(`select count(*) from ${t}`), bind(), describeMessage('P'), execute(), sync()],
      ],
      until: 'Z',
      count: 3,
    },
  ],
  'Flush in place of Sync': (t) => [
    { send: [parse(`select x from ${t}`), describeMessage('S'), flush()], until: 'T' },
    { send: [bind(), execute(), flush()], until: 'C' },
    { send: [bind(), describeMessage('P'), execute(1), flush()], until: 's' },
    { send: [execute(1), execute(5), sync()], until: 'Z' },
  ],
  'portals with row limits, inside a block and outside': (t) => [
    { send: [parse(`select x from ${t}`, 's'), bind([], 's'), execute(2), sync()], until: 'Z' },
    { send: [execute(2), sync()], until: 'Z' },
    { send: [query('begin'), bind([], 's', 'p'), execute(2, 'p'), sync()], until: 'Z', count: 2 },
    { send: [execute(1, 'p'), execute(1, 'p'), close('P', 'p'), execute(1, 'p'), sync()], until: 'Z' },
    { send: [query('rollback')], until: 'Z' },
  ],
  'statements that others prepared, renamed or took away': (t) => [
    {
      send: [parse(`select x from ${t}`, 's'), sync(), query('deallocate s'), bind([], 's'), sync()],
      until: 'Z',
      count: 3,
    },
    { send: [parse(`select x from ${t}`, 's'), sync(), query('deallocate s')], until: 'Z', count: 2 },
    { send: [query("prepare s as select 'another'"), bind([], 's'), execute(), sync()], until: 'Z', count: 2 },
    { send: [query('deallocate all'), parse(`select x from ${t}`, 's'), sync()], until: 'Z', count: 2 },
    {
      send: [query('prepare u as select 1'), query('deallocate u'), bind([], 's'), execute(), sync()],
      until: 'Z',
      count: 3,
    },
    { send: [query('discard all'), bind([], 's'), execute(), sync()], until: 'Z', count: 2 },
  ],
  'the unnamed statement after a Query': (t) => [
    { send: [parse(`select x from ${t}`), sync(), query(`select x from ${t}`), bind(), sync()], until: 'Z', count: 3 },
    { send: [parse(`select x from ${t}`), sync(), parse('select 2'), bind(), execute(), sync()], until: 'Z', count: 2 },
  ],
  'COPY beside it': (t) => [
    {
      send: [
        query(`create temp table c (a int); select x from ${t}; copy c from stdin; select x + 10 from ${t}; table c`),
      ],
      until: 'G',
    },
    { send: [data('4\n5'), data('\n'), encodeCopyDone(), query('select 2')], until: 'Z', count: 2 },
    { send: [query(`select x from ${t}; copy c from stdin; select 3`)], until: 'G' },
    { send: [data('6\n'), sync(), flush(), encodeCopyFail({ reason: 'no' }), query('select 2')], until: 'Z', count: 2 },
    { send: [query(`select x from ${t}; copy c from stdin; select 3`)], until: 'G' },
    { send: [data('nope\n'), data('7\n'), encodeCopyDone(), query('select 2')], until: 'Z', count: 2 },
    { send: [query(`select x from ${t}; copy c to stdout; select 3`)], until: 'Z' },
  ],
  'no trace of ours in the catalog': (t) => [
    { send: [query(`select name, statement from pg_prepared_statements, ${t}`)], until: 'Z' },
    {
      send: [
        parse(`select name, x from pg_prepared_statements right join ${t} on true`, 's'),
        bind([], 's'),
        execute(),
        sync(),
      ],
      until: 'Z',
    },
    { send: [query('select name from pg_prepared_statements; select name from pg_cursors')], until: 'Z' },
  ],
  'cursors, declared and fetched in one Query, in several, and by the extended protocol': (t) => [
    {
      send: [query(`begin; declare c cursor for select * from ${t}; fetch 2 from c; fetch all from c; commit`)],
      until: 'Z',
    },
    { send: [query(`begin isolation level repeatable read read only`)], until: 'Z' },
    { send: [query(`declare c cursor for select * from ${t}`), query('fetch 2 from c')], until: 'Z', count: 2 },
    {
      send: [parse(`declare d cursor for select * from ${t}`), bind(), describeMessage('P'), execute(), sync()],
      until: 'Z',
    },
    {
      send: [describeMessage('P', 'd'), sync(), query('fetch 1 from d'), query('fetch all from c')],
      until: 'Z',
      count: 3,
    },
    { send: [query('commit')], until: 'Z' },
  ],
  'BEGIN and a batch, sent without waiting': (t) => [
    {
      send: [
        query('begin'),
        parse(`select x from ${t}`),
        bind(),
        describeMessage('P'),
        execute(),
        sync(),
        query('commit'),
      ],
      until: 'Z',
      count: 3,
    },
  ],
  'settings that change how text is read are left to PostgreSQL': (t) => [
    { send: [query('set standard_conforming_strings = off')], until: 'Z' },
    { send: [query(`select count(*) > 5 as no, '\\\\' from ${t}`)], until: 'Z' },
  ],
};

function gate() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

describe('a virtual table is answered as PostgreSQL answers for an ordinary one', () => {
  let endpoint: TestEndpoint;
  beforeAll(async () => {
    endpoint = await openTestEndpoint();
  });
  afterAll(() => endpoint.close());
  beforeEach(() => endpoint.pipeline.reset());

  const asVirtual = (text: string) => text.replaceAll('ordinary_one', 'virtual_demo');

  test.each(Object.entries(conversations))('%s', async (name, conversation) => {
    const direct = await converse(await endpoint.connectDirectly(), conversation('ordinary_one'));
    const ours = await converse(await endpoint.connect(), conversation('virtual_demo'));
    expect(ours).toEqual(direct.map(asVirtual));
    const left = name.includes('comment') || name.includes('settings');
    expect(endpoint.pipeline.rewritten.length > 0).toBe(!left);
    await expect.poll(() => endpoint.pipeline.released).toBe(endpoint.pipeline.rewritten.length);
  });

  test('the same, when every byte comes in a segment of its own', async () => {
    const conversation = conversations['a pipeline of several statements, one of them in error'];
    const direct = await converse(await endpoint.connectDirectly(), conversation?.('ordinary_one') ?? []);
    const ours = await converse(await endpoint.connect(), conversation?.('virtual_demo') ?? [], sendByteByByte);
    expect(ours).toEqual(direct.map(asVirtual));
  });

  test('the same, after log-in with protocol 3.2', async () => {
    const version = { major: 3, minor: 2 };
    const conversation = conversations['a simple Query'];
    const direct = await converse(await endpoint.connectDirectly({ version }), conversation?.('ordinary_one') ?? []);
    const ours = await converse(await endpoint.connect({ version }), conversation?.('virtual_demo') ?? []);
    expect(ours).toEqual(direct.map(asVirtual));
  });

  test('columns say where they come from, by a simple Query and by Describe of a portal', async () => {
    const { rows } = await endpoint.engine.pool.query<{ oid: number }>(
      "select 'public.virtual_demo'::regclass::oid::int as oid",
    );
    const client = await endpoint.connect();
    client.send(query('select * from virtual_demo'));
    const simple = await client.until('Z');
    client.send(parse('select * from virtual_demo'), bind(), describeMessage('P'), sync());
    const extended = await client.until('Z');
    for (const messages of [simple, extended]) {
      const description = messages.find((message) => message.type === 'T');
      expect(decodeRowDescription(description?.payload ?? Buffer.alloc(0)).fields).toMatchObject([
        { name: 'x', tableOid: rows[0]?.oid, attnum: 1 },
      ]);
    }
  });

  test('EXPLAIN has the lines that the pipeline makes of all of them', async () => {
    endpoint.pipeline.reset({ explain: (lines) => [...lines, `${lines.length} before`] });
    const client = await endpoint.connect();
    client.send(query('explain select * from virtual_demo'));
    const simple = (await client.until('Z')).map(line);
    client.send(parse('explain select * from virtual_demo'), bind(), describeMessage('P'), execute(1), sync());
    const extended = (await client.until('Z')).map(line);
    for (const lines of [simple, extended]) {
      expect(lines.filter((text) => text.startsWith('D')).at(-1)).toContain('1 before');
      expect(lines.filter((text) => text.startsWith('C'))).toEqual(['C EXPLAIN\\0']);
    }
  });

  test('a statement is planned after those before it in the pipeline have run', async () => {
    const seen: unknown[] = [];
    endpoint.pipeline.reset({
      hydrate: async (_request, backend) => {
        seen.push((await backend.query({ text: 'select count(*) from c' })).rows);
        return [1];
      },
    });
    const client = await endpoint.connect();
    client.send(query('create temp table c (a int)'));
    await client.until('Z');
    const insert = [parse('insert into c values (1)'), bind(), execute()];
    client.send(
      ...insert,
      parse('select x from virtual_demo', 's'),
      bind([], 's'),
      execute(),
      ...insert,
      bind([], 's'),
      sync(),
    );
    expect((await client.until('Z')).map((message) => message.type).join('')).toBe('12C12DC12C2Z');
    client.send(query('insert into c values (3); select x from virtual_demo'));
    await client.until('Z');
    expect(seen).toEqual([[['1']], [['2']], [['3']]]);
  });

  test('the pipeline gets the types that PostgreSQL resolved, and the values as the client sent them', async () => {
    const client = await endpoint.connect();
    client.send(
      parse('select x from virtual_demo where x = $1 and $2 = $2::text'),
      bind(['1', null]),
      execute(),
      sync(),
    );
    await client.until('Z');
    expect(endpoint.pipeline.requests[0]).toMatchObject({
      user: 'hunter',
      parameterTypes: [23, 25],
      parameters: [
        { format: 0, value: Buffer.from('1') },
        { format: 0, value: null },
      ],
    });
  });

  test('types that a client declares are no part of the text, whatever bytes they are', async () => {
    const client = await endpoint.connect();
    const [textArray, timestamptz] = [1009, 1184];
    client.send(
      parse('select x from virtual_demo where $1 is not null and $2 is null', '', [textArray, timestamptz]),
      bind(['{a}', null]),
      execute(),
      sync(),
    );
    await client.until('Z');
    expect(endpoint.pipeline.requests[0]).toMatchObject({ parameterTypes: [textArray, timestamptz] });
  });

  test('notices and asynchronous messages come at once; notices of injected statements do not', async () => {
    const { promise: waiting, resolve: goOn } = gate();
    endpoint.pipeline.reset({
      hydrate: async (request, backend) => {
        request.notice('NOTICE', 'still working');
        await backend.query({ text: 'select trailhound.chatter()' });
        await waiting;
        request.notice('WARNING', '1 key failed');
        return [5];
      },
    });
    await endpoint.engine.pool.query(
      "create or replace function trailhound.chatter() returns void language plpgsql as $$ begin raise warning 'ours'; end $$",
    );
    const client = await endpoint.connect();
    client.send(query('select x from virtual_demo'));
    expect((await client.until('N')).map(line)).toEqual(['N SNOTICE\\0VNOTICE\\0C00000\\0Mstill working\\0\\0']);
    goOn();
    expect((await client.until('Z')).map((message) => message.type).join('')).toBe('NTDCZ');
  });

  describe('an error of the pipeline', () => {
    const unbounded = () =>
      new TrailhoundError('unbounded_key', 'virtual_demo needs a value for x', {
        detail: 'Nothing says which.',
        hint: 'Compare x.',
        position: 15,
      });
    const fields = (messages: readonly WireMessage[]) =>
      messages
        .filter((message) => message.type === 'E')
        .map((message) => Object.fromEntries(decodeErrorResponse(message.payload).fields));
    const types = (messages: readonly WireMessage[]) => messages.map((message) => message.type).join('');

    beforeEach(() =>
      endpoint.pipeline.reset({
        hydrate: async () => {
          throw unbounded();
        },
      }),
    );

    test('is the only one that the client sees, with detail, hint and position, and no context', async () => {
      const client = await endpoint.connect();
      client.send(query("select 'é'; select x from virtual_demo; select 3"));
      const messages = await client.until('Z');
      expect(types(messages)).toBe('TDCEZ');
      expect(fields(messages)).toEqual([
        {
          S: 'ERROR',
          V: 'ERROR',
          C: 'HV002',
          M: 'virtual_demo needs a value for x',
          D: 'Nothing says which.',
          H: 'Compare x.',
          P: '27',
        },
      ]);
    });

    test('rolls back what came before it in the same implicit transaction', async () => {
      const client = await endpoint.connect();
      client.send(query('create temp table c (a int)'), query('insert into c values (1); select x from virtual_demo'));
      await client.until('Z', 2);
      client.send(query('select count(*) from c'));
      expect((await client.until('Z')).map(line)).toContain('D \\0\\1\\0\\0\\0\\10');
    });

    test('fails a transaction block, until its savepoint', async () => {
      const client = await endpoint.connect();
      client.send(query('begin'), query('savepoint s'), query('select x from virtual_demo'), query('select 1'));
      expect((await client.until('Z', 4)).filter(({ type }) => type === 'Z').map(line)).toEqual([
        'Z T',
        'Z T',
        'Z E',
        'Z E',
      ]);
      client.send(query('rollback to s'), query('select 1'));
      expect((await client.until('Z', 2)).map(line).at(-1)).toBe('Z T');
    });

    test('is sent at once in the extended protocol, and skips to Sync', async () => {
      const client = await endpoint.connect();
      client.send(parse('select x from virtual_demo', 's'), bind([], 's'));
      expect(types(await client.until('E'))).toBe('1E');
      client.send(execute(), parse('select 1'), bind(), execute(), query('select 2'), sync());
      expect(types(await client.until('Z'))).toBe('Z');
      endpoint.pipeline.reset();
      client.send(bind([], 's'), execute(), sync());
      expect(types(await client.until('Z'))).toBe('2DDDCZ');
    });

    test('of PostgreSQL about an injected statement is relayed without what belongs to our text, and leaves nothing', async () => {
      endpoint.pipeline.reset({
        hydrate: async (_request, backend) => {
          await backend.query({ text: 'select 1, nope from pg_class' });
          return [];
        },
      });
      const client = await endpoint.connect();
      for (const send of [
        [query('select x from virtual_demo')],
        [parse('select x from virtual_demo'), bind(), execute(), sync()],
      ]) {
        client.send(...send);
        const [error] = fields(await client.until('Z'));
        expect(error).toMatchObject({ C: '42703', M: 'column "nope" does not exist' });
        expect(error).not.toHaveProperty('P');
      }
      client.send(query('select count(*) from pg_prepared_statements'));
      expect((await client.until('Z')).map(line)).toContain('D \\0\\1\\0\\0\\0\\10');
    });

    test('of PostgreSQL about the very text keeps its position', async () => {
      endpoint.pipeline.reset({
        hydrate: async (request, backend) => {
          await backend.describe(request.text, []);
          return [];
        },
      });
      const client = await endpoint.connect();
      client.send(query('select 1; select x, nope from virtual_demo'));
      expect(fields(await client.until('Z'))[0]).toMatchObject({ C: '42703', P: '21' });
    });

    test('that is a defect tells the client nothing of it', async () => {
      endpoint.pipeline.reset({
        hydrate: async () => {
          throw new TypeError('secret of apiKey=123');
        },
      });
      const client = await endpoint.connect();
      client.send(query('select x from virtual_demo'));
      const [error] = fields(await client.until('Z'));
      expect(error).toMatchObject({ C: 'XX000', M: 'internal error' });
      expect(JSON.stringify(error)).not.toContain('secret');
    });
  });

  test('relations stay until the transaction has ended where a cursor needs them', async () => {
    endpoint.pipeline.reset({ holdUntilTransactionEnd: true });
    const client = await endpoint.connect();
    client.send(query('begin'), query('select x from virtual_demo'), query('select 1'));
    await client.until('Z', 3);
    expect(endpoint.pipeline.released).toBe(0);
    client.send(query('commit'));
    await client.until('Z');
    expect(endpoint.pipeline.released).toBe(1);
  });

  test('a statement of another session is not held up by one that is hydrated', async () => {
    endpoint.pipeline.reset({
      hydrate: ({ signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('x')))),
    });
    const waiting = await endpoint.connect();
    waiting.send(query('select x from virtual_demo'));
    const client = await endpoint.connect();
    client.send(query('select 1'));
    expect((await client.until('Z')).map((message) => message.type).join('')).toBe('TDCZ');
    waiting.close();
  });
});
