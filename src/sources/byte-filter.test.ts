import { expect, test } from 'vitest';
import { ByteFilter } from './byte-filter.ts';

test.each([
  ['\\u000abcde', 'nbcde', true],
  ['\\u0009abcde', 'tabcde', true],
  ['\\u001Fabcd', 'u001fabcd', true],
  ['\\nbcde', 'nbcde', true],
  ['\\u00e9bcde', 'nbcde', false],
])('a text within an object, %s in its bytes, has %s: %s', (written, needle, expected) => {
  const bytes = Buffer.from(`{"eventName":{"a":"x${written}"}}`);
  expect(new ByteFilter([[needle]]).mayHold(bytes)).toBe(expected);
  if (expected) expect(new ByteFilter([[{ anyCase: needle }]]).mayHold(bytes)).toBe(true);
});

test('one of many texts is found as one of few, in any case, too', () => {
  const texts = Array.from({ length: 300 }, (_, index) => `Name-${index}-x`);
  const anyCase = texts.map((text) => ({ anyCase: text }));
  const bytes = (text: string) => Buffer.from(`{"eventName":"${text}"}`);
  const many = new ByteFilter([texts]);
  expect(
    ['Name-299-x', 'Name-300-x', 'Name-299-X', '\\u004eame-299-x'].map((text) => many.mayHold(bytes(text))),
  ).toEqual([true, false, false, true]);
  const folded = new ByteFilter([anyCase]);
  expect(['nAME-299-x', 'name-300-x', 'é'].map((text) => folded.mayHold(bytes(text)))).toEqual([true, false, true]);
});
