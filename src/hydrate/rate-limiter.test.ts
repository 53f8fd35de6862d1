import { expect, test } from 'vitest';
import { ManualClock, settle } from '../../test/hydrate/support/manual-clock.ts';
import type { RateLimit } from '../sources/source.ts';
import { RateLimiter } from './rate-limiter.ts';

const never = new AbortController().signal;

function setUp(limit: RateLimit) {
  const clock = new ManualClock();
  const limiter = new RateLimiter(clock);
  const order: string[] = [];
  const releases = new Map<string, () => void>();
  const start = (name: string, signal: AbortSignal = never) =>
    limiter.acquire(limit, signal).then(
      (release) => {
        order.push(name);
        releases.set(name, release);
      },
      (error: unknown) => void order.push(`${name}: ${(error as Error).message}`),
    );
  return { clock, limiter, order, start, release: (name: string) => releases.get(name)?.() };
}

test('no more requests run at once than the limit says, and they start in the order in which they asked', async () => {
  const { order, start, release } = setUp({ key: 'k', concurrency: 2 });
  for (const name of ['a', 'b', 'c', 'd']) void start(name);
  await settle();
  expect(order).toEqual(['a', 'b']);
  release('b');
  await settle();
  expect(order).toEqual(['a', 'b', 'c']);
  release('b');
  await settle();
  expect(order).toEqual(['a', 'b', 'c']);
  release('a');
  await settle();
  expect(order).toEqual(['a', 'b', 'c', 'd']);
});

test('limits with different keys do not wait for each other', async () => {
  const limiter = new RateLimiter(new ManualClock());
  await limiter.acquire({ key: 'one', concurrency: 1 }, never);
  await expect(limiter.acquire({ key: 'two', concurrency: 1 }, never)).resolves.toBeTypeOf('function');
});

test('a second is worth as many starts as the rate says, then each waits for its token', async () => {
  const { clock, order, start } = setUp({ key: 'k', concurrency: 100, requestsPerSecond: 5 });
  for (let n = 0; n < 12; n += 1) void start(String(n));
  await settle();
  expect(order).toHaveLength(5);
  await clock.advance(200);
  expect(order).toHaveLength(6);
  await clock.advance(1000);
  expect(order).toHaveLength(11);
  await clock.advance(200);
  expect(order).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11']);
  expect(clock.timers).toBe(0);
});

test('a request aborted while it waits leaves the queue at once, and its timer with it', async () => {
  const { clock, order, start } = setUp({ key: 'k', concurrency: 9, requestsPerSecond: 1 });
  const controller = new AbortController();
  void start('first');
  void start('cancelled', controller.signal);
  await settle();
  expect(clock.timers).toBe(1);
  controller.abort(new Error('gone'));
  await settle();
  expect(order).toEqual(['first', 'cancelled: gone']);
  expect(clock.timers).toBe(0);
  void start('late', controller.signal);
  await settle();
  expect(order.at(-1)).toBe('late: gone');
});

test('an aborted head of the queue makes way for the next', async () => {
  const { clock, order, start } = setUp({ key: 'k', concurrency: 9, requestsPerSecond: 1 });
  const controller = new AbortController();
  void start('first');
  void start('cancelled', controller.signal);
  void start('third');
  controller.abort(new Error('gone'));
  await clock.advance(1000);
  expect(order).toEqual(['first', 'cancelled: gone', 'third']);
});

test('a pause holds everybody with the same key until it ends', async () => {
  const limit = { key: 'k', concurrency: 9 };
  const { clock, limiter, order, start } = setUp(limit);
  limiter.pause(limit, 3000);
  limiter.pause(limit, 1000);
  void start('a');
  void start('b');
  await clock.advance(2999);
  expect(order).toEqual([]);
  await clock.advance(1);
  expect(order).toEqual(['a', 'b']);
});

test('a limit that the service refuses halves, once for requests that were sent together, and doubles every ten seconds', async () => {
  const limit = { key: 'k', concurrency: 100, requestsPerSecond: 8 };
  const { clock, limiter, order, start } = setUp(limit);
  for (let index = 0; index < 60; index += 1) void start(`r${index}`);
  await settle();
  expect(order).toHaveLength(8);
  limiter.throttled(limit);
  limiter.throttled(limit);
  const startedWithin = async (ms: number) => {
    const before = order.length;
    for (let passed = 0; passed < ms; passed += 50) {
      await clock.advance(50);
      await settle();
    }
    return order.length - before;
  };
  const halved = await startedWithin(1_000);
  expect(halved).toBeGreaterThanOrEqual(3);
  expect(halved).toBeLessThanOrEqual(5);
  for (let index = 60; index < 200; index += 1) void start(`r${index}`);
  await startedWithin(10_000);
  const recovered = await startedWithin(1_000);
  expect(recovered).toBeGreaterThanOrEqual(7);
  expect(recovered).toBeLessThanOrEqual(9);
});
