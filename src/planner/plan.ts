import type { SelectStmt } from '@pgsql/types';
import type { Column } from '../catalog/table.ts';
import { deparse } from '../sql/deparse.ts';
import type { Level } from '../sql/scope.ts';
import { alternativesFor, type Alternative, type Binding } from './bindings.ts';
import { decisiveInputs } from './decisive-inputs.ts';
import { dependenciesOf, isLimitedToNone } from './dependencies.ts';
import { Driving } from './driving.ts';
import { evaluateAround, evaluateSources, evaluateViewsAround } from './evaluation.ts';
import type { Haste, Reading } from './frames.ts';
import { growthOf, type Growth } from './growing.ts';
import { mayHaveConstants, withInputQueries } from './input-keys.ts';
import { keyQuery, mayBeFewer } from './key-query.ts';
import { rankOf } from './key-source.ts';
import { PaddedSubqueries, type PaddedSubquery } from './padded-subqueries.ts';
import { Planning, type Lookup } from './planning.ts';
import { isInTerm, isReadInTerm } from './recursion.ts';
import type { Restrictions } from './restrictions.ts';
import { addScans } from './scan-order.ts';
import { describeSource } from './source-text.ts';
import type { Reference, Statement } from './statement.ts';
import { lookupsIn, type Step, type Unbounded } from './steps.ts';
import { surroundingsOf } from './surroundings.ts';
import { unboundedBy } from './unbounded.ts';
import { unboundedInput } from './unbounded-input.ts';

/** What is done before the statement runs, in this order. Immutable; what EXPLAIN prints. */
export interface Plan {
  readonly steps: readonly Step[];
  /** References that no row of the result can depend on: they are empty, and nothing is called. */
  readonly dead: ReadonlySet<Reference>;
  readonly paddings: readonly PaddedSubquery[];
  /** Set where the statement may end before all is known. */
  readonly growth: Growth | undefined;
  /** What fails before any call, unless the conditions around the reference give its input column values. */
  readonly inputs: readonly Unbounded[];
}

/** The plan, or what cannot be bounded. EXPLAIN shows the one or the other. */
export type Planned = { readonly plan: Plan } | Unbounded;

/** Pure: the statement's facts in, the plan out. Renames and replaces in the statement's own tree as it goes. */
export function planStatement(
  statement: Statement,
  restrictions: ReadonlyMap<Reference, Restrictions>,
  given: ReadonlySet<Reference> = new Set(),
): Planned {
  return new Planner(statement, restrictions, given).run();
}

class Planner {
  readonly #statement: Statement;
  readonly #restrictions: ReadonlyMap<Reference, Restrictions>;
  /** Their rows are there already. */
  readonly #given: ReadonlySet<Reference>;
  readonly #planning: Planning;
  readonly #driving: Driving;
  readonly #padded: PaddedSubqueries;
  readonly #refused: Step[] = [];
  /** By reference, where the statement chooses rows by them. */
  readonly #inputs: ReadonlyMap<Reference, readonly Column[]>;

  constructor(statement: Statement, restrictions: ReadonlyMap<Reference, Restrictions>, given: ReadonlySet<Reference>) {
    this.#statement = statement;
    this.#restrictions = restrictions;
    this.#given = given;
    this.#planning = new Planning(statement);
    this.#driving = new Driving(this.#planning, (lookups) => this.#hydrate(lookups));
    this.#padded = new PaddedSubqueries(this.#planning);
    this.#inputs = new Map(statement.references.map((reference) => [reference, decisiveInputs(reference, statement)]));
  }

