import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { RunningHydrator } from '../../src/hydrate/create-hydrator.ts';
import { createHydrator } from '../../src/hydrate/create-hydrator.ts';
import type { HydratedRows, Row, StoredColumn } from '../../src/hydrate/hydrator.ts';
import { VALUES_LIMIT } from '../../src/hydrate/row-writer.ts';
import { createLogger } from '../../src/kernel/log.ts';
import type { ScanRequest } from '../../src/sources/source.ts';
import { SourceError } from '../../src/sources/source.ts';
import type { TestEngine } from './support/engine.ts';
import { openTestEngine } from './support/engine.ts';
import { FakeScanSource } from './support/fake-scan-source.ts';
import { statement } from './support/statement.ts';
import { columnsOf, events } from './support/tables.ts';

let host: TestEngine;
let hydrator: RunningHydrator | undefined;
const log = createLogger('silent');

beforeAll(async () => {
  host = await openTestEngine();
});
afterAll(() => host.close());
afterEach(async () => {
  await hydrator?.close();
  expect(await relations()).toEqual([]);
});

function over(source: FakeScanSource): RunningHydrator {
  hydrator = createHydrator({ pool: host.engine.pool, sources: new Map([['fake_scan', source]]), log });
  return hydrator;
}

function request(names: readonly string[], limit?: number): ScanRequest {
  return { table: events, columns: columnsOf(events, ...names), predicates: [], limit };
}

async function relations(): Promise<string[]> {
  const { rows } = await host.engine.pool.query<{ relname: string }>(
    `select relname from pg_class where relnamespace = 'trailhound_rows'::regnamespace and relkind = 'r'`,
  );
  return rows.map((row) => row.relname);
}

function relationOf(hydrated: HydratedRows): string {
  if (hydrated.kind !== 'relation') throw new Error('a relation expected');
  return hydrated.name;
}

async function select<T extends object>(text: string): Promise<T[]> {
  return (await host.engine.pool.query<T>(text)).rows;
}

test('few rows come as values', async () => {
  const hydrated = await over(new FakeScanSource({ pages: 2, recordsPerPage: 2 })).scan(
    request(['n', 'agent']),
    statement(),
  );
  expect(hydrated).toMatchObject({
    kind: 'values',
    rows: [
      ['0', null],
      ['1', null],
      ['2', null],
      ['3', null],
    ],
    statistics: { calls: 2, pages: 2, rows: 4, bytes: 400 },
  });
});

test('as many rows as are bound as parameters stay values, one more makes a relation', async () => {
  const scan = (rows: number) =>
    createHydrator({
      pool: host.engine.pool,
      sources: new Map([['fake_scan', new FakeScanSource({ pages: 1, recordsPerPage: rows })]]),
      log,
    });
  const few = scan(VALUES_LIMIT.rows);
  const many = scan(VALUES_LIMIT.rows + 1);
  expect((await few.scan(request(['n']), statement())).kind).toBe('values');
  expect((await many.scan(request(['n']), statement())).kind).toBe('relation');
  await few.close();
  await many.close();
});

test('50,000 rows become a relation with the columns’ own types, readable by the statement’s role, gone when released', async () => {
  const source = new FakeScanSource({
    pages: 10,
    recordsPerPage: 5_000,
    value: (n) => ({ n, agent: `agent ${n % 7}`, addresses: ['192.0.2.1', '::1'], request: { n } }),
  });
  const hydrated = await over(source).scan(request(['n', 'agent', 'at', 'addresses', 'request']), statement());
  expect(hydrated.statistics).toMatchObject({ rows: 50_000, pages: 10 });
  const name = relationOf(hydrated);
  expect(
    await select(
      `select count(*)::int, sum(n)::text, count(distinct agent)::int as agents, min(at)::text, max(addresses[2])::text,
              sum((request->>'n')::bigint)::text as request
         from ${name}`,
    ),
  ).toEqual([
    {
      count: 50_000,
      sum: '1249975000',
      agents: 7,
      min: '2025-11-21 04:40:00+00',
      max: '::1/128',
      request: '1249975000',
    },
  ]);
  expect(
    await select(
      `select array_agg(format_type(atttypid, atttypmod) order by attnum) as types
         from pg_attribute where attrelid = '${name}'::regclass and attnum > 0`,
    ),
  ).toEqual([{ types: ['bigint', 'text', 'timestamp with time zone', 'inet[]', 'jsonb'] }]);
  expect(await select(`select relpersistence, reltuples::int from pg_class where oid = '${name}'::regclass`)).toEqual([
    { relpersistence: 'u', reltuples: 50_000 },
  ]);
  expect(
    await select(
      `select has_table_privilege('trailhound', '${name}', 'select') as own,
              has_table_privilege('trailhound_reader', '${name}', 'select') as others`,
    ),
  ).toEqual([{ own: true, others: false }]);
  await hydrated.release();
  await hydrated.release();
  expect(await relations()).toEqual([]);
});

