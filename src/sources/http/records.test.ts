import { expect, test } from 'vitest';
import type { SourceRecord } from '../source.ts';
import type { LookupDefinition } from './definition.ts';
import { recordReader } from './records.ts';

const KEY = { name: 'k', type: 'text', key: true };
const VALUE = { name: 'v', type: 'text', path: '$.v' };

function recordsOf(text: string, more: Partial<LookupDefinition>): readonly SourceRecord[] {
  const reader = recordReader({
    id: '1',
    name: 'made',
    urlTemplate: '',
    columns: [KEY, VALUE],
    connection: 'made',
    rowsAt: undefined,
    moreAt: undefined,
    format: 'json',
    ttlMs: undefined,
    ...more,
  });
  return reader?.(text, 'x') ?? [];
}

function read(text: string, more: Partial<LookupDefinition>): readonly unknown[] {
  return recordsOf(text, more).map(({ value }) => value);
}

test.each(['[{"v": 1}]', '[]', '"v"', '5', 'false'])('%s has no members, and is no row', (text) => {
  expect(() => read(text, {})).toThrow('is no object');
  expect(read(text, { columns: [KEY, { ...VALUE, path: '$' }] })).toHaveLength(1);
});

test('a row within a list is an object as well, or null', () => {
  expect(read('[{"v": "a"}, null]', { rowsAt: '$' })).toEqual([{ v: 'a' }, { v: null }]);
  expect(() => read('[{"v": "a"}, "b"]', { rowsAt: '$' })).toThrow('has a row that is no object');
});

test.each(['{}', '{"rows": null}', '{"error": "later"}'])('%s is no row for a key, and no list', (text) => {
  expect(read(text, { rowsAt: '$.rows' })).toEqual([]);
  expect(() => read(text, { rowsAt: '$.rows', columns: [VALUE] })).toThrow('has no list where rows_at says');
});

test('numbers are those of the answer, in each type', () => {
  const reader = (type: string, number: string) => {
    const columns = [KEY, { ...VALUE, type }];
    const [record] = recordsOf(`{"v": ${number}}`, { columns });
    return type === 'jsonb' ? (record?.added['record'] as { v: unknown }).v : (record?.value as { v: unknown }).v;
  };
  expect(['7', '7.0', '1.50', '1e3', '9007199254740993'].map((number) => reader('text', number))).toEqual([
    7,
    '7.0',
    '1.50',
    '1000',
    '9007199254740993',
  ]);
  expect(['7', '7.0', '1.50', '1e3', '9007199254740993'].map((number) => reader('bigint', number))).toEqual([
    7,
    '7',
    '1.50',
    '1000',
    '9007199254740993',
  ]);
  expect(['1.0', '1763000000', '1763000000000000001'].map((number) => reader('timestamptz', number))).toEqual([
    ' ',
    ' ',
    ' ',
  ]);
  expect(reader('text[]', '[9007199254740993, 1.0, "a", null, {"b": 1.0}]')).toEqual([
    '9007199254740993',
    '1.0',
    'a',
    null,
    '{"b":1.0}',
  ]);
  expect(reader('jsonb', '{"a": [1.0, 9007199254740993]}')).toBe('{"a":[1.0,9007199254740993]}');
  expect(reader('jsonb', 'null')).toBeNull();
});

test('an answer that says that it is not all is none', () => {
  const more = { moreAt: '$.meta.next', rowsAt: '$.rows' };
  for (const next of ['true', '"https://api.example.com/2"', '2', '2.0', '{}'])
    expect(() => read(`{"rows": [], "meta": {"next": ${next}}}`, more)).toThrow('more than it holds');
  for (const answer of [
    '{"rows": []}',
    '{"rows": [], "meta": {"next": null}}',
    '{"rows": [], "meta": {"next": false}}',
  ])
    expect(read(answer, more)).toEqual([]);
});
