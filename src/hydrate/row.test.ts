import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Column } from '../catalog/table.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { compileRow } from './row.ts';

function column(type: string, path: string): Column {
  return { name: 'c', attnum: 1, type, typeOid: 0, notNull: false, path, operators: [], comment: '' };
}

function convert(type: string, value: unknown, path = 'v'): string | null | undefined {
  const record = { value: { v: value }, added: {}, origin: () => 'log group g, event e' };
  return compileRow('t', [column(type, path)]).toRow(record)[0];
}

test('paths lead into the value, into what the source added, and to the record itself', () => {
  const columns = ['a', 'a.b', 'a.b.c', 'a.b.c.d.0', 'x.y', 'a.b.c.missing.e', '@region', '@record'].map((path) =>
    column('text', path),
  );
  const value = { a: { b: { c: { d: ['deep'] } } }, x: 'scalar' };
  const record = { value, added: { region: 'eu-west-1' }, text: '{"raw": 1}', origin: () => '' };
  expect(compileRow('t', columns).toRow(record)).toEqual([
    '{"b":{"c":{"d":["deep"]}}}',
    '{"c":{"d":["deep"]}}',
    '{"d":["deep"]}',
    'deep',
    null,
    null,
    'eu-west-1',
    '{"raw": 1}',
  ]);
});

test('a record without its own text is written anew', () => {
  const mapper = compileRow('t', [column('jsonb', '@record')]);
  expect(mapper.toRow({ value: { a: 1 }, added: {}, origin: () => '' })).toEqual(['{"a":1}']);
  expect(mapper.toRow({ value: { a: 1 }, added: {}, text: '{"a": 1.0}', origin: () => '' })).toEqual(['{"a": 1.0}']);
});

test.each<[string, unknown, string | null]>([
  ['text', null, null],
  ['text', undefined, null],
  ['text', '', ''],
  ['text', 12.5, '12.5'],
  ['text', false, 'false'],
  ['text', { a: [1] }, '{"a":[1]}'],
  ['boolean', true, 'true'],
  ['boolean', 'false', 'false'],
  ['boolean', '', null],
  ['integer', 90, '90'],
  ['integer', '90', '90'],
  ['integer', -0, '0'],
  ['bigint', 1763761234567, '1763761234567'],
  ['bigint', 2 ** 62, '4611686018427387904'],
  ['bigint', '9223372036854775807', '9223372036854775807'],
  ['double precision', 7.9, '7.9'],
  ['double precision', '1e-400', '0'],
  ['numeric', '12345678901234567890.5', '12345678901234567890.5'],
  ['timestamp with time zone', '2026-11-21T10:20:30Z', '2026-11-21T10:20:30Z'],
  ['timestamp with time zone', '2026-11-21 10:20:30.123', '2026-11-21 10:20:30.123Z'],
  ['timestamp with time zone', '2026-11-21T10:20:30.5+02:00', '2026-11-21T10:20:30.5+02:00'],
  ['timestamp with time zone', '2026-11-21', '2026-11-21T00:00:00Z'],
  ['timestamp with time zone', 1763761234567, '2025-11-21T21:40:34.567Z'],
  ['timestamp with time zone', 1763761234567.25, '2025-11-21T21:40:34.567250Z'],
  ['timestamp with time zone', 0, '1970-01-01T00:00:00.000Z'],
  ['timestamp with time zone', new Date(1), '1970-01-01T00:00:00.001Z'],
  ['jsonb', { a: null }, '{"a":null}'],
  ['jsonb', '{"a":1}', '"{\\"a\\":1}"'],
  ['jsonb', 3, '3'],
  ['inet', '035.249.253.232', '035.249.253.232'],
  ['inet', '2001:db8::1', '2001:db8::1'],
  ['inet', '10.0.0.0/8', '10.0.0.0/8'],
  ['inet', '', null],
  ['text[]', [], '{}'],
  ['text[]', ['NULL', 'a"b\\', '', 'x,y', null], '{"NULL","a\\"b\\\\","","x,y"}'],
  ['integer[]', [18, '22'], '{"18","22"}'],
  ['inet[]', ['192.0.2.1', '::1'], '{"192.0.2.1","::1"}'],
  ['cidr', '192.0.2.0/24', '192.0.2.0/24'],
])('%s of %j is %j', (type, value, expected) => {
  expect(convert(type, value)).toBe(expected);
});

