import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createHydrator } from '../../src/hydrate/create-hydrator.ts';
import type { RunningHydrator } from '../../src/hydrate/create-hydrator.ts';
import type { HydratedRows, LookupRequest } from '../../src/hydrate/hydrator.ts';
import { createHydrationCounters } from '../../src/hydrate/metrics.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { SourceError } from '../../src/sources/source.ts';
import type { TestEngine } from './support/engine.ts';
import { openTestEngine } from './support/engine.ts';
import { FakeLookupSource } from './support/fake-lookup-source.ts';
import { ManualClock, settle } from './support/manual-clock.ts';
import { statement } from './support/statement.ts';
import { columnsOf, reputation } from './support/tables.ts';

let host: TestEngine;
let source: FakeLookupSource;
let hydrator: RunningHydrator;
const log = createLogger('silent');

beforeAll(async () => {
  host = await openTestEngine();
});
afterAll(() => host.close());

beforeEach(async () => {
  await host.engine.pool.query('truncate trailhound.key_cache');
  source = new FakeLookupSource();
  hydrator = open();
});
afterEach(() => hydrator.close());

function open(options: Partial<Parameters<typeof createHydrator>[0]> = {}): RunningHydrator {
  return createHydrator({ pool: host.engine.pool, sources: new Map([['fake_lookup', source]]), log, ...options });
}

function request(addresses: readonly string[], names = ['ip', 'score'], days = '90'): LookupRequest {
  return {
    table: reputation,
    keys: addresses.map((key) => ({ key, inputs: { max_age_in_days: days } })),
    columns: columnsOf(reputation, ...names),
    keyExpression: 'e.source_ip',
  };
}

function addresses(count: number, from = 1): string[] {
  return Array.from(
    { length: count },
    (_, index) => `203.0.${Math.floor((from + index) / 250)}.${(from + index) % 250}`,
  );
}

function rowsOf(hydrated: HydratedRows) {
  if (hydrated.kind !== 'values') throw new Error('values expected');
  return hydrated.rows;
}

async function cachedKeys(): Promise<string[]> {
  const { rows } = await host.engine.pool.query<{ key: string }>('select key from trailhound.key_cache order by key');
  return rows.map((row) => row.key);
}

test('each key is asked once; rows come in the order of the keys and echo key and inputs', async () => {
  const names = ['ip', 'max_age_in_days', 'score', 'fetched_at'];
  const clock = new ManualClock();
  await hydrator.close();
  hydrator = open({ clock });
  const asked = request(['203.0.113.7', '10.1.2.3', '203.0.113.0', '203.0.113.5'], names);
  const hydrated = await hydrator.lookup(asked, statement());
  const now = new Date(clock.now()).toISOString();
  expect(rowsOf(hydrated)).toEqual([
    ['203.0.113.7', '90', '7', now],
    ['10.1.2.3', '90', '0', null],
    ['203.0.113.5', '90', '5', now],
  ]);
  expect(hydrated.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
    'ip inet',
    'max_age_in_days integer',
    'score integer',
    'fetched_at timestamp with time zone',
  ]);
  expect(hydrated.statistics).toMatchObject({ calls: 3, rows: 3, cacheHits: 0 });
  expect(source.requests).toHaveLength(3);
});

test('an answer is as old as its question: it may have come long before it could be read', async () => {
  const clock = new ManualClock();
  await hydrator.close();
  hydrator = open({ clock });
  const askedAt = new Date(clock.now()).toISOString();
  source.hold = true;
  const answered = hydrator.lookup(request(['203.0.113.7'], ['fetched_at']), statement());
  await source.waiting(1);
  await clock.advance(600_000);
  source.open();
  expect(rowsOf(await answered)).toEqual([[askedAt]]);
});

