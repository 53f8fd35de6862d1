import { expect, it } from 'vitest';
import { nearest } from './nearest.ts';

it('finds the name that was most likely meant', () => {
  expect(nearest('regoins', ['profile', 'regions'])).toBe('regions');
  expect(nearest('Port', ['host', 'port'])).toBe('port');
});

it('finds none where nothing is close', () => {
  expect(nearest('zzz', ['profile', 'regions'])).toBeUndefined();
  expect(nearest('', [])).toBeUndefined();
});
