import { hasDefaults, type Column, type VirtualTable } from '../catalog/table.ts';
import type { Reference } from '../planner/statement.ts';
import { lookupsIn, type Step } from '../planner/steps.ts';
import { conditionText } from '../sources/condition-text.ts';
import type { Predicate } from '../sources/source.ts';
import type { KnownRestrictions } from './constants.ts';
import { columnsToFetch } from './hydrated-sql.ts';

type Lookup = Extract<Step, { kind: 'lookup' }>;

/** What is fetched alike for all mentions of a table below views and functions: a scan says its table, not which mention it is. */
export class SharedRequests {
  readonly #byTable = new Map<VirtualTable, Reference[]>();
  readonly #restrictions: ReadonlyMap<Reference, KnownRestrictions>;
  readonly #lookups: ReadonlyMap<Reference, Lookup>;

  constructor(
    references: readonly Reference[],
    restrictions: ReadonlyMap<Reference, KnownRestrictions>,
    steps: readonly Step[],
  ) {
    this.#restrictions = restrictions;
    this.#lookups = new Map(lookupsIn(steps).map((lookup) => [lookup.reference, lookup]));
    for (const reference of references) {
      if (!reference.below) continue;
      const { table } = reference.view;
      this.#byTable.set(table, [...(this.#byTable.get(table) ?? []), reference]);
    }
  }

  get tables(): Iterable<VirtualTable> {
    return this.#byTable.keys();
  }

  mentionsOf(table: VirtualTable): readonly Reference[] {
    return this.#byTable.get(table) ?? [];
  }

  columnsOf(reference: Reference): readonly Column[] {
    if (!reference.below) return columnsToFetch(reference);
    const { table } = reference.view;
    const wanted = new Set(this.mentionsOf(table).flatMap((each) => columnsToFetch(each)));
    // By the key the answers to different mentions are told apart.
    return table.columns.filter(
      (column) => wanted.has(column) || (column.key === 'required' && column.path !== undefined),
    );
  }

  /** What every mention asks for that can have rows. */
  restrictionsOf(reference: Reference): KnownRestrictions | undefined {
    const own = this.#restrictions.get(reference);
    if (!reference.below || own === undefined || own.contradiction) return own;
    const mentions = this.mentionsOf(reference.view.table);
    const conditions = mentions.length === 1 ? own.conditions : [];
    const others = mentions.map((each) => this.#restrictions.get(each));
    const lists = others.flatMap((known) => (known?.contradiction === true ? [] : [known?.predicates ?? []]));
    const predicates = own.predicates.filter((predicate) =>
      lists.every((list) => list.some((other) => isSame(predicate, other))),
    );
    const chosenBy = [...new Set(others.flatMap((known) => known?.chosenBy ?? []))];
    return { predicates, conditions, contradiction: false, limit: undefined, chosenBy };
  }

  /** Rows of mentions that differ in an input column are no superset of each other's: none can have what is asked for another. */
  inputsAgree(table: VirtualTable): boolean {
    const mentions = this.mentionsOf(table);
    // What rows give is known of each by itself.
    if (mentions.length > 1 && mentions.some((each) => (this.#lookups.get(each)?.inputs.length ?? 0) > 0)) return false;
    const inputs = mentions.map((reference) => {
      const { predicates = [], conditions = [], chosenBy = [] } = this.#restrictions.get(reference) ?? {};
      const said = predicates.filter(({ column }) => column.key === 'input').map(textOf);
      if (!hasDefaults(table)) return JSON.stringify(said.sort());
      // What is said of an optional column may decide an input.
      const besides = predicates.filter(({ column }) => column.key === 'optional').map(textOf);
      const texts = [...said, ...besides, ...conditions.map(conditionText), ...chosenBy.map(({ name }) => name)];
      return JSON.stringify(texts.sort());
    });
    return new Set(inputs).size <= 1;
  }
}

function isSame(one: Predicate, other: Predicate): boolean {
  return textOf(one) === textOf(other);
}

function textOf({ column, operator, values }: Predicate): string {
  return JSON.stringify([column.name, operator, [...values].sort()]);
}
