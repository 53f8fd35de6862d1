import { expect, test } from 'vitest';
import { ManualClock } from '../../test/hydrate/support/manual-clock.ts';
import { sleep, systemClock } from './clock.ts';

test('a sleep ends when its time has come', async () => {
  const clock = new ManualClock();
  let awake = false;
  const sleeping = sleep(100, new AbortController().signal, clock).then(() => (awake = true));
  await clock.advance(99);
  expect(awake).toBe(false);
  await clock.advance(1);
  await sleeping;
  expect(awake).toBe(true);
});

test('an abort ends a sleep with its reason and leaves no timer', async () => {
  const clock = new ManualClock();
  const controller = new AbortController();
  const sleeping = sleep(100, controller.signal, clock);
  controller.abort(new Error('gone'));
  await expect(sleeping).rejects.toThrow('gone');
  expect(clock.timers).toBe(0);
  await expect(sleep(100, controller.signal, clock)).rejects.toThrow('gone');
  expect(clock.timers).toBe(0);
});

test('a timer of the system’s clock can be cancelled', async () => {
  let called = false;
  systemClock.schedule(1, () => (called = true))();
  await sleep(5, new AbortController().signal);
  expect(called).toBe(false);
});
