import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { CacheKey } from '../../src/hydrate/key-cache.ts';
import { KeyCache } from '../../src/hydrate/key-cache.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { parseExactly } from '../../src/sources/exact-number.ts';
import type { TestEngine } from './support/engine.ts';
import { openTestEngine } from './support/engine.ts';
import { ManualClock } from './support/manual-clock.ts';

let host: TestEngine;
let clock: ManualClock;

beforeAll(async () => {
  host = await openTestEngine();
});
afterAll(() => host.close());
beforeEach(async () => {
  clock = new ManualClock();
  await host.engine.pool.query('truncate trailhound.key_cache');
});

const log = createLogger('silent');
const open = (maxBytes: number) => new KeyCache({ pool: host.engine.pool, log, clock, maxBytes });
const keyOf = (name: string): CacheKey => ({ table: 'abuseipdb_check_ip', key: name, inputs: '{}' });

/** Each of about a kibibyte. */
async function write(cache: KeyCache, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    const value = { text: name.padEnd(1_000, '.') };
    await cache.write(keyOf(name), { records: [{ value, added: {}, origin: () => name }], fetchedAt: clock.now() });
    await clock.advance(1);
  }
}

async function kept(): Promise<string[]> {
  const { rows } = await host.engine.pool.query<{ key: string }>('select key from trailhound.key_cache order by key');
  return rows.map(({ key }) => key);
}

test('what has not been used for the longest time makes room', async () => {
  const cache = open(6_000);
  await write(cache, 'a', 'b', 'c', 'd', 'e');
  await clock.advance(3_600_000);
  expect((await cache.read([keyOf('a'), keyOf('b')], 0)).size).toBe(2);
  await cache.flush();
  await write(cache, 'f');
  expect(await kept()).toEqual(['a', 'b', 'd', 'e', 'f']);
});

test('what other processes have written counts once it is cleaned', async () => {
  await write(open(100_000), 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
  const cache = open(4_000);
  await cache.clean(new Map([['abuseipdb_check_ip', 86_400_000]]), clock.now());
  expect(await kept()).toEqual(['f', 'g', 'h']);
});

test('answers of one table may be kept for ever, and those of others are cleaned as before', async () => {
  const cache = open(100_000);
  await write(cache, 'a');
  const ttls = (ofThis: number) =>
    new Map([
      ['abuseipdb_check_ip', ofThis],
      ['for_ever', Number.POSITIVE_INFINITY],
    ]);
  await cache.clean(ttls(Number.POSITIVE_INFINITY), clock.now() + 1_000);
  expect(await kept()).toEqual(['a']);
  await cache.clean(ttls(500), clock.now() + 1_000);
  expect(await kept()).toEqual([]);
});

test('an answer that is larger than the cache is not kept', async () => {
  await write(open(500), 'a');
  expect(await kept()).toEqual([]);
});

test('trailhound.cache says the bytes; trailhound.cache_clear() forgets a table, or all of them', async () => {
  const cache = open(100_000);
  await write(cache, 'a', 'b');
  const { rows } = await host.engine.pool.query(
    'select entries::int, bytes between 2000 and 3000 as plausible from trailhound.cache',
  );
  expect(rows).toEqual([{ entries: 2, plausible: true }]);
  const clear = async (sql: string) =>
    (await host.engine.pool.query<{ n: number }>(`select ${sql}::int as n`)).rows[0]?.n;
  expect(await clear(`trailhound.cache_clear('abuseipdb_report')`)).toBe(0);
  expect(await clear(`trailhound.cache_clear('abuseipdb_check_ip')`)).toBe(2);
  await write(cache, 'a');
  expect(await clear('trailhound.cache_clear()')).toBe(1);
  await expect(clear(`trailhound.cache_clear('abuseipdb_chek_ip')`)).rejects.toMatchObject({ code: '42P01' });
});

test('numbers are kept as they were written, and an answer that is nested too deeply takes no other one with it', async () => {
  const cache = open(100_000);
  const value = parseExactly('{"list":[12345678901234567,1.50],"text":"1.50"}');
  let deep: unknown = [];
  for (let depth = 0; depth < 5_000; depth += 1) deep = [deep];
  const answer = (of: unknown) => ({ records: [{ value: of, added: {}, origin: () => '' }], fetchedAt: clock.now() });
  await Promise.all([cache.write(keyOf('deep'), answer(deep)), cache.write(keyOf('exact'), answer(value))]);
  const answers = await cache.read([keyOf('deep'), keyOf('exact')], 0);
  expect([...answers.keys()]).toEqual([1]);
  expect(answers.get(1)?.records[0]?.value).toEqual(value);
});
