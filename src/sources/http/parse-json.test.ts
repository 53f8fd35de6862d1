import { describe, expect, it } from 'vitest';
import { parseJsonPath, readJsonPath } from './json-path.ts';
import { exactDigits, parseJson, rounded } from './parse-json.ts';

describe('JSON', () => {
  it.each([
    '{}',
    '[]',
    'null',
    '-0',
    '"a \\" { [ 12345678901234567890"',
    '{"a": [1, 2.5e3, -7, {"b\\\\": "\\u0041"}], "": true}',
    ' [1e2, 0.1, 9007199254740991, -9007199254740991, 1e-400] ',
    '123456789012345.6789',
  ])('is as JSON.parse has it: %s', (text) => {
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });

  it.each([
    '',
    '{',
    '[1,]',
    '01',
    '1 2',
    '{"a": 12345678901234567890',
    '-',
    '[12345678901234567890x]',
    "{'a': 1}",
    '"a',
    'NaN',
  ])('is refused where it is none: %s', (text) => {
    expect(() => parseJson(text)).toThrow('is no JSON');
  });

  it('keeps numbers that a double would round, and refuses what it cannot hold', () => {
    const value = parseJson('{"a": [9007199254740993, -12345678901234567890]}');
    expect(readJsonPath(value, ['a', 0])).not.toBe(9007199254740992);
    expect(exactDigits(readJsonPath(value, ['a', 0]))).toBe('9007199254740993');
    expect(exactDigits(readJsonPath(value, ['a', 1]))).toBe('-12345678901234567890');
    expect(rounded(value)).toEqual(JSON.parse('{"a": [9007199254740993, -12345678901234567890]}'));
    expect(() => parseJson('[1e999]')).toThrow('too large');
  });

  it('is nested 64 levels at most', () => {
    expect(parseJson('['.repeat(64) + ']'.repeat(64))).toHaveLength(1);
    expect(() => parseJson('['.repeat(65) + ']'.repeat(65))).toThrow('deeper than 64');
  });
});

describe('a JSON path', () => {
  const value = { a: { b: [{ 'c d': 1 }, null] }, 'x.y': 2, '"': 3 };
  it.each([
    ['$', value],
    ['$.a.b[0]["c d"]', 1],
    ['$.a.b[1]', null],
    ['$["x.y"]', 2],
    ['$["\\""]', 3],
    ['$.a.b.length', undefined],
    ['$.a[0]', undefined],
    ['$.constructor', undefined],
    ['$.a.b[7].c', undefined],
  ])('%s leads to what is there', (path, found) => {
    expect(readJsonPath(value, parseJsonPath(path) ?? ['none'])).toEqual(found);
  });

  it.each(['', 'a', '$.', '$..a', '$.*', '$[*]', '$[-1]', '$[1:2]', "$['a']", '$.a b', '$[""]', '$["a]'])(
    'is refused: %s',
    (path) => {
      expect(parseJsonPath(path)).toBeUndefined();
    },
  );
});
