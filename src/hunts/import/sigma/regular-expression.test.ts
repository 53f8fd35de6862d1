import { expect, it } from 'vitest';
import { postgresRegularExpression } from './regular-expression.ts';

const NONE = { ignoreCase: false, multiline: false, dotAll: false };

it.each([
  ['a.b', 'a[^\\n]b'],
  ['^a|b$', '^a|b(?=\\n?\\Z)'],
  ['\\bx\\B', '\\yx\\Y'],
  ['(a)(?:b)(?<n>c)(?P<m>d)', '(?:a)(?:b)(?:c)(?:d)'],
  ['a+?b{2,}c{1,3}?', 'a+b{2,}c{1,3}'],
  ['[a-z\\d_.-][^]x]', '[a-z\\d_\\.\\-][^\\]x]'],
  ['[\\w-.]', '[\\w\\-\\.]'],
  ['[[:alpha:][]', '[[:alpha:]\\[]'],
  ['\\x41\\u0042\\/\\.\\$', 'AB\\/\\.\\$'],
  ['(?=a)(?!b)(?<=c)(?<!d)e', '(?=a)(?!b)(?<=c)(?<!d)e'],
  ['(|a)', '(?:(?:)|a)'],
  ['[^\\x00-\\x7F]', '[^\\u0001-\\u007f]'],
  ['[\\u0000-a]', '[\\u0001-a]'],
  ['{', '\\{'],
  ["'%", "\\'\\%"],
])('writes %s as %s', (source, pattern) => {
  expect(postgresRegularExpression(source, NONE)).toEqual({ pattern, ignoreCase: false });
});

it('takes flags from modifiers, or from its begin', () => {
  expect(postgresRegularExpression('^a.$', { ignoreCase: true, multiline: true, dotAll: true })).toEqual({
    pattern: '(?<![^\\n])a.(?![^\\n])',
    ignoreCase: true,
  });
  expect(postgresRegularExpression('(?is)a.', NONE)).toEqual({ pattern: 'a.', ignoreCase: true });
});

it.each([
  ['(a)\\1', 'the regular expression has "\\1"'],
  ['a++', 'possessive'],
  ['(?>a)', '"(?>"'],
  ['(?R)', '"(?R"'],
  ['a(?i)b', '"(?i"'],
  ['(*FAIL)', 'verbs'],
  ['a{256}', 'at most 255 times'],
  ['a{3,2}', 'the second number is the smaller one'],
  ['*a', 'repeats nothing'],
  ['^*', 'is not repeated'],
  ['a**', 'two quantifiers'],
  ['(a', 'nothing closes'],
  ['a)', 'nothing opens'],
  ['[a', 'nothing closes'],
  ['a\\', 'a backslash at the end'],
  ['\\p{L}', '"\\p"'],
  ['\\x00', 'no character'],
  ['[\\x00]', 'no character'],
  ['[\\x00-\\x00]', 'no character'],
  ['[[.a.]]', 'within brackets'],
  ['('.repeat(60) + ')'.repeat(60), 'more than 50 groups'],
])('refuses %s', (source, reason) => {
  expect(() => postgresRegularExpression(source, NONE)).toThrow(reason);
});
