import { expect, it } from 'vitest';
import { RateLimiter } from './rate-limiter.ts';

it('a rate limiter admits n requests in any second, for each key of its own', () => {
  let now = 0;
  const limiter = new RateLimiter(() => now);
  const admitted = (key: string) => [1, 2, 3].map(() => limiter.admits(key, 2));
  expect(admitted('a')).toEqual([true, true, false]);
  expect(admitted('b')).toEqual([true, true, false]);
  now = 999;
  expect(limiter.admits('a', 2)).toBe(false);
  now = 1_000;
  expect(admitted('a')).toEqual([true, true, false]);
});