  run(): Planned {
    const { references } = this.#statement;
    const dead = new Set(references.filter((reference) => isDead(reference.item.level)));
    const lookups: Lookup[] = [];
    const scans: Reference[] = [];
    for (const reference of references) {
      const key = reference.view.table.columns.find((column) => column.key === 'required');
      if (dead.has(reference) || this.#given.has(reference)) this.#planning.hydrated.add(reference);
      else if (key !== undefined) lookups.push({ reference, key });
      else scans.push(reference);
    }
    addScans(scans, this.#restrictions, this.#planning);
    const failed = this.#hydrate(lookups);
    if (failed !== undefined) return this.#unbounded(failed.reference, failed.key);
    const steps = [...this.#refused, ...this.#planning.steps];
    const ofRows = lookupsIn(steps).flatMap(({ reference, inputs }) =>
      inputs.map(({ column }) => ({ reference, column })),
    );
    const inputs = references
      .filter((reference) => !dead.has(reference) && !this.#given.has(reference))
      .flatMap((reference) => (this.#inputs.get(reference) ?? []).map((column) => ({ reference, column })))
      .filter((own) => !ofRows.some((each) => each.reference === own.reference && each.column === own.column))
      .map(({ reference, column }) => unboundedInput(reference, column));
    const growth = growthOf(this.#statement, steps, (step) => this.#driving.mentionOf(step));
    return { plan: { steps, dead, paddings: this.#padded.all, growth, inputs } };
  }

  /** Adds the steps that look all of them up. @returns one that nothing bounds */
  #hydrate(lookups: readonly Lookup[]): Lookup | undefined {
    const isPending = ({ reference }: Lookup): boolean => !this.#planning.hydrated.has(reference);
    const recursions = this.#driving.recursions();
    const outside = lookups.filter(({ reference }) => !recursions.some((each) => isInTerm(reference, each)));
    for (let pending = lookups; pending.length > 0;) {
      // First, because what joins a recursion asks for fewer keys when its rows are known.
      const driven = this.#driving.driveAny(recursions, pending, isInTerm);
      if (driven !== undefined) return driven;
      for (const { reference } of outside.filter(isPending)) evaluateAround(reference.item, this.#planning);
      for (const { reference, key } of outside.filter(isPending)) this.#addLookup(reference, key, 'patient');
      if (pending.every(isPending)) this.#addOne(outside.filter(isPending), 'none');
      const stuck = pending.every(isPending) ? this.#driving.driveAny(recursions, pending, isReadInTerm) : undefined;
      if (stuck !== undefined) return stuck;
      const lacking = pending.every(isPending) ? outside.filter(isPending) : [];
      if (lacking.filter(({ reference }) => evaluateViewsAround(reference.item, this.#planning)).length > 0) continue;
      if (pending.every(isPending) && !this.#addOne(outside.filter(isPending), 'widened') && !this.#refuseOne(pending))
        return pending[0];
      pending = pending.filter(isPending);
    }
    return undefined;
  }

  /** The one of which most is said: it may leave fewer keys for the others. */
  #addOne(pending: readonly Lookup[], haste: Haste): boolean {
    const ranks = new Map(pending.map((lookup) => [lookup, this.#urgencyOf(lookup)]));
    const ordered = [...pending].sort((one, two) => (ranks.get(two) ?? 0) - (ranks.get(one) ?? 0));
    return ordered.some(({ reference, key }) => this.#addLookup(reference, key, haste));
  }

  /** Keys that are written down are few, and what they give may leave none for the others. */
  #urgencyOf({ reference, key }: Lookup): number {
    const [best] = this.#alternatives(reference, key);
    const isWritten = best?.every(({ sources }) => rankOf(sources, this.#statement) === 0) === true;
    return isWritten ? Number.MAX_SAFE_INTEGER : filtersOf(reference, this.#statement);
  }

  /** One that may not be asked at all: whether its conditions without columns are true is not known here. */
  #refuseOne(pending: readonly Lookup[]): boolean {
    const maybe = pending.find(({ reference }) => this.#mayBeContradicted(reference));
    if (maybe === undefined) return false;
    this.#refused.push({ kind: 'refuse', ...this.#unbounded(maybe.reference, maybe.key) });
    this.#planning.hydrated.add(maybe.reference);
    return true;
  }

  /** `where 1 <> 1`: whether it is true is known only when PostgreSQL has computed it. */
  #mayBeContradicted(reference: Reference): boolean {
    return (this.#restrictions.get(reference)?.constantConditions.length ?? 0) > 0;
  }

  #addLookup(reference: Reference, key: Column, haste: Haste): boolean {
    const planning = this.#planning;
    const reading = { statement: this.#statement, readable: planning.isReadable, haste };
    for (const [index, found] of this.#alternatives(reference, key).entries()) {
      const evaluated = found.map(({ site, sources }) => evaluateSources(sources, site.item.level, planning));
      // What was evaluated stands in the tree as rows now: the same alternative reads those.
      let alternative = evaluated.includes(true) ? (this.#alternatives(reference, key)[index] ?? found) : found;
      let queries = keyQueries(alternative, key, reading);
      if (this.#driving.endRecursions(queries)) {
        alternative = this.#alternatives(reference, key)[index] ?? found;
        queries = keyQueries(alternative, key, reading);
      }
      if (!alternative.every(({ padded }) => padded === undefined || this.#padded.canPad(padded, reference))) continue;
      if (queries === undefined) continue;
      const mayWait = (binding: Binding): boolean =>
        mayBeFewer(binding, reading) ||
        (binding.padded !== undefined && this.#padded.waitsToPad(binding.padded, reference));
      if (haste === 'patient' && alternative.some(mayWait)) return false;
      const columns = this.#inputsOfRows(reference);
      const asked = withInputQueries(reference, columns, { column: key, alternative, queries }, reading);
      if (asked === undefined) return false;
      const all = [...asked.keys, ...asked.inputs.flatMap((input) => input.queries ?? [])];
      planning.steps.push({
        kind: 'lookup',
        reference,
        key,
        queries: asked.keys.map(textOf),
        inputs: asked.inputs.map((input) => ({ column: input.column, queries: input.queries?.map(textOf) })),
        from: alternative
          .flatMap((binding) => binding.sources)
          .map(({ query }) => describeSource(query))
          .join(', '),
        ordinary: all.some((query) => this.#statement.readsOrdinaryRelations(query)),
        locked: this.#statement.lockedIn(all),
      });
      planning.hydrated.add(reference);
      for (const { padded } of alternative) if (padded !== undefined) this.#padded.pad(padded, reference);
      return true;
    }
    return false;
  }

  /** Input columns of which no constant says the values. */
  #inputsOfRows(reference: Reference): readonly Column[] {
    const restrictions = this.#restrictions.get(reference);
    const columns = this.#inputs.get(reference) ?? [];
    return columns.filter((column) => restrictions === undefined || !mayHaveConstants(column, restrictions));
  }

  #alternatives(reference: Reference, key: Column): readonly Alternative[] {
    const column = siteColumn(reference, key, this.#statement);
    return column === undefined ? [] : alternativesFor({ item: reference.item, column }, key.type, this.#statement);
  }

  #unbounded(reference: Reference, key: Column): Unbounded {
    const bindingsOf = (waiting: Reference): readonly Binding[] => {
      const own = waiting.view.table.columns.find((column) => column.key === 'required');
      return own === undefined ? [] : this.#alternatives(waiting, own).flat();
    };
    const isHydrated = (other: Reference): boolean => this.#planning.hydrated.has(other);
    return unboundedBy({ reference, key, bindingsOf, isHydrated }, this.#statement);
  }
}

function textOf(query: SelectStmt): string {
  return deparse({ SelectStmt: query });
}

function keyQueries(alternative: Alternative, { type }: Column, reading: Reading): readonly SelectStmt[] | undefined {
  const queries = alternative.map((binding) => keyQuery(binding, type, reading));
  return queries.every((query) => query !== undefined) ? queries : undefined;
}

/** The name under which the statement knows a table's column; undefined where the view computes it. */
function siteColumn(reference: Reference, column: Column, statement: Statement): string | undefined {
  const position = reference.view.columns.findIndex((candidate) => candidate.column === column);
  return statement.names.columnsOf(reference.item).names[position];
}

/** How many conditions say something of the rows of a look-up, not of its keys alone. */
function filtersOf({ item }: Reference, statement: Statement): number {
  const own = surroundingsOf(item, statement).conditions.filter(({ node }) => {
    const { items } = dependenciesOf(node, item.level, statement);
    return items.size === 1 && items.has(item);
  });
  return own.length;
}

/** No row of the level is ever asked for: LIMIT 0 on it or on a level that it feeds. */
function isDead(level: Level): boolean {
  for (let at: Level | undefined = level; at !== undefined; at = at.parent) {
    if (isLimitedToNone(at)) return true;
    if (at.place.kind === 'cte') return false;
  }
  return false;
}
