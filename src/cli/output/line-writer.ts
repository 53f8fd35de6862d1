import type { ResultField, ResultRow } from '../../hunts/text-query.ts';
import { displayWidth } from './display-width.ts';
import { printable } from './printable.ts';
import type { RowWriter } from './row-writer.ts';

/** One value a line, for wide rows: as psql's expanded display. */
export class LineWriter implements RowWriter {
  #names: readonly string[] = [];
  #count = 0;

  begin(fields: readonly ResultField[]): string {
    const names = fields.map((field) => printable(field.name));
    const width = Math.max(0, ...names.map(displayWidth));
    this.#names = names.map((name) => name + ' '.repeat(width - displayWidth(name)));
    return '';
  }

  rows(rows: readonly ResultRow[]): string {
    return rows
      .map((row) => {
        this.#count += 1;
        const lines = row.map(
          (value, index) => `${this.#names[index] ?? ''} | ${value === null ? '' : printable(value)}`,
        );
        return `-[ RECORD ${this.#count} ]${'-'.repeat(20)}\n${lines.map((line) => `${line.trimEnd()}\n`).join('')}`;
      })
      .join('');
  }

  end(): string {
    return this.#count === 0 ? '(0 rows)\n' : '';
  }
}
