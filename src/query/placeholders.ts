import type { FetchStatistics, HydratedRows } from '../hydrate/hydrator.ts';
import { placeholder, type Reference } from '../planner/statement.ts';
import type { Aggregation } from '../sources/source.ts';
import { parseKept } from '../sql/parse.ts';
import { quoteIdent, replaceBytes, Slices, type Replacement } from '../sql/substitute.ts';
import { bare, walk } from '../sql/walk.ts';
import type { Guard } from './guard.ts';
import { referenceSql, storedSql } from './hydrated-sql.ts';
import type { ParameterList } from './parameters.ts';
import type { Evaluated } from './recursion.ts';
import { together, type ServedRows } from './served-rows.ts';

/** What stands for a reference. */
export interface Filled {
  readonly rows: HydratedRows | 'empty';
  readonly guard: Guard | undefined;
  /** Of a look-up. */
  readonly keys?: readonly string[];
  /** The rows are groups. */
  readonly aggregation?: Aggregation | undefined;
}

/** What a plan's placeholders stand for so far: rows of references and of levels. */
export class Placeholders {
  readonly #given: ReadonlyMap<Reference, ServedRows>;
  readonly #filled = new Map<string, Filled & { readonly reference: Reference }>();
  readonly #evaluated = new Map<string, Evaluated>();
  readonly #statistics = new Map<Reference, FetchStatistics>();

  /** @param given rows that were hydrated for the statement that scans */
  constructor(given: ReadonlyMap<Reference, ServedRows>) {
    this.#given = given;
  }

  of(reference: Reference): Filled | undefined {
    return this.#filled.get(placeholder('reference', reference.id));
  }

  /** From now on the reference stands for these rows; those before are released. */
  async fill(reference: Reference, filled: Filled): Promise<void> {
    const before = this.of(reference);
    this.#filled.set(placeholder('reference', reference.id), { ...filled, reference });
    if (filled.rows !== 'empty')
      this.#statistics.set(reference, sum(this.#statistics.get(reference), filled.rows.statistics));
    if (before !== undefined) await Promise.all(rowsOf(before).map((rows) => rows.release()));
  }

  /** The rows that a reference has stand only if these hold. */
  guardBy(reference: Reference, guard: Guard): void {
    const filled = this.of(reference);
    if (filled === undefined) throw new Error('a reference that is guarded was not filled');
    this.#filled.set(placeholder('reference', reference.id), { ...filled, guard, reference });
  }

  /** From now on a level stands for these rows; those before, where they are no part of them, are released. */
  async put(name: string, evaluated: Evaluated): Promise<void> {
    const before = this.#evaluated.get(name)?.parts ?? [];
    this.#evaluated.set(name, evaluated);
    await Promise.all(before.filter((part) => !evaluated.parts.includes(part)).map((part) => part.release()));
  }

  /** What each reference has cost so far; undefined for one that was not fetched. */
  statisticsOf(reference: Reference): FetchStatistics | undefined {
    return this.#statistics.get(reference);
  }

  /** Its rows will be fetched again, and with them all that were counted. */
  forgetRows(reference: Reference): void {
    const statistics = this.#statistics.get(reference);
    if (statistics !== undefined) this.#statistics.set(reference, { ...statistics, rows: 0 });
  }

  /** A planned query with its placeholders replaced by what they stand for. */
  substituted(text: string, parameters: ParameterList): string {
    const slices = new Slices(text);
    const replacements: Replacement[] = [];
    walk(parseKept(text), (node, kind) => {
      const rangeVar = kind === 'RangeVar' ? bare(node, 'RangeVar') : undefined;
      const name = rangeVar?.relname ?? '';
      const evaluated = this.levelSql(name, parameters);
      const own = evaluated === undefined ? this.referenceSql(name, parameters) : `(${evaluated})`;
      if (rangeVar === undefined || own === undefined) return undefined;
      const alias = rangeVar.alias === undefined ? quoteIdent(name) : undefined;
      replacements.push(slices.reference(rangeVar.location ?? 0, 1, own, alias));
      return undefined;
    });
    return replaceBytes(text, replacements);
  }

  /** The same for what stands around a subquery: before it there is none. */
  substitutedAround([before, after]: readonly [string, string], parameters: ParameterList): readonly [string, string] {
    const inside = `${before}select`;
    return [before, this.substituted(`${inside}${after}`, parameters).slice(inside.length)];
  }

  /** Undefined: the name is no placeholder of a reference that was filled. */
  referenceSql(name: string, parameters: ParameterList): string | undefined {
    for (const [{ id, view }, served] of this.#given) {
      if (placeholder('reference', id) !== name) continue;
      return referenceSql(view, together(served, view.table, parameters), parameters);
    }
    const filled = this.#filled.get(name);
    return filled === undefined
      ? undefined
      : referenceSql(filled.reference.view, filled.rows, parameters, filled.guard?.sql, filled.aggregation);
  }

  /** Undefined: the name is no placeholder of a level that was computed. */
  levelSql(name: string, parameters: ParameterList): string | undefined {
    const evaluated = this.#evaluated.get(name);
    if (evaluated === undefined) return undefined;
    const columns = evaluated.names.map((own, index) => `_.c${String(index + 1)} as ${quoteIdent(own)}`);
    const rows = evaluated.parts.map((part) => storedSql(part, parameters));
    return `select ${columns.join(', ')} from (${rows.join(' union all ')}) as _`;
  }

  async release(): Promise<void> {
    const filled = [...this.#filled.values()].flatMap(rowsOf);
    const evaluated = [...this.#evaluated.values()].flatMap(({ parts }) => parts);
    await Promise.all([...filled, ...evaluated].map((rows) => rows.release()));
  }
}

function rowsOf({ rows, guard }: Filled): readonly HydratedRows[] {
  return [...(rows === 'empty' ? [] : [rows]), ...(guard?.known ?? [])];
}

/** A reference in a recursion is fetched once a level. */
function sum(one: FetchStatistics | undefined, two: FetchStatistics): FetchStatistics {
  if (one === undefined) return two;
  return {
    calls: one.calls + two.calls,
    pages: one.pages + two.pages,
    rows: one.rows + two.rows,
    bytes: one.bytes + two.bytes,
    cacheHits: one.cacheHits + two.cacheHits,
    waitMs: one.waitMs + two.waitMs,
  };
}
