import { describe, expect, test } from 'vitest';
import { parseStatements } from '../../src/sql/parse.ts';
import { declaredTables } from './declared-tables.ts';
import { columnLine, tablePages } from './pages.ts';

const declared = declaredTables();
const pages = tablePages();

test('every declared table has a page, and every page a table', () => {
  expect(pages.map(({ table }) => table).sort()).toEqual([...declared.keys()].sort());
  expect(declared.size).toBeGreaterThan(0);
});

describe.each(pages)('$path', ({ table, columns, examples }) => {
  test('shows the columns as schema/*.sql declares them', () => {
    expect(columns).toEqual(declared.get(table)?.map(columnLine));
  });

  test('has five examples with titles of their own, each one statement that names the table', () => {
    expect(new Set(examples.map(({ title }) => title)).size).toBeGreaterThanOrEqual(5);
    for (const { sql } of examples) {
      expect(parseStatements(sql)).toHaveLength(1);
      expect(sql).toContain(table);
    }
  });
});
