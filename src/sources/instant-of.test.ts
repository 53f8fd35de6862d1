import { expect, test } from 'vitest';
import { instantOf } from './instant-of.ts';

test('a time is read with its zone, and as UTC without one', () => {
  const instant = Date.UTC(2026, 10, 21, 20, 15);
  for (const text of ['2026-11-21T20:15:00Z', '2026-11-21 20:15:00.000', '2026-11-21T22:15:00+02:00']) {
    expect(instantOf(text)).toBe(instant);
  }
  expect(instantOf('')).toBeUndefined();
  expect(instantOf('yesterday')).toBeUndefined();
});
