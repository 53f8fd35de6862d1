import type { HydratedRows, Row, StoredColumn } from '../hydrate/hydrator.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { placeholder } from '../planner/statement.ts';
import type { RecursionStep, Step } from '../planner/steps.ts';
import type { InjectedResult } from './backend.ts';

/** Rows of a level that stand for it, in parts. */
export interface Evaluated {
  readonly parts: readonly HydratedRows[];
  /** The names of the level's columns; the rows' own are `c1`, `c2`, …, because names may repeat. */
  readonly names: readonly string[];
}

/** What a recursion needs of the execution of its plan. */
export interface RecursionHost {
  readonly signal: AbortSignal;
  run(text: string, maxRows: number): Promise<InjectedResult>;
  /** Fills what the next level reads. */
  perform(steps: readonly Step[]): Promise<void>;
  columnsOf(result: InjectedResult, text: string): Promise<readonly StoredColumn[]>;
  store(columns: readonly StoredColumn[], rows: readonly Row[]): Promise<HydratedRows>;
  /** From now on the placeholder stands for these rows; those before, where they are no part of them, are released. */
  put(name: string, evaluated: Evaluated): Promise<void>;
}

/** Beyond it nobody waits for the end, and each level may cost calls. */
const MAX_LEVELS = 1_000;
/** As many as any other level may have that is computed before the statement. */
const MAX_ROWS = 250_000;

/**
 * Computes a recursive CTE as PostgreSQL does: the non-recursive term once, then the recursive term over the rows of the
 * level before, until one adds no row. Yields after each level, whether it was the last one; what is read between is all
 * rows so far.
 */
export async function* recurse(step: RecursionStep, host: RecursionHost): AsyncGenerator<'more' | 'last'> {
  const base = await host.run(step.base, MAX_ROWS);
  const columns = await host.columnsOf(base, step.base);
  const names = base.fields.map(({ name }, index) => step.columns[index] ?? name);
  const all = new GrowingRows((rows) => host.store(columns, rows));
  let result = base;
  for (let level = 0; ; level += 1) {
    if (!result.complete || all.size + result.rows.length > MAX_ROWS) throw tooManyRows(step.name);
    await all.add(result.rows);
    await host.put(placeholder('level', step.id), { parts: all.parts, names });
    if (result.rows.length === 0) break;
    if (level === MAX_LEVELS) throw tooDeep(step.name, all.size);
    yield 'more';
    host.signal.throwIfAborted();
    await host.put(placeholder('level', step.working), { parts: [await host.store(columns, result.rows)], names });
    await host.perform(step.steps);
    result = await host.run(step.term, MAX_ROWS);
  }
  if (step.node === undefined) {
    // The keys of all levels together, each of which has been asked for.
    await host.put(placeholder('level', step.working), { parts: all.parts, names });
    await host.perform(step.steps);
  }
  yield 'last';
}

/** Rows in parts, each at least twice as large as the next one: none is stored anew at every level. */
class GrowingRows {
  size = 0;
  readonly #store: (rows: readonly Row[]) => Promise<HydratedRows>;
  #parts: readonly { readonly rows: readonly Row[]; readonly stored: HydratedRows }[] = [];

  constructor(store: (rows: readonly Row[]) => Promise<HydratedRows>) {
    this.#store = store;
  }

  get parts(): readonly HydratedRows[] {
    return this.#parts.map(({ stored }) => stored);
  }

  async add(rows: readonly Row[]): Promise<void> {
    this.size += rows.length;
    let kept = this.#parts;
    let merged = rows;
    for (let last = kept.at(-1); last !== undefined && last.rows.length < 2 * merged.length; last = kept.at(-1)) {
      merged = [...last.rows, ...merged];
      kept = kept.slice(0, -1);
    }
    if (rows.length > 0 || kept.length === 0) kept = [...kept, { rows: merged, stored: await this.#store(merged) }];
    this.#parts = kept;
  }
}

function tooDeep(name: string, rows: number): TrailhoundError {
  return new TrailhoundError('too_complex', `recursion of ${name} did not end after ${String(MAX_LEVELS)} levels`, {
    detail: `It has given ${String(rows)} rows so far, and each level may look up other values.`,
    hint: `Bound it: count the levels in a column and let the recursive term read only rows below a number of them, or write UNION in place of UNION ALL where it goes in circles.`,
  });
}

function tooManyRows(name: string): TrailhoundError {
  return new TrailhoundError('too_complex', `recursion of ${name} gives more than ${String(MAX_ROWS)} rows`, {
    detail:
      'Its rows are kept until the statement runs, because what is looked up at a level depends on the one before.',
    hint: 'Narrow its recursive term by a condition, or count its levels in a column and bound that.',
  });
}