test.each<[string, unknown]>([
  ['boolean', 'maybe'],
  ['boolean', 1],
  ['integer', 1.5],
  ['integer', 2 ** 31],
  ['integer', 'ninety'],
  ['bigint', 2 ** 63],
  ['bigint', '9223372036854775808'],
  ['double precision', 'NaN-ish'],
  ['double precision', '1e999'],
  ['double precision', {}],
  ['timestamp with time zone', 'yesterday'],
  ['timestamp with time zone', '2026-02-29T00:00:00Z'],
  ['timestamp with time zone', '2026-13-01'],
  ['timestamp with time zone', 1e300],
  ['timestamp with time zone', true],
  ['inet', 'cloudformation.amazonaws.com'],
  ['inet', '1.2.3'],
  ['inet', '1.2.3.256'],
  ['inet', 'fe80::1%eth0'],
  ['inet', 16909060],
  ['text[]', 'no array'],
  ['inet[]', ['AWS Internal']],
])('%s cannot hold %j: the error names column, kind and record, not the value', (type, value) => {
  let failure: unknown;
  try {
    convert(type, value);
  } catch (error) {
    failure = error;
  }
  expect(failure).toBeInstanceOf(TrailhoundError);
  expect(failure).toMatchObject({
    code: 'unreadable_record',
    sqlstate: 'HV000',
    detail: 'The record is log group g, event e.',
    message: expect.stringMatching(/^column c of t cannot hold (an?|this) \w+ as /) as string,
  });
  if (typeof value === 'string') expect((failure as TrailhoundError).message).not.toContain(value);
});

test('U+0000 and lone surrogates become U+FFFD and are counted, in text, in arrays, in JSON and in a record’s own text', () => {
  const types = ['text', 'jsonb', 'text[]', 'text'];
  const mapper = compileRow('t', [
    ...types.map((type, index) => column(type, `v${index}`)),
    column('jsonb', '@record'),
  ]);
  const record = {
    value: { v0: 'a\0b', v1: { 'k\0': '\ud800x' }, v2: ['\udc00'], v3: { nested: '\0' } },
    added: {},
    text: '{"k":"\\u0000","pair":"\\ud83d\\ude00","lone":"\\uD83D","literal":"\\\\u0000"}',
    origin: () => '',
  };
  expect(mapper.toRow(record)).toEqual([
    'a\ufffdb',
    '{"k\\ufffd":"\\ufffdx"}',
    '{"\ufffd"}',
    '{"nested":"\\ufffd"}',
    '{"k":"\\ufffd","pair":"\\ud83d\\ude00","lone":"\\ufffd","literal":"\\\\u0000"}',
  ]);
  expect(mapper.replaced).toBe(7);
});

const hostile = fc.constantFrom('a', '\0', '\ud83d', '\ude00', '\\', '"', 'u0000', '\\ud800', 'é', '\u001f');

test('JSON of any strings means the same afterwards but for what PostgreSQL cannot store', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: hostile })), (strings) => {
      const wellFormed = (text: string) => Buffer.from(text).toString().replaceAll('\0', '\ufffd');
      const json = convert('jsonb', strings);
      expect(JSON.parse(json as string)).toEqual(strings.map(wellFormed));
      expect(JSON.parse(convert('jsonb', { '\\u0000': '\\\\ud800' }) as string)).toEqual({ '\\u0000': '\\\\ud800' });
    }),
  );
});

test.each([2_001, 200_000])('JSON of %i levels is an unreadable record that is named, not a crash', (levels) => {
  let deep: unknown = [];
  for (let depth = 1; depth < levels; depth += 1) deep = [deep];
  const message = 'column c of t cannot hold JSON of more than 2000 levels';
  for (const type of ['jsonb', 'json', 'jsonb[]'])
    expect(() => convert(type, type === 'jsonb[]' ? [deep] : deep)).toThrow(message);
  const record = compileRow('t', [column('jsonb', '@record')]);
  const origin = () => 'record 2 of a.json, line 3';
  for (const text of [undefined, '['.repeat(levels) + ']'.repeat(levels)])
    expect(() => record.toRow({ value: deep, text, added: {}, origin })).toThrow(
      expect.objectContaining({
        message,
        code: 'unreadable_record',
        detail: 'The record is record 2 of a.json, line 3.',
      }),
    );
});

test('JSON of as many levels as are allowed is stored', () => {
  let deep: unknown = [];
  for (let depth = 1; depth < 2_000; depth += 1) deep = { a: deep };
  expect(convert('jsonb', deep)).toBe(JSON.stringify(deep));
});
