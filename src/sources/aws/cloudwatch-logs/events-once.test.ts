import { expect, test } from 'vitest';
import { EventsOnce } from './events-once.ts';

const event = (eventId: string) => ({ eventId });

test('an event is new once, and not where it came before', () => {
  const once = new EventsOnce(new Set(['before']));
  expect(['a', 'before', 'a', 'b'].map((id) => once.isNew(event(id)))).toEqual([true, false, false, true]);
  expect([...(once.delivered ?? [])]).toEqual(['before', 'a', 'b']);
});

test('what was forgotten is known as long as the next page may repeat it, and what came before for ever', () => {
  const once = new EventsOnce(new Set(['before']));
  expect(once.isNew(event('first'))).toBe(true);
  once.forget();
  expect(once.delivered).toBeUndefined();
  for (let id = 0; id < 999; id += 1) once.isNew(event(String(id)));
  expect(once.isNew(event('first'))).toBe(false);
  for (let id = 999; id < 3_000; id += 1) once.isNew(event(String(id)));
  expect(once.isNew(event('before'))).toBe(false);
});

test('events without an id are all new', () => {
  const once = new EventsOnce(undefined);
  expect([once.isNew({}), once.isNew({})]).toEqual([true, true]);
});
