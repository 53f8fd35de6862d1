import { abortable } from '../kernel/abort.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { CopiedRows } from '../sources/source.ts';
import { copiedRows } from './copied-rows.ts';
import type { Row, StoredColumn } from './hydrator.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { RelationCopy } from './relation-copy.ts';
import type { Relations } from './relations.ts';

/**
 * Up to here rows are bound as parameters: no DDL, estimated exactly. Beyond it COPY is faster, and one Bind message of
 * megabytes would stand in three processes' memory at once. Where the line lies best is for `bench/` to say.
 */
export const VALUES_LIMIT = { rows: 1_000, characters: 512 * 1024 };

export interface RowWriterOptions {
  readonly relations: Relations;
  /** Bounds how many connections of the pool COPY may hold at once. */
  readonly limiter: RateLimiter;
  readonly copies: number;
  readonly columns: readonly StoredColumn[];
  readonly role: string;
  readonly relationOnly: boolean;
  readonly signal: AbortSignal;
}

export type WrittenRows =
  { readonly kind: 'values'; readonly rows: readonly Row[] } | { readonly kind: 'relation'; readonly name: string };

/** Takes the rows of one reference: kept while they are few, streamed into a relation from then on. */
export class RowWriter {
  readonly #options: RowWriterOptions;
  #kept: Row[] = [];
  #characters = 0;
  #rows = 0;
  #copy: RelationCopy | undefined;
  #releaseSlot: (() => void) | undefined;

  constructor(options: RowWriterOptions) {
    this.#options = options;
  }

  get rows(): number {
    return this.#rows;
  }

  /** What there is, while it is kept; undefined once it is on its way into a relation. */
  get kept(): readonly Row[] | undefined {
    return this.#copy === undefined && !this.#options.relationOnly ? this.#kept : undefined;
  }

  /** Resolves when more may come: the engine's pace is the source's pace. */
  async add(rows: readonly Row[]): Promise<void> {
    this.#rows += rows.length;
    if (this.#copy === undefined) {
      for (const row of rows) {
        this.#kept.push(row);
        for (const value of row) this.#characters += value === null ? 4 : value.length;
      }
      const few = this.#kept.length <= VALUES_LIMIT.rows && this.#characters <= VALUES_LIMIT.characters;
      if (few && !this.#options.relationOnly) return;
      await this.#spill();
    } else {
      await this.#write(this.#copy, rows);
    }
  }

  /** The same, of rows that are written for COPY already. */
  async addCopied(copied: CopiedRows): Promise<void> {
    // As few as they may be bound as parameters, they are texts.
    const few = copied.rows <= VALUES_LIMIT.rows && !this.#options.relationOnly;
    if (this.#copy === undefined && few) return this.add(copiedRows(copied, this.#options.columns.length));
    const copy = this.#copy ?? (await this.#spill());
    this.#rows += copied.rows;
    await this.#writing(copy.writeCopied(copied));
  }

  async finish(): Promise<WrittenRows> {
    if (this.#copy === undefined && this.#options.relationOnly) await this.#spill();
    const copy = this.#copy;
    if (copy === undefined) return { kind: 'values', rows: this.#kept };
    try {
      // Not given up half-way: nobody could tell whether the relation exists. An abort waits for a COMMIT at most.
      await copy.commit();
    } catch (error) {
      throw storeFailure(error);
    }
    this.#copy = undefined;
    this.#releaseSlot?.();
    return { kind: 'relation', name: copy.name };
  }

  /** Gives up; nothing of it stays. Harmless after `finish` has succeeded. */
  discard(): void {
    this.#kept = [];
    if (this.#copy !== undefined) {
      undo(this.#options.relations, this.#copy);
      this.#copy = undefined;
    }
    this.#releaseSlot?.();
  }

  async #spill(): Promise<RelationCopy> {
    const { relations, limiter, copies, columns, role, signal } = this.#options;
    this.#releaseSlot = await limiter.acquire({ key: 'engine:copy', concurrency: copies }, signal);
    const creating = relations.create(columns, role);
    try {
      this.#copy = await abortable(creating, signal);
    } catch (error) {
      creating.then(
        (late) => undo(relations, late),
        () => undefined,
      );
      throw signal.aborted ? error : storeFailure(error);
    }
    const kept = this.#kept;
    this.#kept = [];
    const copy = this.#copy;
    await this.#write(copy, kept);
    return copy;
  }

  #write(copy: RelationCopy, rows: readonly Row[]): Promise<void> {
    return this.#writing(copy.write(rows));
  }

  async #writing(taken: Promise<void>): Promise<void> {
    try {
      await abortable(taken, this.#options.signal);
    } catch (error) {
      throw this.#options.signal.aborted ? error : storeFailure(error);
    }
  }
}

function undo(relations: Relations, copy: RelationCopy): void {
  copy.rollback();
  relations.forget(copy.name);
}

/** Class 22: a value that PostgreSQL refuses; 54: nested too deep for it. All else is the engine's trouble. */
function storeFailure(error: unknown): TrailhoundError {
  if (error instanceof TrailhoundError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const sqlstate = typeof code === 'string' ? code : '';
  if (sqlstate.startsWith('22') || sqlstate.startsWith('54')) {
    return new TrailhoundError('unreadable_record', 'PostgreSQL refuses a value that the source sent', {
      detail: `It says ${sqlstate}: ${String(message)}.`,
      hint: 'Leave the column out of the statement, or narrow the statement so that it does not read this record.',
      cause: error,
    });
  }
  return new TrailhoundError('internal', `rows could not be stored in the engine: ${String(message)}`, {
    cause: error,
  });
}
