import type { Column } from '../catalog/table.ts';
import type { SourceRecord } from '../sources/source.ts';
import type { StoredColumn } from './hydrator.ts';
import { ReadableRows } from './readable-rows.ts';
import { compileRow, type RowMapper } from './row.ts';
import type { RowWriterOptions } from './row-writer.ts';
import { Stages } from './stages.ts';

/** Of a page of up to 10,000 events no more stand as rows in memory at once, and a cancel is heard in between. */
const ROWS_AT_ONCE = 500;

export interface IncomingOptions extends Omit<RowWriterOptions, 'columns'> {
  /** The table's name, for messages. */
  readonly name: string;
  readonly columns: readonly StoredColumn[];
  readonly mapped: readonly Column[];
  /** Values are the text of the client's session. */
  readonly ofSession: boolean;
  readonly partial: boolean;
}

/** Rows on their way from records to where they are stored, cut by columns that are fixed from the first of them on. */
export class IncomingRows {
  readonly columns: readonly StoredColumn[];
  readonly stages: Stages;
  readonly mapper: RowMapper;
  readonly #readable: ReadableRows;

  constructor({ name, columns, mapped, ofSession, partial, ...options }: IncomingOptions) {
    this.columns = columns;
    this.stages = new Stages({
      ...options,
      columns: ofSession ? columns.map((column) => ({ name: column.name, type: 'text' })) : columns,
    });
    this.mapper = compileRow(name, mapped);
    this.#readable = new ReadableRows(name, this.mapper, partial);
  }

  /** Undefined: no record was left out. */
  get warning(): string | undefined {
    return this.#readable.warning;
  }

  /** Resolves when more may come. */
  async add(records: readonly SourceRecord[]): Promise<void> {
    for (let from = 0; from < records.length; from += ROWS_AT_ONCE) {
      await this.stages.add(this.#readable.of(records.slice(from, from + ROWS_AT_ONCE)));
    }
  }
}
