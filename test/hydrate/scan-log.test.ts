import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ScanLog, type ScanEntry } from '../../src/hydrate/scan-log.ts';
import { TrailhoundError } from '../../src/kernel/errors.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { openTestEngine, type TestEngine } from './support/engine.ts';

let host: TestEngine;
let scans: ScanLog;

beforeAll(async () => {
  host = await openTestEngine();
});
afterAll(() => host.close());
beforeEach(async () => {
  await host.engine.pool.query('truncate trailhound.scan_entry, trailhound.cache_use');
  scans = new ScanLog(host.engine.pool, createLogger('silent'));
});

const entry = (more: Partial<ScanEntry> = {}): ScanEntry => ({
  startedAt: Date.UTC(2026, 10, 21),
  durationMs: 1_500,
  user: 'trailhound',
  statement: 'select made_up',
  pid: 42,
  searched: [],
  newest: undefined,
  table: 'fake_event',
  kind: 'scan',
  pushed: [],
  keys: undefined,
  statistics: { calls: 1, pages: 2, rows: 3, bytes: 4, cacheHits: 0, waitMs: 250 },
  error: undefined,
  ...more,
});

async function rows(columns: string): Promise<unknown[]> {
  await scans.flush();
  return (await host.engine.pool.query({ text: `select ${columns} from trailhound.scan`, rowMode: 'array' })).rows;
}

test('keeps the last thousand, in their order', async () => {
  for (let n = 0; n < 1_300; n += 1) {
    scans.add(entry({ table: `t${String(n)}` }));
    if (n % 300 === 299) await scans.flush();
  }
  const kept = (await rows('table_name')).flat();
  expect(kept).toHaveLength(1_000);
  expect([kept[0], kept.at(-1)]).toEqual(['t300', 't1299']);
});

test('says what an error of ours says, and of a defect only that it was one', async () => {
  const cancelled = new TrailhoundError('query_canceled', 'canceling statement due to user request');
  scans.add(entry({ error: cancelled }));
  scans.add(entry({ error: new Error('a key: hunter2') }));
  expect(await rows('sqlstate, error')).toEqual([
    ['57014', 'canceling statement due to user request'],
    ['XX000', 'internal error'],
  ]);
});

test('cuts what is long, and keeps what PostgreSQL could not store', async () => {
  const pushed = ['a'.repeat(5_000), 'b'.repeat(3_000), 'c'.repeat(500)];
  scans.add(entry({ statement: 'x'.repeat(20_000), pushed, error: new TrailhoundError('unknown_setting', '\0') }));
  expect(await rows('length(statement), array_length(pushed, 1), error')).toEqual([[8_192, 2, '\uFFFD']]);
});

test('durations are intervals, and a role that is gone is nobody’s', async () => {
  scans.add(entry({ user: 'dropped' }));
  expect(await rows('duration::text, waited::text, role')).toEqual([['00:00:01.5', '00:00:00.25', 'unknown (OID=0)']]);
});

test('counts what the key cache was of use for', async () => {
  const statistics = { calls: 0, pages: 0, rows: 3, bytes: 4, cacheHits: 7, waitMs: 0 };
  for (const table of ['one', 'two', 'one']) scans.add(entry({ table, statistics }));
  await scans.flush();
  scans.add(entry({ table: 'one', statistics }));
  await scans.flush();
  const { rows: used } = await host.engine.pool.query('select * from trailhound.cache_use order by table_name');
  expect(used).toEqual([
    { table_name: 'one', hits: '21' },
    { table_name: 'two', hits: '7' },
  ]);
});

test('an engine that refuses costs the statements nothing', async () => {
  await host.engine.pool.query('alter table trailhound.scan_entry add constraint broken check (false) not valid');
  try {
    scans.add(entry());
    await scans.flush();
    expect(await rows('table_name')).toEqual([]);
  } finally {
    await host.engine.pool.query('alter table trailhound.scan_entry drop constraint broken');
  }
});
