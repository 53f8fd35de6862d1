import type { ResultField, ResultRow } from '../../hunts/text-query.ts';

export const OUTPUTS = ['table', 'csv', 'json', 'jsonl', 'line'] as const;
export type Output = (typeof OUTPUTS)[number];

/** Turns one result into text. Each call returns what can be written now, so that nobody holds all rows. */
export interface RowWriter {
  begin(fields: readonly ResultField[]): string;
  rows(rows: readonly ResultRow[]): string;
  end(): string;
}
