import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createHydrator, type RunningHydrator } from '../../src/hydrate/create-hydrator.ts';
import { ProcessLock } from '../../src/engine/process-lock.ts';
import { KeyCache } from '../../src/hydrate/key-cache.ts';
import { KeyClaims } from '../../src/hydrate/key-claims.ts';
import { RateLimiter } from '../../src/hydrate/rate-limiter.ts';
import { SharedTokens } from '../../src/hydrate/shared-tokens.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { until } from '../roads/support/until.ts';
import type { TestEngine } from './support/engine.ts';
import { openTestEngine } from './support/engine.ts';
import { FakeLookupSource } from './support/fake-lookup-source.ts';
import { ManualClock } from './support/manual-clock.ts';
import { statement } from './support/statement.ts';
import { columnsOf, reputation } from './support/tables.ts';

/** What hydrators of two processes on one engine have in common. */

const log = createLogger('silent');
let host: TestEngine;
let one: Process;
let other: Process;
const opened: RunningHydrator[] = [];

interface Process {
  readonly source: FakeLookupSource;
  ask(keys: readonly string[], context?: ReturnType<typeof statement>): Promise<string[]>;
}

function open(): Process {
  const source = new FakeLookupSource();
  const hydrator = createHydrator({
    pool: host.engine.pool,
    sources: new Map([['fake_lookup', source]]),
    shared: true,
    log,
  });
  opened.push(hydrator);
  const ask = async (keys: readonly string[], context = statement()) => {
    const rows = await hydrator.lookup(
      {
        table: { ...reputation, ttlMs: 60_000 },
        keys: keys.map((key) => ({ key, inputs: {} })),
        columns: columnsOf(reputation, 'ip', 'score'),
        keyExpression: 'e.source_ip',
      },
      context,
    );
    return rows.kind === 'values' ? rows.rows.map((row) => row.join(' ')) : [];
  };
  return { source, ask };
}

beforeAll(async () => {
  host = await openTestEngine();
});
afterAll(() => host.close());
beforeEach(async () => {
  await host.engine.pool.query('truncate trailhound.key_cache');
  one = open();
  other = open();
});
afterEach(async () => {
  for (const hydrator of opened.splice(0)) await hydrator.close();
  expect((await host.engine.pool.query('select from trailhound.key_claim')).rowCount).toBe(0);
});

/** The other process has tried to get the key as well. */
const claimed = () =>
  until(async () => (await host.engine.pool.query('select from trailhound.key_claim')).rowCount === 1);

test('a key that one process asks for is waited for by the other', async () => {
  one.source.hold = true;
  const first = one.ask(['203.0.113.7']);
  await one.source.waiting(1);
  await claimed();
  const second = other.ask(['203.0.113.7', '203.0.113.8']);
  await until(async () => other.source.requests.length === 1);
  one.source.open();
  expect(await first).toEqual(['203.0.113.7 7']);
  expect(await second).toEqual(['203.0.113.7 7', '203.0.113.8 8']);
  expect(one.source.requests).toEqual(['203.0.113.7 {}']);
  expect(other.source.requests).toEqual(['203.0.113.8 {}']);
});

test('what one process could not ask, or was to ask no more, the other asks for', async () => {
  one.source.hold = true;
  const refused = one.ask(['203.0.113.7']);
  await one.source.waiting(1);
  const context = statement();
  const canceled = one.ask(['203.0.113.8'], context);
  await one.source.waiting(2);
  const second = other.ask(['203.0.113.7', '203.0.113.8']);
  one.source.gates[0]?.fail(new Error('refused'));
  await expect(refused).rejects.toThrow();
  context.cancel();
  await expect(canceled).rejects.toThrow('user request');
  expect(await second).toEqual(['203.0.113.7 7', '203.0.113.8 8']);
  expect(other.source.requests.toSorted()).toEqual(['203.0.113.7 {}', '203.0.113.8 {}']);
});

test('who waits for another process can be canceled', async () => {
  one.source.hold = true;
  const first = one.ask(['203.0.113.7']);
  await one.source.waiting(1);
  await claimed();
  const context = statement();
  const second = other.ask(['203.0.113.7'], context);
  context.cancel();
  await expect(second).rejects.toThrow('user request');
  one.source.open();
  expect(await first).toEqual(['203.0.113.7 7']);
  expect(other.source.requests).toEqual([]);
});

test('who wants a new answer waits for nobody', async () => {
  one.source.hold = true;
  const first = one.ask(['203.0.113.7']);
  await one.source.waiting(1);
  expect(await other.ask(['203.0.113.7'], statement({ cache: false }))).toEqual(['203.0.113.7 7']);
  one.source.open();
  expect(await first).toEqual(['203.0.113.7 7']);
});

