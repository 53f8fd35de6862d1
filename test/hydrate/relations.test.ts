import { afterAll, beforeAll, expect, test } from 'vitest';
import { Relations } from '../../src/hydrate/relations.ts';
import { createLogger } from '../../src/kernel/log.ts';
import type { TestEngine } from './support/engine.ts';
import { openTestEngine } from './support/engine.ts';
import { ManualClock } from './support/manual-clock.ts';

let host: TestEngine;
const log = createLogger('silent');
const columns = [{ name: 'n', type: 'bigint' }];

beforeAll(async () => {
  host = await openTestEngine();
});
afterAll(() => host.close());

function open(clock = new ManualClock()): Relations {
  return new Relations({ pool: host.engine.pool, log, clock });
}

async function fill(relations: Relations): Promise<string> {
  const copy = await relations.create(columns, 'trailhound');
  await copy.write([['1'], ['2']]);
  await copy.commit();
  return copy.name;
}

async function exists(name: string): Promise<boolean> {
  const { rows } = await host.engine.pool.query<{ exists: boolean }>('select to_regclass($1) is not null as exists', [
    name,
  ]);
  return rows[0]?.exists === true;
}

/** Runs `work` while a transaction still reads the relation. */
async function whileRead(name: string, work: () => Promise<void>): Promise<void> {
  const client = await host.engine.pool.connect();
  try {
    await client.query(`begin; select * from ${name}`);
    await work();
  } finally {
    await client.query('commit');
    client.release();
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('a relation that is still read is dropped later, without an error', async () => {
  const clock = new ManualClock();
  const relations = open(clock);
  const name = await fill(relations);
  await whileRead(name, async () => {
    await relations.release(name);
    expect(await exists(name)).toBe(true);
    expect(clock.timers).toBe(1);
    await clock.advance(1_000);
    await until(() => Promise.resolve(clock.timers === 1));
    expect(await exists(name)).toBe(true);
  });
  await clock.advance(1_000);
  await until(async () => !(await exists(name)));
  await until(() => Promise.resolve(clock.timers === 0));
  await relations.close();
});

test('close stops the retries and drops what it can; what it cannot is swept by the next process', async () => {
  const clock = new ManualClock();
  const relations = open(clock);
  const read = await fill(relations);
  const free = await fill(relations);
  await whileRead(read, async () => {
    await relations.release(read);
    await relations.close();
    expect(clock.timers).toBe(0);
    expect([await exists(read), await exists(free)]).toEqual([true, false]);
  });
  const next = open();
  expect(await next.sweep()).toBe(1);
  expect(await exists(read)).toBe(false);
  await next.close();
});

test('the sweep takes what a dead process left, and leaves what a living one uses', async () => {
  const living = open();
  const dead = open();
  const used = await fill(living);
  const left = await fill(dead);
  // A process that is killed never closes: its connection, and with it the lock, ends at the server.
  await dead.lock.release();
  const sweeper = open();
  expect(await sweeper.sweep()).toBe(1);
  expect([await exists(used), await exists(left)]).toEqual([true, false]);
  expect(await sweeper.sweep()).toBe(0);
  await Promise.all([living.close(), sweeper.close()]);
});

test('a relation that was rolled back is nowhere', async () => {
  const relations = open();
  const copy = await relations.create(columns, 'trailhound');
  await copy.write([['1']]);
  copy.rollback();
  relations.forget(copy.name);
  await until(async () => {
    const { rows } = await host.engine.pool.query(`select from pg_class where relname = split_part($1, '.', 2)`, [
      copy.name,
    ]);
    return rows.length === 0;
  });
  await relations.close();
});

test('the process lock is taken again when its connection broke, whether or not somebody asks for it', async () => {
  const relations = open();
  await fill(relations);
  await host.engine.pool.query(`select pg_terminate_backend(pid, 5000) from pg_locks where locktype = 'advisory'`);
  await until(async () => {
    const { rows } = await host.engine.pool.query(`select from pg_locks where locktype = 'advisory'`);
    return rows.length > 0;
  });
  const name = await fill(relations);
  const other = open();
  expect(await other.sweep()).toBe(0);
  expect(await exists(name)).toBe(true);
  await Promise.all([relations.close(), other.close()]);
});

test('neither the lock nor a relation keeps the pool from ending', async () => {
  const own = await openTestEngine();
  const relations = new Relations({ pool: own.engine.pool, log, clock: new ManualClock() });
  const copy = await relations.create(columns, 'trailhound');
  await copy.commit();
  await own.close();
  await relations.close();
});
