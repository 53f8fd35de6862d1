import type { CopiedRows } from '../sources/source.ts';
import { quoteIdent } from '../sql/substitute.ts';
import type { Row, StoredColumn } from './hydrator.ts';
import { RowWriter, type RowWriterOptions, type WrittenRows } from './row-writer.ts';

/** The rows of one reference, of which those that came so far can be read while others are still to come. */
export class Stages {
  readonly #options: RowWriterOptions;
  #writer: RowWriter;
  #relations: readonly string[] = [];
  #before = 0;

  constructor(options: RowWriterOptions) {
    this.#options = options;
    this.#writer = new RowWriter(options);
  }

  get rows(): number {
    return this.#before + this.#writer.rows;
  }

  add(rows: readonly Row[]): Promise<void> {
    return this.#writer.add(rows);
  }

  addCopied(copied: CopiedRows): Promise<void> {
    return this.#writer.addCopied(copied);
  }

  /** Those so far: what comes later is not among them. */
  async soFar(): Promise<WrittenRows> {
    const { kept } = this.#writer;
    if (kept !== undefined) return { kind: 'values', rows: [...kept] };
    await this.#close();
    return this.#all();
  }

  async finish(): Promise<WrittenRows> {
    if (this.#relations.length === 0) return this.#asParts(await this.#writer.finish());
    await this.#close();
    return this.#all();
  }

  /** Gives up; nothing of it stays. */
  discard(): void {
    this.#writer.discard();
    void this.release();
  }

  async release(): Promise<void> {
    await Promise.all(this.#relations.map((name) => this.#options.relations.release(name)));
  }

  /** A relation is written once: what follows goes into another. */
  async #close(): Promise<void> {
    if (this.#relations.length > 0 && this.#writer.rows === 0) return;
    this.#asParts(await this.#writer.finish());
    this.#before += this.#writer.rows;
    this.#writer = new RowWriter({ ...this.#options, relationOnly: true });
  }

  #asParts(written: WrittenRows): WrittenRows {
    if (written.kind === 'relation') this.#relations = [...this.#relations, written.name];
    return written;
  }

  #all(): WrittenRows {
    const [only, ...more] = this.#relations;
    if (only !== undefined && more.length === 0) return { kind: 'relation', name: only };
    return { kind: 'relation', name: `(${this.#relations.map((name) => this.#selectFrom(name)).join(' union all ')})` };
  }

  #selectFrom(relation: string): string {
    return `select ${this.#options.columns.map(({ name }: StoredColumn) => quoteIdent(name)).join(', ')} from ${relation}`;
  }
}
