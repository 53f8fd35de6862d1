import type { ResultField, ResultRow } from '../../hunts/text-query.ts';
import { displayWidth } from './display-width.ts';
import { isNumeric } from './numeric-type.ts';
import { printable } from './printable.ts';
import type { RowWriter } from './row-writer.ts';

/** Columns are as wide as these rows need; what a later row has more of sticks out. */
const MEASURED_ROWS = 10_000;

/** As psql draws it: numbers to the right, NULL empty, `(3 rows)` below. */
export class TableWriter implements RowWriter {
  #fields: readonly ResultField[] = [];
  #widths: number[] | undefined;
  #waiting: string[][] = [];
  #count = 0;

  begin(fields: readonly ResultField[]): string {
    this.#fields = fields;
    return '';
  }

  rows(rows: readonly ResultRow[]): string {
    this.#count += rows.length;
    const cells = rows.map((row) => row.map((value) => (value === null ? '' : printable(value))));
    if (this.#widths !== undefined) return cells.map((row) => this.#line(row)).join('');
    this.#waiting = this.#waiting.concat(cells);
    return this.#waiting.length < MEASURED_ROWS ? '' : this.#flush();
  }

  end(): string {
    const head = this.#widths === undefined ? this.#flush() : '';
    return `${head}(${this.#count} ${this.#count === 1 ? 'row' : 'rows'})\n`;
  }

  #flush(): string {
    const names = this.#fields.map((field) => printable(field.name));
    const widths = names.map(displayWidth);
    for (const row of this.#waiting) {
      for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, displayWidth(cell));
    }
    this.#widths = widths;
    const head = names.map((name, index) => centred(name, widths[index] ?? 0));
    const rule = widths.map((width) => '-'.repeat(width + 2)).join('+');
    const text = `${` ${head.join(' | ')}`.trimEnd()}\n${rule}\n${this.#waiting.map((row) => this.#line(row)).join('')}`;
    this.#waiting = [];
    return text;
  }

  #line(cells: readonly string[]): string {
    const padded = cells.map((cell, index) => {
      const padding = ' '.repeat(Math.max(0, (this.#widths?.[index] ?? 0) - displayWidth(cell)));
      return isNumeric(this.#fields[index]?.typeOid) ? padding + cell : cell + padding;
    });
    return `${` ${padded.join(' | ')}`.trimEnd()}\n`;
  }
}

function centred(text: string, width: number): string {
  const left = Math.floor((width - displayWidth(text)) / 2);
  return ' '.repeat(left) + text + ' '.repeat(width - displayWidth(text) - left);
}
