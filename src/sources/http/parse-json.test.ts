import { describe, expect, it } from 'vitest';
import { parseJsonPath, readJsonPath } from './json-path.ts';
import { exactJson } from '../exact-number.ts';
import { parseJson } from './parse-json.ts';

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
    expect(JSON.parse(exactJson(parseJson(text)))).toEqual(JSON.parse(text));
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

  it('refuses numbers that nothing here can hold', () => {
    for (const number of ['1e999', '-1e309', '1e-1001', `0.${'1'.repeat(1_000)}`])
      expect(() => parseJson(`[${number}]`)).toThrow('too large');
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
