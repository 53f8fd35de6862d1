import { expect, test } from 'vitest';
import { likeTest, parseLike } from './like.ts';

test.each([
  ['abc', 'abc', true],
  ['abc', 'abcd', false],
  ['a%', 'a', true],
  ['a%', 'ba', false],
  ['%b_', 'abc', true],
  ['_', '\u{1F600}', true],
  ['a.c', 'abc', false],
  ['a\\%', 'a%', true],
  ['a\\%', 'ab', false],
  ['a\\\\', 'a\\', true],
  ['%', 'two\nlines', true],
  ['A%', 'abc', false],
  ['', '', true],
])("'%s' as a pattern for '%s': %s", (pattern, text, expected) => {
  expect(likeTest(pattern)?.(text)).toBe(expected);
});

test('a backslash at the end is no pattern', () => {
  expect(parseLike('a\\')).toBeUndefined();
  expect(likeTest('a\\')).toBeUndefined();
});