test('a statement that joins its own process in waiting gets an answer that is new enough for it', async () => {
  one.source.hold = true;
  const first = one.ask(['203.0.113.7']);
  await one.source.waiting(1);
  await claimed();
  const second = other.ask(['203.0.113.7']);
  const fresh = other.ask(['203.0.113.7'], statement({ cache: false }));
  await until(async () => (await host.engine.pool.query('select from trailhound.key_claim')).rowCount === 1);
  one.source.open();
  expect(await Promise.all([first, second, fresh])).toEqual(Array.from({ length: 3 }, () => ['203.0.113.7 7']));
  // The second process has asked once, for both of its statements.
  expect(other.source.requests).toEqual(['203.0.113.7 {}']);
});

test('a process that waits for a slow service holds others up for a minute at most', async () => {
  const { pool } = host.engine;
  const slow = new ProcessLock(pool);
  const clock = new ManualClock();
  const begun = clock.now();
  const lock = new ProcessLock(pool);
  const cache = new KeyCache({ pool, log, clock, maxBytes: 1_000_000 });
  const [first, second] = [slow, lock].map((each) => new KeyClaims({ pool, lock: each, cache, clock, log }));
  const { signal } = new AbortController();
  const key = { table: 'made_up', key: 'k', inputs: '{}' };
  const ours = await first?.take(key, () => 0, signal);
  let taken: string | undefined;
  void second?.take(key, () => 0, signal).then(({ kind }) => (taken = kind));
  await until(async () => {
    await clock.advance(1_000);
    return taken !== undefined;
  });
  expect(taken).toBe('ours');
  expect(clock.now() - begun).toBeGreaterThanOrEqual(60_000);
  if (ours?.kind === 'ours') ours.release();
  await first?.close();
  await second?.close();
  await Promise.all([slow.release(), lock.release()]);
});

test('what a process asks for that is stopped another takes over, and keeps when it goes on', async () => {
  const { pool } = host.engine;
  const [stopped, lock] = [new ProcessLock(pool), new ProcessLock(pool)];
  const clock = new ManualClock();
  const cache = new KeyCache({ pool, log, clock, maxBytes: 1_000_000 });
  const [first, second] = [
    new KeyClaims({ pool, lock: stopped, cache, clock, log }),
    new KeyClaims({ pool, lock, cache, clock: systemClock, log }),
  ];
  const { signal } = new AbortController();
  const key = { table: 'made_up', key: 'k', inputs: '{}' };
  const before = await first.take(key, () => 0, signal);
  const stop = `update trailhound.key_claim set renewed_at = renewed_at - interval '1 minute'`;
  const stale = `select from trailhound.key_claim where renewed_at < clock_timestamp() - interval '10 seconds'`;
  await pool.query(stop);
  expect((await pool.query(stale)).rowCount).toBe(1);
  // It works again, in time.
  await until(async () => {
    await clock.advance(1_000);
    return (await pool.query(stale)).rowCount === 0;
  });
  await pool.query(stop);
  const after = await second.take(key, () => 0, signal);
  expect([before.kind, after.kind]).toEqual(['ours', 'ours']);
  if (before.kind === 'ours') before.release();
  await first.close();
  expect((await pool.query('select process from trailhound.key_claim')).rows).toEqual([{ process: lock.id }]);
  if (after.kind === 'ours') after.release();
  await second.close();
  await Promise.all([stopped.release(), lock.release()]);
});

test('a rate is that of all processes together', async () => {
  const { pool } = host.engine;
  const [first, second] = [1, 2].map(
    () =>
      new RateLimiter(systemClock, (key, changed) => new SharedTokens({ pool, clock: systemClock, log, key, changed })),
  ) as [RateLimiter, RateLimiter];
  const limit = { key: 'made up', concurrency: 10, requestsPerSecond: 0.001 };
  const controller = new AbortController();
  const admitted: string[] = [];
  const waiting = [first, second, first, second].map((limiter, n) =>
    limiter.acquire(limit, controller.signal).then(
      () => admitted.push(`${n}`),
      () => undefined,
    ),
  );
  await until(async () => admitted.length === 1);
  const { rows } = await pool.query<{ granted: number; wait: number }>(
    `select granted, wait from trailhound.take_requests('made up', 0.001, 4)`,
  );
  expect(rows[0]?.granted).toBe(0);
  expect(rows[0]?.wait).toBeGreaterThan(900);
  controller.abort(new Error('enough'));
  await Promise.all(waiting);
  expect(admitted).toHaveLength(1);
});

test('where the engine does not answer each process keeps the rate by itself', async () => {
  const pool = { query: () => Promise.reject(new Error('gone')) } as unknown as TestEngine['engine']['pool'];
  const limiter = new RateLimiter(
    systemClock,
    (key, changed) => new SharedTokens({ pool, clock: systemClock, log, key, changed }),
  );
  const limit = { key: 'made up', concurrency: 10, requestsPerSecond: 2 };
  const { signal } = new AbortController();
  await Promise.all([limiter.acquire(limit, signal), limiter.acquire(limit, signal), limiter.acquire(limit, signal)]);
});