test('a second statement makes no call, neither for answers nor for keys without one; nor does one after a restart', async () => {
  const asked = request(['203.0.113.7', '203.0.113.0'], ['ip', 'score', 'fetched_at']);
  const first = rowsOf(await hydrator.lookup(asked, statement()));
  const second = await hydrator.lookup(asked, statement());
  expect(rowsOf(second)).toEqual(first);
  expect(second.statistics).toMatchObject({ calls: 0, cacheHits: 2 });

  await hydrator.close();
  await host.restart();
  hydrator = open();
  const third = await hydrator.lookup(asked, statement());
  expect(rowsOf(third)).toEqual(first);
  expect(source.requests).toHaveLength(2);
});

test('inputs belong to the cache’s key', async () => {
  await hydrator.lookup(request(['203.0.113.7']), statement());
  await hydrator.lookup(request(['203.0.113.7'], ['ip', 'score'], '30'), statement());
  expect(source.requests).toEqual(['203.0.113.7 {"max_age_in_days":"90"}', '203.0.113.7 {"max_age_in_days":"30"}']);
});

test('an answer without reports does not satisfy a statement that wants them', async () => {
  source = new FakeLookupSource({ verbose: true });
  await hydrator.close();
  hydrator = open();
  const verbose = request(['203.0.113.7'], ['ip', 'reports']);
  await hydrator.lookup(request(['203.0.113.7']), statement());
  expect(rowsOf(await hydrator.lookup(verbose, statement()))).toEqual([['203.0.113.7', '["spam"]']]);
  await hydrator.lookup(verbose, statement());
  expect(source.requests).toHaveLength(2);
});

test('answers older than the table’s or the session’s limit are asked for again', async () => {
  const clock = new ManualClock();
  await hydrator.close();
  hydrator = open({ clock });
  const asked = request(['203.0.113.7']);
  await hydrator.lookup(asked, statement());
  await clock.advance(3_600_000);
  await hydrator.lookup(asked, statement({ cacheMaxAgeMs: 3_600_000 }));
  expect(source.requests).toHaveLength(1);
  await hydrator.lookup(asked, statement({ cacheMaxAgeMs: 3_599_999 }));
  expect(source.requests).toHaveLength(2);
  await clock.advance(86_400_001);
  await hydrator.lookup(asked, statement());
  expect(source.requests).toHaveLength(3);
});

test('trailhound.cache = off asks again, and what it learns serves others', async () => {
  const asked = request(['203.0.113.7']);
  await hydrator.lookup(asked, statement());
  await hydrator.lookup(asked, statement({ cache: false }));
  expect(source.requests).toHaveLength(2);
  source.reply = () => Promise.resolve({ score: 99 });
  await hydrator.lookup(asked, statement({ cache: false }));
  expect(rowsOf(await hydrator.lookup(asked, statement()))).toEqual([['203.0.113.7', '99']]);
  expect(source.requests).toHaveLength(3);
});

test('two statements that want the same keys at once share the calls', async () => {
  source.hold = true;
  const keys = addresses(40);
  const first = hydrator.lookup(request(keys), statement({ concurrency: 4 }));
  await source.waiting(4);
  const second = hydrator.lookup(request(keys.toReversed()), statement({ concurrency: 4 }));
  await source.waiting(8);
  source.hold = false;
  source.open();
  const [left, right] = await Promise.all([first, second]);
  expect(rowsOf(right)).toEqual(rowsOf(left).toReversed());
  expect(source.requests.toSorted()).toEqual([...new Set(source.requests)].toSorted());
  expect(source.requests).toHaveLength(40);
  expect(left.statistics.calls + right.statistics.calls).toBe(40);
});

