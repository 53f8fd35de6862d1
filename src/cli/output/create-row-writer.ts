import { CsvWriter } from './csv-writer.ts';
import { JsonWriter } from './json-writer.ts';
import { LineWriter } from './line-writer.ts';
import type { Output, RowWriter } from './row-writer.ts';
import { TableWriter } from './table-writer.ts';

export function createRowWriter(output: Output, options: { readonly toTerminal: boolean }): RowWriter {
  switch (output) {
    case 'table':
      return new TableWriter();
    case 'csv':
      return new CsvWriter(options.toTerminal);
    case 'json':
      return new JsonWriter('array');
    case 'jsonl':
      return new JsonWriter('lines');
    case 'line':
      return new LineWriter();
  }
}
