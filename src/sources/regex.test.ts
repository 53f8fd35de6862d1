import { expect, test } from 'vitest';
import { parseRegex } from './regex.ts';

const only = (...texts: string[]) => [{ texts, groups: [] }];

test.each<[string, unknown]>([
  ['CreateUser', only('CreateUser')],
  ['^Create.*User$', only('Create', 'User')],
  ['abc?def', only('ab', 'def')],
  ['abc*?def', only('ab', 'def')],
  ['abc+def', only('abc', 'def')],
  ['abc{0,3}def', only('ab', 'def')],
  ['abc{2}def', only('abc', 'def')],
  ['a\\.b\\-c\\\\d', only('a.b-c\\d')],
  ['\\d+abc\\Mdef\\x41gh', only('abc', 'def', 'gh')],
  ['\\u0041bc', only('bc')],
  ['\\x41bcdef', only()],
  ['ab[]c]de[^]f]gh[[:alpha:]]ij[[.-.]k]lm[a\\]b]no', only('ab', 'de', 'gh', 'ij', 'lm', 'no')],
  ['a{b', only('a{b')],
  ['\u{1F600}?x', only('x')],
  ['a|bc', [...only('a'), ...only('bc')]],
  ['a|', [...only('a'), ...only()]],
  ['x(Create|Delete)+y', [{ texts: ['x', 'y'], groups: [[...only('Create'), ...only('Delete')]] }]],
  ['x(?:Create|Delete)?y', only('x', 'y')],
  ['x(?=Create)(?!Delete)(?<=a)(?<!b)y', only('x', 'y')],
  ['(?n)abc', only('abc')],
  ['***:abc', only('abc')],
  ['***=a.*b', only('a.*b')],
])('%s', (pattern, branches) => {
  expect(parseRegex(pattern)).toMatchObject({ branches, anyCase: false });
});

test('it may say that case does not matter', () => {
  expect(parseRegex('(?i)abc')).toMatchObject({ branches: only('abc'), anyCase: true });
  expect(parseRegex('***:(?ni)abc')).toMatchObject({ branches: only('abc'), anyCase: true });
});

test.each([
  ['an option for another language', '(?x)a b'],
  ['a basic one', '(?b)ab'],
  ['literal text', '(?q)a.b'],
  ['an option in the middle', 'a(?i)bc'],
  ['a comment', 'abc(?#x)*'],
  ['nothing to repeat', '*abc'],
  ['a repeated quantifier', 'abc**'],
  ['a repeated place', 'abc$*'],
  ['a quantifier behind an alternative', 'abc|+d'],
  ['a wrong bound', 'abc{1,2'],
  ['a bound of nothing', '{2}abc'],
  ['an open group', '(abc'],
  ['a closed group', 'abc)'],
  ['an open bracket', 'abc[d'],
  ['a control character in brackets', 'abc[\\c]]'],
  ['an escape that is none', 'abc\\q'],
  ['an escape of nothing', 'abc\\'],
  ['a short escape', 'abc\\u12'],
  ['an unknown director', '***abc'],
])('%s is not looked at', (_what, pattern) => {
  expect(parseRegex(pattern)).toBeUndefined();
});