test('the cancel of one of two waiters aborts nothing; the last one’s does', async () => {
  source.hold = true;
  const impatient = statement();
  const patient = statement();
  const first = hydrator.lookup(request(['203.0.113.7', '203.0.113.8']), impatient);
  await source.waiting(2);
  // Its own request shows that it has joined the other, too.
  const second = hydrator.lookup(request(['203.0.113.7', '203.0.113.9']), patient);
  await source.waiting(3);
  impatient.cancel();
  await expect(first).rejects.toThrow('canceling statement due to user request');
  expect(source.aborted).toEqual(['203.0.113.8']);
  source.open();
  expect(rowsOf(await second)).toEqual([
    ['203.0.113.7', '7'],
    ['203.0.113.9', '9'],
  ]);
  expect(source.requests).toHaveLength(3);

  source.hold = true;
  const only = statement();
  const last = hydrator.lookup(request(['203.0.113.10']), only);
  await source.waiting(1);
  only.cancel();
  expect(source.aborted).toEqual(['203.0.113.8', '203.0.113.10']);
  await expect(last).rejects.toThrow('canceling');
});

test('keys that another statement means to ask for need no budget, and are left to it where there is none', async () => {
  source.hold = true;
  const keys = addresses(10);
  const first = hydrator.lookup(request(keys), statement({ concurrency: 1 }));
  await source.waiting(1);
  // Two of them it asks for itself, having nothing better to do.
  const second = hydrator.lookup(request(keys), statement({ maxLookups: 2 }));
  await source.waiting(3);
  source.hold = false;
  source.open();
  expect(rowsOf(await second)).toHaveLength(10);
  expect(rowsOf(await first)).toHaveLength(10);
  expect(source.requests).toHaveLength(10);
});

test('where that statement ends before, the other one fails for its budget, and for nothing else', async () => {
  source.hold = true;
  const keys = addresses(10);
  const impatient = statement({ concurrency: 1 });
  const first = hydrator.lookup(request(keys), impatient);
  await source.waiting(1);
  const second = hydrator.lookup(request(keys), statement({ maxLookups: 2 }));
  const failing = expect(second).rejects.toMatchObject({
    code: 'lookup_budget',
    detail: expect.stringContaining('has ended before') as string,
  });
  await source.waiting(3);
  impatient.cancel();
  await expect(first).rejects.toThrow('canceling');
  await failing;
  expect(source.requests).toHaveLength(3);
});

test('what others have asked for leaves its place in the budget free', async () => {
  source.hold = true;
  const frugal = statement({ concurrency: 1, maxLookups: 2 });
  const first = hydrator.lookup(request(['203.0.113.1', '203.0.113.2']), frugal);
  await source.waiting(1);
  const second = hydrator.lookup(request(['203.0.113.2']), statement());
  await source.waiting(2);
  source.hold = false;
  source.open();
  await Promise.all([first, second]);
  expect(rowsOf(await hydrator.lookup(request(['203.0.113.3']), frugal))).toHaveLength(1);
  await expect(hydrator.lookup(request(['203.0.113.4']), frugal)).rejects.toMatchObject({ code: 'lookup_budget' });
});

test('answers that have outlived their table’s time are removed as the server starts, and every hour', async () => {
  const clock = new ManualClock();
  await hydrator.close();
  const other = { ...reputation, name: 'other', ttlMs: 1_000 };
  hydrator = open({ clock, tables: () => [reputation, other] });
  await hydrator.lookup(request(['203.0.113.1']), statement());
  await hydrator.lookup({ ...request(['203.0.113.2']), table: other }, statement());
  await hydrator.lookup({ ...request(['203.0.113.3']), table: { ...reputation, name: 'gone' } }, statement());
  expect(await cachedKeys()).toHaveLength(3);
  await clock.advance(5_000);
  await hydrator.sweep();
  expect(await cachedKeys()).toEqual(['203.0.113.1', '203.0.113.3']);
  await clock.advance(reputation.ttlMs);
  while ((await cachedKeys()).length > 0) await clock.advance(3_600_000);
});

test('keys that a cancelled statement meant to ask for are asked by the other that waits for them', async () => {
  source.hold = true;
  const keys = addresses(10);
  const impatient = statement({ concurrency: 1 });
  const first = hydrator.lookup(request(keys), impatient);
  await source.waiting(1);
  const second = hydrator.lookup(request(keys), statement({ concurrency: 1 }));
  await source.waiting(2);
  impatient.cancel();
  await expect(first).rejects.toThrow('canceling');
  source.hold = false;
  source.open();
  expect(rowsOf(await second)).toHaveLength(10);
  expect(source.aborted).toEqual([]);
  expect(source.requests).toHaveLength(10);
});

