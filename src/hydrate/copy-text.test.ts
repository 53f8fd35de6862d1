import fc from 'fast-check';
import { expect, test } from 'vitest';
import { copyLine } from './copy-text.ts';

/** COPY's text format read back, as its manual page describes it. */
function readLine(line: string): (string | null)[] {
  expect(line.endsWith('\n')).toBe(true);
  return line
    .slice(0, -1)
    .split('\t')
    .map((field) => {
      if (field === '\\N') return null;
      return field.replace(/\\(.)/g, (_, letter: string) => ({ t: '\t', n: '\n', r: '\r' })[letter] ?? letter);
    });
}

test('any row is one line that reads back as the same row', () => {
  const value = fc.option(fc.string({ unit: fc.constantFrom('a', '\\', '\t', '\n', '\r', 'N', '.', 't', '😀') }));
  fc.assert(
    fc.property(fc.array(value, { minLength: 1 }), (row) => {
      const line = copyLine(row);
      expect(line.indexOf('\n')).toBe(line.length - 1);
      expect(readLine(line)).toEqual(row);
    }),
  );
});

test('NULL differs from the text that stands for it', () => {
  expect(copyLine([null, '\\N', ''])).toBe('\\N\t\\\\N\t\n');
});
