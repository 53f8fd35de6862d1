import { expect, test } from 'vitest';
import { settle } from '../../test/hydrate/support/manual-clock.ts';
import type { Ask } from './flights.ts';
import { Flights, FRESH } from './flights.ts';

const silent = () => undefined;
const answer = { records: [], fetchedAt: 0 };

function landed(kept: Promise<void> = Promise.resolve()): Ask {
  return () => Promise.resolve({ answer, kept });
}

test('what has landed stays until it is kept and no look into the cache that began before is under way', async () => {
  const flights = new Flights();
  let keep: () => void = silent;
  const kept = new Promise<void>((resolve) => (keep = resolve));
  const early = flights.beginRead();
  await flights.join('k', 0, silent).flight.start(landed(kept));
  expect(flights.has('k', 0)).toBe(true);
  expect(flights.has('k', FRESH)).toBe(false);
  keep();
  await settle();
  expect(flights.has('k', 0)).toBe(true);
  early.end();
  await settle();
  expect(flights.has('k', 0)).toBe(false);
});

test('all who joined get the answer, and one request is made', async () => {
  const flights = new Flights();
  const tickets = [flights.join('k', 0, silent), flights.join('k', 0, silent)];
  let asked = 0;
  const ask: Ask = () => {
    asked += 1;
    return landed()(new AbortController().signal, silent, () => 0);
  };
  await Promise.all(tickets.map((ticket) => ticket.flight.start(ask)));
  expect(asked).toBe(1);
  expect(await Promise.all(tickets.map((ticket) => ticket.flight.answer))).toEqual([answer, answer]);
});

test('a failure reaches all who wait, and the next to ask starts anew', async () => {
  const flights = new Flights();
  const tickets = [flights.join('k', 0, silent), flights.join('k', 0, silent)];
  await tickets[0]?.flight.start(() => Promise.reject(new Error('refused')));
  for (const ticket of tickets) await expect(ticket.flight.answer).rejects.toThrow('refused');
  expect(flights.has('k', 0)).toBe(false);
  expect(flights.join('k', 0, silent).flight.state).toBe('queued');
});

test('only the last to leave aborts, and nobody joins what was aborted', async () => {
  const flights = new Flights();
  const first = flights.join('k', 0, silent);
  const second = flights.join('k', 0, silent);
  let signal: AbortSignal | undefined;
  void first.flight.start((given) => {
    signal = given;
    return new Promise((_, reject) => given.addEventListener('abort', () => reject(given.reason as Error)));
  });
  first.leave();
  first.leave();
  expect(signal?.aborted).toBe(false);
  second.leave();
  expect(signal?.aborted).toBe(true);
  expect(flights.has('k', 0)).toBe(false);
  await settle();
});

test('a flight that nobody has started is taken off when the last one leaves, and cannot start any more', async () => {
  const flights = new Flights();
  const ticket = flights.join('k', 0, silent);
  ticket.leave();
  let asked = false;
  await ticket.flight.start(() => {
    asked = true;
    return Promise.reject(new Error('must not be asked'));
  });
  expect(asked).toBe(false);
  expect(flights.has('k', 0)).toBe(false);
});

test('what the source says on the way reaches those who wait', async () => {
  const flights = new Flights();
  const heard: string[] = [];
  const left = flights.join('k', 0, () => heard.push('left'));
  const stays = flights.join('k', 0, (severity, message) => heard.push(`${severity} ${message}`));
  left.leave();
  await stays.flight.start((signal, notice) => {
    notice('WARNING', 'slow today');
    return landed()(signal, notice, () => 0);
  });
  expect(heard).toEqual(['WARNING slow today']);
});