test('no request starts after a cancel, those in flight are aborted, and what was paid for is kept', async () => {
  source.hold = true;
  const cancelled = statement({ concurrency: 4 });
  const keys = addresses(20);
  const running = hydrator.lookup(request(keys), cancelled);
  await source.waiting(4);
  source.open(2);
  await source.waiting(4);
  expect(source.requests).toHaveLength(6);
  cancelled.cancel();
  expect(source.inFlight).toBe(4);
  await expect(running).rejects.toThrow('canceling');
  await settle();
  expect(source.inFlight).toBe(0);
  expect(source.aborted).toHaveLength(4);
  expect(source.requests).toHaveLength(6);
  await hydrator.close();
  expect(await cachedKeys()).toEqual(keys.slice(0, 2));
  hydrator = open();
});

test('no more keys are asked at once than trailhound.concurrency says', async () => {
  await hydrator.lookup(request(addresses(60)), statement({ concurrency: 5 }));
  expect(source.mostInFlight).toBe(5);
});

test('more keys than allowed fail with 53400 before any call, saying what is asked by what', async () => {
  await hydrator.lookup(request(addresses(3)), statement());
  source.requests.length = 0;
  await expect(
    hydrator.lookup(request([...addresses(15), '10.0.0.1']), statement({ maxLookups: 11 })),
  ).rejects.toMatchObject({
    code: 'lookup_budget',
    sqlstate: '53400',
    message: '12 lookups needed, 11 allowed by trailhound.max_lookups',
    detail:
      'fake_reputation is asked for 16 distinct values of e.source_ip; 4 of them need no call, because they are cached or known. No call was made.',
    hint: expect.stringContaining('set trailhound.max_lookups = 12.') as string,
  });
  expect(source.requests).toEqual([]);
  await hydrator.lookup(request(addresses(15)), statement({ maxLookups: 12 }));
});

test('the limit is one for all references of a statement', async () => {
  const both = statement({ maxLookups: 10 });
  await hydrator.lookup(request(addresses(6)), both);
  await expect(hydrator.lookup(request(addresses(5, 100)), both)).rejects.toThrow('11 lookups needed, 10 allowed');
  expect(source.requests).toHaveLength(6);
});

test('a failing key fails the statement and aborts the others', async () => {
  source.hold = true;
  const running = hydrator.lookup(request(addresses(20)), statement({ concurrency: 3 }));
  await source.waiting(3);
  source.gates[1]?.fail(new SourceError('credentials', 'feed', 'the key was refused'));
  await expect(running).rejects.toMatchObject({
    code: 'credentials',
    message: 'the key was refused',
    detail: 'Connection feed was asked for fake_reputation.',
  });
  expect(source.aborted).toHaveLength(2);
  expect(source.requests).toHaveLength(3);
  expect(await cachedKeys()).toEqual([]);
});

test('trailhound.partial leaves out the keys that fail, and counts them', async () => {
  source.reply = (key) =>
    key.key.endsWith('7')
      ? Promise.reject(new SourceError('invalid_request', 'feed', 'not an address'))
      : Promise.resolve({ score: 1 });
  const partial = statement({ partial: true });
  const hydrated = await hydrator.lookup(request(addresses(20)), partial);
  expect(hydrated.statistics.rows).toBe(18);
  expect(partial.notices).toEqual([
    'WARNING: 2 of 20 keys of fake_reputation could not be looked up, their rows are missing: not an address',
  ]);
});

test('trailhound.partial stops asking once no key can be answered', async () => {
  source.reply = () => Promise.reject(new SourceError('quota', 'feed', 'daily quota used up'));
  const partial = statement({ partial: true, concurrency: 2 });
  const hydrated = await hydrator.lookup(request(addresses(20)), partial);
  expect(hydrated.statistics).toMatchObject({ rows: 0, calls: 2 });
  expect(partial.notices).toEqual([
    'WARNING: 20 of 20 keys of fake_reputation could not be looked up, their rows are missing: daily quota used up',
  ]);
});

