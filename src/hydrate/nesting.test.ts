import { expect, test } from 'vitest';
import { DEEPEST, isTooDeep } from './nesting.ts';

function nested(levels: number, within = '1'): string {
  return `${'{"a":['.repeat(Math.floor(levels / 2))}${'['.repeat(levels % 2)}${within}${']'.repeat(levels % 2)}${']}'.repeat(Math.floor(levels / 2))}`;
}

test.each([
  [DEEPEST, false],
  [DEEPEST + 1, true],
  [100_000, true],
])('%d levels: %s', (levels, tooDeep) => {
  const json = nested(levels);
  expect(JSON.parse(json)).toBeTypeOf('object');
  expect(isTooDeep(json)).toBe(tooDeep);
});

test('brackets in strings, and side by side, are no levels', () => {
  expect(isTooDeep(JSON.stringify({ a: `\\"${'[{'.repeat(DEEPEST)}`, b: 1 }))).toBe(false);
  expect(isTooDeep(`[${'[],{},'.repeat(DEEPEST)}1]`)).toBe(false);
  expect(isTooDeep(nested(DEEPEST, JSON.stringify(`"${'['.repeat(DEEPEST)}\\`)))).toBe(false);
  expect(isTooDeep(nested(DEEPEST, `"\\"",[]`))).toBe(true);
});
