import { expect, test } from 'vitest';
import type { LookupDefinition } from './definition.ts';
import { recordReader } from './records.ts';

const KEY = { name: 'k', type: 'text', key: true };
const VALUE = { name: 'v', type: 'text', path: '$.v' };

function read(text: string, more: Partial<LookupDefinition>): readonly unknown[] {
  const reader = recordReader({
    id: '1',
    name: 'made',
    urlTemplate: '',
    columns: [KEY, VALUE],
    connection: 'made',
    rowsAt: undefined,
    format: 'json',
    ttlMs: undefined,
    ...more,
  });
  return reader?.(text, 'x').map(({ value }) => value) ?? [];
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
