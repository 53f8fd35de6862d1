import { expect, test } from 'vitest';
import { BoundedCache } from './bounded-cache.ts';

test('what was least recently asked for goes first', () => {
  const cache = new BoundedCache<{ n: number }>({ entries: 2, bytes: 100 });
  cache.set('a', { n: 1 }, 10);
  cache.set('b', { n: 2 }, 10);
  cache.get('a');
  cache.set('c', { n: 3 }, 10);
  expect(['a', 'b', 'c'].map((key) => cache.get(key)?.n)).toEqual([1, undefined, 3]);
});

test('what is large takes the place of several, and what is larger than all is not kept', () => {
  const cache = new BoundedCache<{ n: number }>({ entries: 10, bytes: 100 });
  cache.set('a', { n: 1 }, 40);
  cache.set('b', { n: 2 }, 40);
  cache.set('c', { n: 3 }, 80);
  cache.set('d', { n: 4 }, 101);
  expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key)?.n)).toEqual([undefined, undefined, 3, undefined]);
});
