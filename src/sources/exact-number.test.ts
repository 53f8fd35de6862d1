import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decimal, exactJson, exactNumber, nearestDouble, parseExactly } from './exact-number.ts';
import { parseJson } from './http/parse-json.ts';

it.each([
  '[9007199254740993,-12345678901234567890]',
  '{"a":[1.50,0.1,-0.0,1E+2,12345678901234567890.00000000000000000001],"b":{"c":1e-7}}',
  '-0',
])('JSON is what was read, digit by digit: %s', (text) => {
  expect(exactJson(parseJson(text))).toBe(text);
});

it.each(['01', '1.', '.5', '+1', '1e', '-', '0x1', '1_000'])('%s is no number', (text) => {
  expect(() => parseJson(`[12345678901234567890, ${text}]`)).toThrow('is no JSON');
});

it('a text of an answer is none of the numbers that it imitates', () => {
  const [text, number] = parseJson('["\\u0000exactly 5", 1.0]') as unknown[];
  expect([exactNumber(text), exactNumber(number)]).toEqual([undefined, '1.0']);
  expect(exactJson([text])).toBe('["\\u0000exactly 5"]');
});

it.each([
  ['1.50e3', '1500'],
  ['1.50e1', '15.0'],
  ['1.5e-3', '0.0015'],
  ['-0.0', '0.0'],
  ['-12E0', '-12'],
  ['100e-2', '1.00'],
  ['0.10', '0.10'],
  ['1e21', '1000000000000000000000'],
  ['12345678901234567890', '12345678901234567890'],
  ['1e300', '1e300'],
])('%s is %s in decimals', (literal, text) => {
  expect(decimal(literal)).toBe(text);
});

it('each number of a record is written as it was', () => {
  const digits = fc.stringMatching(/^[0-9]{1,22}$/);
  const whole = digits.map((text) => text.replace(/^0+(?=[0-9])/, ''));
  const number = fc
    .tuple(
      fc.boolean(),
      whole,
      fc.option(digits),
      fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e-', 'E+'), fc.nat(60))),
    )
    .map(([negative, integer, fraction, exponent]) =>
      [negative ? '-' : '', integer, fraction === null ? '' : `.${fraction}`, exponent?.join('') ?? ''].join(''),
    );
  fc.assert(
    fc.property(fc.array(number), fc.constantFrom('', ' ', '\n  '), (numbers, space) => {
      const text = `{"a":${space}[${numbers.join(`,${space}`)}],"b":{"c":${space}${numbers[0] ?? '0'}},"d":"x:1.50"}`;
      expect(exactJson(parseExactly(text))).toBe(text.replaceAll(/(?<=[:,])\s+/g, ''));
    }),
    { numRuns: 2_000 },
  );
});

it.each(['1e2000', '-1E-2000', `1${'0'.repeat(1_000)}`, '1e200000'])(
  '%s is no number that would be lost silently',
  (text) => {
    expect(() => parseExactly(`{"a": ${text}}`)).toThrow(SyntaxError);
    expect(() => parseExactly(`[${text}]`)).toThrow(SyntaxError);
  },
);

it('the double next to a number is to be had where one is computed with', () => {
  expect((parseExactly('[1.50, 1e1, 3, "x", null]') as unknown[]).map(nearestDouble)).toEqual([1.5, 10, 3, 'x', null]);
});
