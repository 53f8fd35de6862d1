import { expect, test } from 'vitest';
import { ManualClock, settle } from '../../test/hydrate/support/manual-clock.ts';
import type { SourceErrorKind } from '../sources/source.ts';
import { SourceError } from '../sources/source.ts';
import { CallScheduler, DEFAULT_PATIENCE } from './call-scheduler.ts';
import { createHydrationCounters } from './metrics.ts';
import { RateLimiter } from './rate-limiter.ts';
import { toStatementError } from './source-failure.ts';

const limit = { key: 'k', concurrency: 16 };

function setUp() {
  const clock = new ManualClock();
  const metrics = createHydrationCounters();
  const limiter = new RateLimiter(clock);
  const scheduler = new CallScheduler({ clock, limiter, metrics, patience: DEFAULT_PATIENCE, random: () => 0.5 });
  const controller = new AbortController();
  const tally = { calls: 0, waitMs: 0 };
  const context = scheduler.context({
    source: 'fake',
    signal: controller.signal,
    tally,
    partial: false,
    notice: () => undefined,
  });
  return { clock, metrics, controller, tally, context };
}

function refusal(kind: SourceErrorKind, retryable: boolean, retryAfterMs?: number): SourceError {
  return new SourceError(kind, 'feed', `${kind} it is`, { retryable, retryAfterMs });
}

test('what is retryable is tried five times with growing jittered waits, then fails with the source’s own error', async () => {
  const { clock, metrics, tally, context } = setUp();
  const at: number[] = [];
  const error = refusal('unreachable', true);
  const start = clock.now();
  const call = context.call(limit, () => {
    at.push(clock.now() - start);
    return Promise.reject(error);
  });
  const outcome = expect(call).rejects.toBe(error);
  await clock.advance(60_000);
  await outcome;
  // Half of 200, 400, 800 and 1,600 ms.
  expect(at).toEqual([0, 100, 300, 700, 1500]);
  expect(tally).toEqual({ calls: 5, waitMs: 1500 });
  expect(metrics.calls.get('fake')?.get('unreachable')).toBe(5);
  expect(metrics.retries.get('fake')).toBe(4);
  const failure = toStatementError(error, 'lookup_table');
  expect(failure.sqlstate).toBe('HV00N');
  expect(failure.detail).toBe('Connection feed was asked for lookup_table. Tried 5 times.');
});

test('what is not retryable is tried once', async () => {
  const { tally, context } = setUp();
  await expect(context.call(limit, () => Promise.reject(refusal('credentials', false)))).rejects.toThrow('credentials');
  expect(tally.calls).toBe(1);
});

test('a failure that heals is answered, and counted as what it was', async () => {
  const { clock, metrics, context } = setUp();
  let calls = 0;
  const call = context.call(limit, () =>
    (calls += 1) < 3 ? Promise.reject(refusal('unreachable', true)) : Promise.resolve('answer'),
  );
  await clock.advance(60_000);
  await expect(call).resolves.toBe('answer');
  expect([...(metrics.calls.get('fake') ?? [])]).toEqual([
    ['unreachable', 2],
    ['ok', 1],
  ]);
});

test('Retry-After is waited for, by every call under the same limit', async () => {
  const { clock, context } = setUp();
  const start = clock.now();
  const at: string[] = [];
  let refused = false;
  const send = (name: string) => () => {
    at.push(`${name} ${clock.now() - start}`);
    if (refused) return Promise.resolve(name);
    refused = true;
    return Promise.reject(refusal('throttled', true, 7000));
  };
  const first = context.call(limit, send('first'));
  await settle();
  const second = context.call(limit, send('second'));
  await clock.advance(6999);
  expect(at).toEqual(['first 0']);
  await clock.advance(1);
  await Promise.all([first, second]);
  expect(at.toSorted()).toEqual(['first 0', 'first 7000', 'second 7000']);
});

test('a Retry-After beyond the statement’s patience fails at once with 53400', async () => {
  const { clock, tally, context } = setUp();
  const error = refusal('throttled', true, 3_600_000);
  await expect(context.call(limit, () => Promise.reject(error))).rejects.toBe(error);
  expect(tally).toEqual({ calls: 1, waitMs: 0 });
  expect(clock.timers).toBe(0);
  expect(toStatementError(error, 'lookup_table')).toMatchObject({ sqlstate: '53400', message: 'throttled it is' });
});

test('waits for Retry-After add up: the patience is one for all attempts', async () => {
  const { clock, tally, context } = setUp();
  const call = context.call(limit, () => Promise.reject(refusal('throttled', true, 25_000)));
  const outcome = expect(call).rejects.toThrow('throttled');
  await clock.advance(120_000);
  await outcome;
  expect(tally.calls).toBe(3);
});

test('an abort reaches the request in flight, and none is sent after it', async () => {
  const { clock, metrics, controller, tally, context } = setUp();
  const inFlight = context.call(limit, (signal) => {
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('socket closed'))));
  });
  const retrying = context.call(limit, () => Promise.reject(refusal('unreachable', true)));
  const outcomes = Promise.allSettled([inFlight, retrying]);
  await settle();
  const reason = new Error('cancelled');
  controller.abort(reason);
  expect(await outcomes).toEqual([
    { status: 'rejected', reason },
    { status: 'rejected', reason },
  ]);
  await expect(context.call(limit, () => Promise.resolve('never'))).rejects.toBe(reason);
  await clock.advance(60_000);
  expect(tally.calls).toBe(2);
  expect(metrics.calls.get('fake')?.get('aborted')).toBe(1);
  expect(clock.timers).toBe(0);
});

test.each([
  ['credentials', 'HV00N'],
  ['unreachable', 'HV00N'],
  ['not_found', 'HV00N'],
  ['throttled', '53400'],
  ['quota', '53400'],
  ['invalid_request', '22023'],
  ['nonsense', 'HV000'],
] as const)('%s becomes %s, with the connection and what to do', (kind, sqlstate) => {
  const failure = toStatementError(refusal(kind, false), 'lookup_table');
  expect(failure.sqlstate).toBe(sqlstate);
  expect(failure.detail).toContain('Connection feed');
  expect(failure.hint).toMatch(/^[A-Z].*\.$/);
});

test('an unexpected failure says nothing of what it was about', () => {
  const failure = toStatementError(new TypeError('cannot read properties of secret'), 'lookup_table');
  expect(failure.sqlstate).toBe('XX000');
  expect(JSON.stringify([failure.message, failure.detail, failure.hint])).not.toContain('secret');
});
