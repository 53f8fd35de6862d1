import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseDestination } from '../../src/hunts/watch/destination.ts';
import type { Notification } from '../../src/hunts/watch/notification.ts';
import { createSender, NotDelivered } from '../../src/hunts/watch/sender.ts';
import { ManualClock } from '../hydrate/support/manual-clock.ts';
import { FakeSlack } from './support/fake-slack.ts';

const RECOVERED: Notification = { kind: 'recovered', hunt: undefined, failedSince: undefined };

let slack: FakeSlack;
let clock: ManualClock;
beforeEach(async () => {
  slack = await FakeSlack.start();
  clock = new ManualClock();
});
afterEach(() => slack.close());

const toSlack = (signal = new AbortController().signal) =>
  createSender(parseDestination(`slack:${slack.url}`), clock, signal);

/** Lets the clock run to each timer as soon as it is set, until the promise is settled; the waits in between. */
async function waits(promise: Promise<void>): Promise<readonly number[]> {
  const waited: number[] = [];
  const state = { settled: false };
  const settle = () => void (state.settled = true);
  promise.then(settle, settle);
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    if (state.settled) return waited;
    if (clock.timers === 0) continue;
    const before = clock.now();
    while (clock.timers > 0) await clock.advance(1_000);
    waited.push(clock.now() - before);
  }
}

it('sends one message a second', async () => {
  const sender = toSlack();
  expect(await waits(sender.send(RECOVERED))).toEqual([]);
  expect(await waits(sender.send(RECOVERED))).toEqual([1_000]);
  expect(slack.messages).toHaveLength(2);
});

it('waits as long as Slack says where it is too fast, and longer each time where the service fails', async () => {
  slack.answer([429, 'rate_limited', { 'retry-after': '30' }], [500, 'rollup_error'], [503, '']);
  expect(await waits(toSlack().send(RECOVERED))).toEqual([30_000, 2_000, 4_000]);
  expect(slack.messages).toHaveLength(1);
});

it('understands a Retry-After that is a date', async () => {
  const date = new Date(clock.now() + 60_000).toUTCString();
  slack.answer([429, '', { 'retry-after': date }]);
  expect(await waits(toSlack().send(RECOVERED))).toEqual([60_000]);
});

it('gives up after six attempts, or at once where it would have to wait for minutes', async () => {
  slack.answer(...Array.from({ length: 6 }, () => [500, 'rollup_error'] as const));
  const sender = toSlack();
  const sending = sender.send(RECOVERED);
  expect(await waits(sending)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000]);
  await expect(sending).rejects.toThrow('slack does not take the notification: HTTP status 500 rollup_error');
  slack.answer([429, '', { 'retry-after': '3600' }]);
  const again = sender.send(RECOVERED);
  await waits(again);
  await expect(again).rejects.toThrow(NotDelivered);
  expect(slack.requests).toBe(7);
});

it('does not repeat what is refused', async () => {
  slack.answer([404, 'no_service'], [302, '', { location: 'http://127.0.0.1:1/' }]);
  const sender = toSlack();
  await expect(sender.send(RECOVERED)).rejects.toThrow('slack refuses the notification: HTTP status 404 no_service');
  const redirected = sender.send(RECOVERED);
  await waits(redirected);
  await expect(redirected).rejects.toThrow('HTTP status 302');
});

it('names nothing of the URL, whatever is answered and where nobody answers', async () => {
  slack.answer([404, `Cannot POST ${new URL(slack.url).pathname}`]);
  const refused = await toSlack().send(RECOVERED).catch(String);
  const { port } = new URL(slack.url);
  await slack.close();
  const gone = createSender(
    parseDestination(`webhook:http://ann:pass@127.0.0.1:${port}/secret`),
    clock,
    new AbortController().signal,
  );
  const sending = gone.send(RECOVERED);
  await waits(sending);
  const unreachable = await sending.catch(String);
  expect(refused).toBe('Error: slack refuses the notification: HTTP status 404');
  expect(unreachable).toBe('Error: webhook does not take the notification: ECONNREFUSED');
});

it('starts no request once it is aborted', async () => {
  const controller = new AbortController();
  slack.answer([500, '']);
  const sending = toSlack(controller.signal).send(RECOVERED);
  await slack.came(1);
  while (clock.timers === 0) await new Promise((resolve) => setImmediate(resolve));
  controller.abort(new Error('gone'));
  await expect(sending).rejects.toThrow('gone');
  expect([slack.requests, clock.timers]).toEqual([1, 0]);
});
