import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { RunningHydrator } from '../../src/hydrate/create-hydrator.ts';
import { createHydrator } from '../../src/hydrate/create-hydrator.ts';
import { createLogger } from '../../src/kernel/log.ts';
import type { CallContext, LookupKey, QuotaState } from '../../src/sources/source.ts';
import type { TestEngine } from './support/engine.ts';
import { openTestEngine } from './support/engine.ts';
import { FakeLookupSource } from './support/fake-lookup-source.ts';
import { ManualClock } from './support/manual-clock.ts';
import { statement } from './support/statement.ts';
import { columnsOf, reputation } from './support/tables.ts';

/** A service that counts its own requests and says in every answer what remains. */
class CountedSource extends FakeLookupSource {
  readonly quota = { source: 'fake', account: 'a1', service: 'Fake' };
  readonly #service: { used: number; readonly limit: number; resetsAt: number | undefined };

  constructor(service: { used: number; readonly limit: number; resetsAt: number | undefined }) {
    super();
    this.#service = service;
  }

  override async lookup(key: LookupKey, columns: Parameters<FakeLookupSource['lookup']>[1], context: CallContext) {
    const records = await super.lookup(key, columns, context);
    this.#service.used += 1;
    const { limit, used, resetsAt } = this.#service;
    const state: QuotaState = { limit, remaining: limit - used, resetsAt };
    context.quota?.(this.quota, state);
    return records;
  }
}

let host: TestEngine;
let clock: ManualClock;
let service: { used: number; readonly limit: number; resetsAt: number | undefined };
const opened: RunningHydrator[] = [];
const log = createLogger('silent');

beforeAll(async () => {
  host = await openTestEngine();
});
afterAll(() => host.close());

beforeEach(async () => {
  await host.engine.pool.query('truncate trailhound.key_cache, trailhound.quota_entry, trailhound.quota_claim');
  clock = new ManualClock();
  service = { used: 0, limit: 20, resetsAt: undefined };
});
afterEach(async () => {
  for (const hydrator of opened.splice(0)) await hydrator.close();
});

/** As one process has it. */
function open() {
  const source = new CountedSource(service);
  const hydrator = createHydrator({
    pool: host.engine.pool,
    sources: new Map([['fake_lookup', source]]),
    log,
    clock,
  });
  opened.push(hydrator);
  let last = 0;
  const ask = (count: number, context = statement()) => {
    const keys = Array.from({ length: count }, () => `203.0.113.${(last += 1)}`);
    return hydrator.lookup(
      {
        table: { ...reputation, ttlMs: 0 },
        keys: keys.map((key) => ({ key, inputs: {} })),
        columns: columnsOf(reputation, 'ip', 'score'),
        keyExpression: 'e.source_ip',
      },
      context,
    );
  };
  return { hydrator, source, ask };
}

async function ledger(hydrator: RunningHydrator) {
  await hydrator.recorded();
  const { rows } = await host.engine.pool.query<{ remaining: number; resets_at: Date; told: boolean }>(
    'select remaining::int, resets_at, told from trailhound.quota_entry',
  );
  return rows[0];
}

test('the first statement finds out, the next one that needs more fails before its first call', async () => {
  const { ask, source, hydrator } = open();
  await ask(15);
  expect(hydrator.quotas()).toEqual([['fake', 5]]);
  await expect(ask(6)).rejects.toMatchObject({
    code: 'lookup_budget',
    message: "6 lookups needed, 5 left in Fake's quota until 2026-11-22 00:00 UTC",
  });
  expect(source.requests).toHaveLength(15);
  await ask(5);
  expect(source.requests).toHaveLength(20);
});

test('another process knows what remains', async () => {
  const [one, other] = [open(), open()];
  await one.ask(18);
  await one.hydrator.recorded();
  await expect(other.ask(3)).rejects.toMatchObject({ code: 'lookup_budget' });
  await other.ask(2);
  expect(service.used).toBe(20);
});

test('what a running statement means to ask is set aside, in all processes, until it ends', async () => {
  const [one, other] = [open(), open()];
  await one.ask(10);
  one.source.hold = true;
  const running = statement();
  const asking = one.ask(8, running);
  asking.catch(() => undefined);
  await one.source.waiting(8);
  await expect(one.ask(3)).rejects.toMatchObject({ message: expect.stringContaining("2 left in Fake's quota") });
  await expect(other.ask(3)).rejects.toMatchObject({ message: expect.stringContaining("2 left in Fake's quota") });
  running.cancel();
  await expect(asking).rejects.toThrow('canceling');
  await one.hydrator.recorded();
  await other.ask(3);
  expect(service.used).toBe(13);
});

test('what a process had set aside when it ended binds nobody', async () => {
  const [one, other] = [open(), open()];
  await one.ask(1);
  await host.engine.pool.query(`insert into trailhound.quota_claim values ('fake', 'a1', 77, 19)`);
  await other.ask(19);
  expect(service.used).toBe(20);
});

test('at midnight UTC the quota is renewed', async () => {
  const { ask, hydrator } = open();
  await ask(20);
  await expect(ask(1)).rejects.toMatchObject({ code: 'lookup_budget' });
  service.used = 0;
  await clock.advance(24 * 3_600_000);
  await ask(20);
  expect((await ledger(hydrator))?.remaining).toBe(0);
});

test('a time of renewal that the service has told holds for the days after', async () => {
  service.resetsAt = clock.now() + 5 * 3_600_000;
  const { ask, hydrator } = open();
  await ask(20);
  service.resetsAt = undefined;
  service.used = 0;
  await clock.advance(6 * 3_600_000);
  await ask(3);
  const known = await ledger(hydrator);
  expect(known).toMatchObject({ remaining: 17, told: true });
  expect(known?.resets_at.getTime()).toBe(Date.UTC(2026, 10, 22, 5));
});

test('a time of renewal that is only guessed is doubted once an hour', async () => {
  const { ask, source, hydrator } = open();
  await ask(20);
  await expect(ask(1)).rejects.toMatchObject({ code: 'lookup_budget' });
  service.used = 0;
  await clock.advance(61 * 60_000);
  await ask(1);
  expect(source.requests).toHaveLength(21);
  expect((await ledger(hydrator))?.remaining).toBe(19);
});

test('keys that others are asking for cost no quota of their own', async () => {
  const { ask, source, hydrator } = open();
  await ask(15);
  source.hold = true;
  const keys = [1, 2, 3, 4].map((n) => ({ key: `198.51.100.${n}`, inputs: {} }));
  const request = {
    table: { ...reputation, ttlMs: 0 },
    keys,
    columns: columnsOf(reputation, 'ip', 'score'),
    keyExpression: 'e.source_ip',
  };
  const both = [hydrator.lookup(request, statement()), hydrator.lookup(request, statement())];
  await source.waiting(4);
  source.open();
  source.hold = false;
  await Promise.all(both);
  await ask(1);
  expect(service.used).toBe(20);
});