test('trailhound.sources = cache answers from the cache and says what it lacks', async () => {
  await hydrator.lookup(request(addresses(2)), statement());
  const cached = statement({ sources: 'cache', maxLookups: 0 });
  expect(rowsOf(await hydrator.lookup(request(addresses(5)), cached))).toHaveLength(2);
  expect(cached.notices).toEqual([
    'NOTICE: 3 of 5 keys of fake_reputation are not cached, and trailhound.sources is cache: they were not asked',
  ]);
  expect(source.requests).toHaveLength(2);
});

test('a cache that cannot be written loses no answer', async () => {
  await host.engine.pool.query('alter table trailhound.key_cache add constraint broken check (false) not valid');
  try {
    expect(rowsOf(await hydrator.lookup(request(addresses(3)), statement()))).toHaveLength(3);
  } finally {
    await host.engine.pool.query('alter table trailhound.key_cache drop constraint broken');
  }
});

test('hostile texts survive the cache unchanged, or as U+FFFD where PostgreSQL cannot store them', async () => {
  const text = `'; drop table x; -- \\ "\t\n\r \\N {NULL} \u2028 😀`;
  source.reply = () => Promise.resolve({ score: 1, reports: { text, 'a\0b': '\ud800' } });
  const asked = request(['203.0.113.7'], ['reports']);
  const first = statement();
  const live = rowsOf(await hydrator.lookup(asked, first));
  expect(first.notices).toEqual([
    'WARNING: 2 characters of fake_reputation that PostgreSQL cannot store (U+0000, lone surrogates) were replaced by U+FFFD',
  ]);
  const cached = rowsOf(await hydrator.lookup(asked, statement()));
  const expected = { text, 'a\ufffdb': '\ufffd' };
  expect(JSON.parse(live[0]?.[0] ?? '')).toEqual(expected);
  expect(JSON.parse(cached[0]?.[0] ?? '')).toEqual(expected);
  expect(source.requests).toHaveLength(1);
});

test('an answer that does not fit its column fails the statement, cached or not', async () => {
  source.reply = () => Promise.resolve({ score: 'high' });
  const failure = {
    code: 'unreadable_record',
    message: 'column score of fake_reputation cannot hold this text as integer',
  };
  await expect(hydrator.lookup(request(['203.0.113.7']), statement())).rejects.toMatchObject(failure);
  await expect(hydrator.lookup(request(['203.0.113.7']), statement())).rejects.toMatchObject(failure);
});

test('progress says how many of the known calls are done, at most every 200 ms', async () => {
  const clock = new ManualClock();
  await hydrator.close();
  hydrator = open({ clock });
  source.hold = true;
  const watched = statement({ concurrency: 2 });
  const running = hydrator.lookup(request(addresses(6)), watched);
  for (let round = 0; round < 3; round += 1) {
    await source.waiting(2);
    await clock.advance(150);
    source.open(2);
  }
  await running;
  expect(watched.progressed.map((state) => `${state.callsDone}/${state.callsKnown}`)).toEqual(['3/6']);
});

test('close aborts what runs with 57P01 and counts what happened', async () => {
  source.hold = true;
  const metrics = createHydrationCounters();
  await hydrator.close();
  hydrator = open({ metrics });
  const running = hydrator.lookup(request(addresses(3)), statement());
  const outcome = expect(running).rejects.toMatchObject({ sqlstate: '57P01' });
  await source.waiting(3);
  await hydrator.close();
  await outcome;
  expect(source.aborted).toHaveLength(3);
  expect(metrics.calls.get('fake_lookup')?.get('aborted')).toBe(3);
  expect(metrics.hydrations.get('fake_reputation')?.get('failed')).toBe(1);
});
