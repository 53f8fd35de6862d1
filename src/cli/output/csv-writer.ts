import type { ResultField, ResultRow } from '../../hunts/text-query.ts';
import { printable } from './printable.ts';
import type { RowWriter } from './row-writer.ts';

/** RFC 4180 with PostgreSQL's distinction: NULL is empty, an empty text is `""`. */
export class CsvWriter implements RowWriter {
  readonly #toTerminal: boolean;

  /** A file gets the values as they are; a terminal would obey what they hold. */
  constructor(toTerminal: boolean) {
    this.#toTerminal = toTerminal;
  }

  begin(fields: readonly ResultField[]): string {
    return this.rows([fields.map((field) => field.name)]);
  }

  rows(rows: readonly ResultRow[]): string {
    return rows.map((row) => `${row.map((value) => this.#cell(value)).join(',')}\n`).join('');
  }

  end(): string {
    return '';
  }

  #cell(value: string | null): string {
    if (value === null) return '';
    const text = this.#toTerminal ? printable(value) : value;
    return text === '' || /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }
}