test('a relation is visible to a snapshot that is older than it', async () => {
  const client = await host.engine.pool.connect();
  try {
    await client.query('begin transaction isolation level repeatable read read only; select 1 from pg_class limit 1');
    const hydrated = await over(new FakeScanSource({ pages: 1, recordsPerPage: 2_000 })).scan(
      request(['n']),
      statement(),
    );
    const { rows } = await client.query<{ count: string }>(`select count(*) from ${relationOf(hydrated)}`);
    expect(rows).toEqual([{ count: '2000' }]);
  } finally {
    await client.query('commit');
    client.release();
  }
});

test('hostile texts arrive unchanged in a relation, and as NULL only what was absent', async () => {
  const texts = [
    '\\N',
    '\\.',
    'a\tb\nc\rd',
    '\\',
    '\\\\x41',
    '',
    `'; drop table x; --`,
    '😀 \u2028',
    'NULL',
    '\b\f\v',
    undefined,
  ];
  const source = new FakeScanSource({
    pages: 1,
    recordsPerPage: texts.length,
    value: (n) => ({ n, agent: texts[n], request: { text: texts[n] } }),
  });
  const hydrated = await over(source).scan(request(['agent', 'request', 'n']), statement({}, true));
  const rows = await select<{ agent: string | null; text: string | null }>(
    `select agent, request->>'text' as text from ${relationOf(hydrated)} order by n`,
  );
  const expected = texts.map((text) => text ?? null);
  expect(rows.map((row) => row.agent)).toEqual(expected);
  expect(rows.map((row) => row.text)).toEqual(expected);
});

test('a relation can be asked for whatever the number of rows and columns', async () => {
  const none = over(new FakeScanSource({ pages: 0, recordsPerPage: 0 }));
  const empty = await none.scan(request(['n']), statement({}, true));
  expect(await select(`select count(*)::int from ${relationOf(empty)}`)).toEqual([{ count: 0 }]);
  await none.close();
  const counted = await over(new FakeScanSource({ pages: 1, recordsPerPage: 3 })).scan(
    request([]),
    statement({}, true),
  );
  expect(await select(`select count(*)::int from ${relationOf(counted)}`)).toEqual([{ count: 3 }]);
});

test('a scan whose conditions contradict one another makes no call, but says what its plan says', async () => {
  const source = new FakeScanSource({
    pages: 1,
    recordsPerPage: 1,
    empty: true,
    notices: ['no log group is in mars-1'],
  });
  const empty = statement();
  expect(await over(source).scan(request(['n']), empty)).toMatchObject({ kind: 'values', rows: [] });
  expect(source.requests).toBe(0);
  expect(empty.notices).toEqual(['NOTICE: no log group is in mars-1']);
});

test('trailhound.sources = cache reads nothing that is not kept, and says so', async () => {
  const source = new FakeScanSource({ pages: 1, recordsPerPage: 1 });
  const unread = statement({ sources: 'cache' });
  expect(await over(source).scan(request(['n']), unread)).toMatchObject({ kind: 'values', rows: [] });
  expect(source.requests).toBe(0);
  expect(unread.notices).toEqual([expect.stringMatching(/^NOTICE: .*fake_event.*trailhound\.sources is/)]);
});

test('a limit stops the source', async () => {
  const source = new FakeScanSource({ pages: 10, recordsPerPage: 4 });
  const hydrated = await over(source).scan(request(['n'], 6), statement());
  expect(hydrated).toMatchObject({ kind: 'values', rows: [['0'], ['1'], ['2'], ['3'], ['4'], ['5']] });
  expect(source.requests).toBe(2);
  expect(source.stopped).toBe(true);
});

test('a cancel in the middle of a relation aborts the request, and leaves neither relation nor connection behind', async () => {
  let aborted = false;
  let reached: () => void = () => undefined;
  const stuck = new Promise<void>((resolve) => (reached = resolve));
  const source = new FakeScanSource({
    pages: 3,
    recordsPerPage: 5_000,
    before: (page, signal) => {
      if (page < 2) return Promise.resolve();
      reached();
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(signal.reason as Error);
        });
      });
    },
  });
  const cancelled = statement();
  const running = over(source).scan(request(['n']), cancelled);
  await stuck;
  cancelled.cancel();
  expect(aborted).toBe(true);
  await expect(running).rejects.toThrow('canceling statement');
  expect(source.requests).toBe(3);
  await hydrator?.close();
  expect(host.engine.pool.totalCount).toBe(host.engine.pool.idleCount);
});

