import { TrailhoundError } from '../kernel/errors.ts';
import type { SourceRecord } from '../sources/source.ts';
import type { Row } from './hydrator.ts';
import type { RowMapper } from './row.ts';

/** Rows of records; with trailhound.partial, what cannot be read is left out and counted. */
export class ReadableRows {
  readonly #table: string;
  readonly #mapper: RowMapper;
  readonly #partial: boolean;
  #leftOut = 0;
  #first: TrailhoundError | undefined;

  constructor(table: string, mapper: RowMapper, partial: boolean) {
    this.#table = table;
    this.#mapper = mapper;
    this.#partial = partial;
  }

  /** Throws as the mapper does, unless records may be left out. */
  of(records: readonly SourceRecord[]): readonly Row[] {
    return this.#partial ? records.flatMap((record) => this.#orNone(record)) : records.map(this.#mapper.toRow);
  }

  /** Undefined: none was left out. */
  get warning(): string | undefined {
    if (this.#first === undefined) return undefined;
    const { message, detail = '' } = this.#first;
    return `${this.#leftOut} records of ${this.#table} could not be read and were left out: ${message}. ${detail}`.trimEnd();
  }

  #orNone(record: SourceRecord): readonly Row[] {
    try {
      return [this.#mapper.toRow(record)];
    } catch (error) {
      if (!(error instanceof TrailhoundError) || error.code !== 'unreadable_record') throw error;
      this.#leftOut += 1;
      this.#first ??= error;
      return [];
    }
  }
}
