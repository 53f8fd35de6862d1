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