test('a source that fails after thousands of rows fails the statement with its own words', async () => {
  const source = new FakeScanSource({
    pages: 2,
    recordsPerPage: 3_000,
    before: (page) => {
      if (page === 0) return Promise.resolve();
      return Promise.reject(
        new SourceError('not_found', 'audit', 'log group "x" does not exist', { hint: 'Name another.' }),
      );
    },
  });
  await expect(over(source).scan(request(['n']), statement())).rejects.toMatchObject({
    sqlstate: 'HV00N',
    message: 'log group "x" does not exist',
    detail: 'Connection audit was asked for fake_event.',
    hint: 'Name another.',
  });
});

test('a value that PostgreSQL itself refuses is an unreadable record', async () => {
  const source = new FakeScanSource({ pages: 1, recordsPerPage: 1, value: () => ({ n: 1, addresses: 'x' }) });
  const columns = [
    { ...columnsOf(events, 'addresses')[0], name: 'network', type: 'cidr' } as ScanRequest['columns'][number],
  ];
  await expect(
    over(source).scan({ table: events, columns, predicates: [] }, statement({}, true)),
  ).rejects.toMatchObject({
    code: 'unreadable_record',
    detail: expect.stringContaining('22P02') as string,
  });
});

test('with trailhound.partial records that cannot be read are left out and counted', async () => {
  const source = new FakeScanSource({
    pages: 2,
    recordsPerPage: 3,
    value: (n) => ({ n: n % 3 === 1 ? 'three past nine' : n }),
  });
  const partial = statement({ partial: true });
  expect(await over(source).scan(request(['n']), partial)).toMatchObject({ rows: [['0'], ['2'], ['3'], ['5']] });
  expect(partial.notices).toEqual([
    expect.stringMatching(
      /^WARNING: 2 records of fake_event could not be read and were left out: column n of .* page 0, event 1\.$/,
    ),
  ]);
});

test('a broken engine connection fails the scan and nothing else', async () => {
  const source = new FakeScanSource({
    pages: 2,
    recordsPerPage: 3_000,
    before: async (page) => {
      if (page === 0) return;
      await host.engine.pool.query(
        `select pg_terminate_backend(pid, 5000) from pg_stat_activity where query like 'copy trailhound_rows%'`,
      );
    },
  });
  const running = over(source);
  await expect(running.scan(request(['n']), statement())).rejects.toMatchObject({ code: 'internal' });
  const again = await running.scan(request(['n']), statement({ sources: 'cache' }));
  expect(again.kind).toBe('values');
});

test('rows of the client’s own backend are stored as they come, and its errors are its own', async () => {
  const columns: StoredColumn[] = [
    { name: 'weird "name"', type: 'numeric(10,2)' },
    { name: 'tags', type: 'text[]' },
  ];
  async function* rows(count: number): AsyncGenerator<Row[]> {
    for (let n = 0; n < count; n += 1) yield await Promise.resolve([[`${n}.50`, '{"a,b",NULL}']]);
  }
  const stored = await over(new FakeScanSource({ pages: 0, recordsPerPage: 0 })).store(
    columns,
    rows(1_500),
    statement(),
  );
  expect(
    await select(
      `select sum("weird ""name""")::text, count(*) filter (where tags[2] is null)::int from ${relationOf(stored)}`,
    ),
  ).toEqual([{ sum: '1125000.00', count: 1500 }]);

  class BackendFailure extends Error {}
  const failing = (async function* (): AsyncGenerator<Row[]> {
    yield await Promise.resolve([['1', null]]);
    throw new BackendFailure('division by zero');
  })();
  await expect(hydrator?.store(columns, failing, statement())).rejects.toBeInstanceOf(BackendFailure);
});

test('what the client’s own backend said is read by the client’s session, never by a superuser', async () => {
  await host.engine.pool.query(`
    create function public.reader_of(value text) returns boolean language sql return current_user = 'trailhound';
    create domain public.checked as text check (public.reader_of(value))`);
  const columns: StoredColumn[] = [
    { name: 'own', type: 'public.checked[]' },
    { name: 'day', type: 'date' },
  ];
  const rows = (async function* (): AsyncGenerator<Row[]> {
    yield await Promise.resolve([['{a}', '03/02/2026']]);
  })();
  const stored = await over(new FakeScanSource({ pages: 0, recordsPerPage: 0 })).store(
    columns,
    rows,
    statement({}, true),
  );
  const client = await host.engine.pool.connect();
  try {
    await client.query(`begin; set local role trailhound; set local datestyle = 'SQL, DMY'`);
    const read = await client.query(`select own[1], extract(month from day)::int as month from ${relationOf(stored)}`);
    expect(read.rows).toEqual([{ own: 'a', month: 2 }]);
  } finally {
    await client.query('rollback');
    client.release();
  }
});
