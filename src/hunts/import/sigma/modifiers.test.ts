import { expect, it } from 'vitest';
import { readItem } from './modifiers.ts';
import { likePattern } from './sigma-text.ts';

/** The patterns of LIKE that a field is compared with; `&` where all are asked for. */
function patterns(key: string, value: unknown): string {
  return readItem(key, value)
    .all.map((group) => group.map((match) => (match.kind === 'text' ? likePattern(match.text) : match.kind)).join(' '))
    .join(' & ');
}

it.each<readonly [key: string, value: unknown, patterns: string]>([
  ['f', 'a*b?c', 'a%b_c'],
  ['f', 'a\\*b\\?c\\\\*', 'a*b?c\\\\%'],
  ['f', 'C:\\x%_', 'C:\\\\x\\%\\_'],
  ['f|contains', ['a', '*b'], '%a% %b%'],
  ['f|startswith|all', ['a', 'b'], 'a% & b%'],
  ['f|endswith', 5, '%5'],
  ['f', true, 'true'],
  ['f', '', ''],
  ['f|base64', 'foo', 'Zm9v'],
  ['f|wide|base64', 'ab', 'YQBiAA=='],
  ['f|utf16be|base64', 'ab', 'AGEAYg=='],
  ['f|utf16|base64', 'ab', '//5hAGIA'],
  ['f|base64offset|contains', 'foobar', '%Zm9vYmFy% %Zvb2Jhc% %mb29iYX%'],
  ['f|base64offset|contains|all', ['foo', 'bar'], '%Zm9v% %Zvb% %mb2% & %YmFy% %Jhc% %iYX%'],
  ['f|windash', 'x -a b-c', 'x -a b-c x /a b-c x \u2013a b-c x \u2014a b-c x \u2015a b-c'],
  ['f', null, 'null'],
  ['f|exists', true, 'exists'],
  ['f|gt', '5', 'number'],
])('%s: %j', (key, value, expected) => {
  expect(patterns(key, value)).toBe(expected);
});

it.each<readonly [key: string, value: unknown, reason: string]>([
  ['f|foo', 'a', 'there is no modifier foo'],
  ['f|expand', '%x%', 'placeholder'],
  ['f', [], 'the list of values is empty'],
  ['f', [['a']], 'a value is a list or a map'],
  ['f', { a: 1 }, 'a value is a list or a map'],
  ['f|wide', 'a', 'UTF-16 that base64'],
  ['f|base64', 'a*', 'base64 cannot stand after what made a text with wildcards'],
  ['f|contains', null, 'contains, startswith and endswith take texts'],
  ['f|contains|re', 'a', 're cannot stand after'],
  ['f|i', 'a', 'i stands after re alone'],
  ['f|gt', 'a', 'take numbers'],
  ['f|gt|lt', 5, 'take numbers'],
  ['f|gt', Infinity, 'Infinity'],
  ['f|cidr', '10.0.0.0/33', 'is no network'],
  ['f|cidr', '10.0.0.*', 'cannot stand'],
  ['f|exists', 'yes', 'true or false'],
  ['f|fieldref', 'a*', 'the name of a field'],
  ['f|hour', 'x', 'a whole number'],
  ['f|windash', '-a -b -c -d', 'more than 3 dashes'],
  ['f', 'a\0b', 'U+0000'],
  ['f', '\ud800', 'half a character'],
])('refuses %s: %j', (key, value, reason) => {
  expect(() => readItem(key, value)).toThrow(reason);
});
