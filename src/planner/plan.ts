import type { Node, SelectStmt, SubLink } from '@pgsql/types';
import type { Column } from '../catalog/table.ts';
import { deparse } from '../sql/deparse.ts';
import { isWithin, type Cte, type Item, type Level } from '../sql/scope.ts';
import { parseOwn } from '../sql/parse.ts';
import { bare, firstLocation, walk, withoutLocations } from '../sql/walk.ts';
import { alternativesFor, type Alternative, type Binding, type Padding } from './bindings.ts';
import { dependenciesOf } from './dependencies.ts';
import type { Haste, Reading } from './frames.ts';
import { endsByLimit, growthOf, type Growth } from './growing.ts';
import { keyQuery, mayBeFewer, withCtes } from './key-query.ts';
import type { KeySource } from './key-source.ts';
import { selectOf } from './nodes.ts';
import {
  firstLevel,
  isDrivable,
  isInTerm,
  isDefinedIn,
  isReadInTerm,
  mayEndBefore,
  nextLevel,
  recursionOf,
  recursionsIn,
  selectAll,
  wholeOf,
  type Recursion,
} from './recursion.ts';
import type { Restrictions } from './restrictions.ts';
import { mayHaveKeys, scanKeysOf, type ScanKeys } from './scan-keys.ts';
import { mayStandBelow, restOf } from './padding.ts';
import { describeSource } from './source-text.ts';
import { surroundingsOf } from './surroundings.ts';
import { isPlaceholder, placeholder, type Reference, type Statement } from './statement.ts';
import { readsLevel, type Growing, type RecursionStep, type Step, type Unbounded } from './steps.ts';
import { unboundedBy } from './unbounded.ts';

/** What is done before the statement runs, in this order. Immutable; what EXPLAIN prints. */
export interface Plan {
  readonly steps: readonly Step[];
  /** References that no row of the result can depend on: they are empty, and nothing is called. */
  readonly dead: ReadonlySet<Reference>;
  readonly paddings: readonly PaddedSubquery[];
  /** Set where the statement may end before all is known. */
  readonly growth: Growth | undefined;
}

/** A subquery that the statement reads with a row of NULL more, where a condition holds. */
export interface PaddedSubquery {
  /** The subquery in the user's text. */
  readonly node: Node;
  readonly row: string;
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

interface Lookup {
  readonly reference: Reference;
  readonly key: Column;
}

class Planner {
  readonly #statement: Statement;
  readonly #restrictions: ReadonlyMap<Reference, Restrictions>;
  /** Their rows are there already. */
  readonly #given: ReadonlySet<Reference>;
  readonly #hydrated = new Set<Reference>();
  /** Inside of a recursion that is driven: those of each level. */
  #steps: Step[] = [];
  readonly #driven = new Map<RecursionStep, Recursion>();
  readonly #refused: Step[] = [];
  /** The recursive term of that recursion. */
  #term: Level | undefined;
  /** The mentions of recursions in their own terms, while those are planned. */
  readonly #working = new Set<Item>();
  readonly #paddings: PaddedSubquery[] = [];
  readonly #rowsOf = new Map<SubLink, ReadonlySet<string>>();
  #evaluated = 0;

  constructor(statement: Statement, restrictions: ReadonlyMap<Reference, Restrictions>, given: ReadonlySet<Reference>) {
    this.#statement = statement;
    this.#restrictions = restrictions;
    this.#given = given;
  }

  run(): Planned {
    const { references } = this.#statement;
    const dead = new Set(references.filter((reference) => isDead(reference.item.level)));
    const lookups: Lookup[] = [];
    const scans: Reference[] = [];
    for (const reference of references) {
      const key = reference.view.table.columns.find((column) => column.key === 'required');
      if (dead.has(reference) || this.#given.has(reference)) this.#hydrated.add(reference);
      else if (key !== undefined) lookups.push({ reference, key });
      else scans.push(reference);
    }
    this.#addScans(scans);
    const failed = this.#hydrate(lookups);
    if (failed !== undefined) return this.#unbounded(failed.reference, failed.key);
    const steps = [...this.#refused, ...this.#steps];
    const growth = growthOf(this.#statement, steps, (step) => this.#mentionOf(step));
    return { plan: { steps, dead, paddings: this.#paddings, growth } };
  }

  #mentionOf(step: Growing): Item | undefined {
    if (step.kind === 'lookup') return step.reference.item;
    const driven = this.#driven.get(step);
    const [only, ...others] = driven?.cte.references.filter((item) => item !== driven.self) ?? [];
    return others.length === 0 ? only : undefined;
  }

  /** `where 1 <> 1`: whether it is true is known only when PostgreSQL has computed it. */
  #mayBeContradicted(reference: Reference): boolean {
    return (this.#restrictions.get(reference)?.constantConditions.length ?? 0) > 0;
  }

  /** Small ones first; a large one when others give values for its columns, a selective one before the rest. */
  #addScans(scans: readonly Reference[]): void {
    const waits = scans.filter(
      ({ view, ...own }) => view.table.size === 'large' && mayHaveKeys({ view, ...own }, this.#statement),
    );
    for (const reference of scans) if (!waits.includes(reference)) this.#addScan(reference, []);
    let pending: readonly Reference[] = waits;
    while (pending.length > 0) {
      const keyed = pending.flatMap((reference) => {
        const keys = scanKeysOf(reference, this.#statement, (item) => this.#isReadable(item));
        return keys.length === 0 ? [] : [{ reference, keys }];
      });
      for (const { reference, keys } of keyed) this.#addScan(reference, keys);
      if (keyed.length === 0) {
        // Nothing narrows these: those that conditions narrow may still narrow the others.
        const selective = pending.filter((reference) => this.#isSelective(reference));
        for (const reference of selective.length > 0 ? selective : pending) this.#addScan(reference, []);
      }
      pending = pending.filter((reference) => !this.#hydrated.has(reference));
    }
  }

  #addScan(reference: Reference, keys: readonly ScanKeys[]): void {
    this.#steps.push({ kind: 'scan', reference, keys });
    this.#hydrated.add(reference);
  }

  #isSelective(reference: Reference): boolean {
    const predicates = this.#restrictions.get(reference)?.predicates ?? [];
    return predicates.some(({ column, operator }) => operator === '=' && ['text', 'inet'].includes(column.type));
  }

  /** Adds the steps that look all of them up. @returns one that nothing bounds */
  #hydrate(lookups: readonly Lookup[]): Lookup | undefined {
    const isPending = ({ reference }: Lookup): boolean => !this.#hydrated.has(reference);
    const recursions = this.#recursions();
    const outside = lookups.filter(({ reference }) => !recursions.some((each) => isInTerm(reference, each)));
    for (let pending = lookups; pending.length > 0;) {
      // First, because what joins a recursion asks for fewer keys when its rows are known.
      const driven = this.#driveAny(recursions, pending, isInTerm);
      if (driven !== undefined) return driven;
      for (const { reference } of outside.filter(isPending)) this.#evaluateAround(reference.item);
      for (const { reference, key } of outside.filter(isPending)) this.#addLookup(reference, key, 'patient');
      if (pending.every(isPending)) this.#addOne(outside.filter(isPending), 'none');
      const stuck = pending.every(isPending) ? this.#driveAny(recursions, pending, isReadInTerm) : undefined;
      if (stuck !== undefined) return stuck;
      if (pending.every(isPending) && !this.#addOne(outside.filter(isPending), 'widened') && !this.#refuseOne(pending))
        return pending[0];
      pending = pending.filter(isPending);
    }
    return undefined;
  }

  /** The one of which most is said: it may leave fewer keys for the others. */
  #addOne(pending: readonly Lookup[], haste: Haste): boolean {
    const filters = new Map(pending.map((lookup) => [lookup, filtersOf(lookup.reference, this.#statement)]));
    const ordered = [...pending].sort((one, two) => (filters.get(two) ?? 0) - (filters.get(one) ?? 0));
    return ordered.some(({ reference, key }) => this.#addLookup(reference, key, haste));
  }

  /** One that may not be asked at all: whether its conditions without columns are true is not known here. */
  #refuseOne(pending: readonly Lookup[]): boolean {
    const maybe = pending.find(({ reference }) => this.#mayBeContradicted(reference));
    if (maybe === undefined) return false;
    this.#refused.push({ kind: 'refuse', ...this.#unbounded(maybe.reference, maybe.key) });
    this.#hydrated.add(maybe.reference);
    return true;
  }

  /** Those that are not part of one another, each computed once where it stands. */
  #recursions(): readonly Recursion[] {
    const statement = this.#statement;
    const all = recursionsIn(statement).filter(
      ({ level }) => this.#term === undefined || (level !== this.#term && isWithin(level, this.#term)),
    );
    const outermost = all.filter(({ level }) => !all.some((other) => isWithin(level, other.term)));
    return outermost.filter((recursion) => isDrivable(recursion, statement));
  }

  #driveAny(recursions: readonly Recursion[], pending: readonly Lookup[], isOwn: typeof isInTerm): Lookup | undefined {
    for (const recursion of recursions) {
      const missing = [...this.#statement.referencesIn(recursion.term.select)].filter(
        (reference) => !this.#hydrated.has(reference),
      );
      const own = pending.filter(({ reference }) => missing.includes(reference) && isOwn(reference, recursion));
      if (own.length === 0 || own.length < missing.length) continue;
      const failed = this.#drive(recursion, own);
      if (failed !== undefined) return failed;
    }
    return undefined;
  }

  /** A recursion whose look-ups are all that its recursive term still lacks. @returns one that nothing bounds */
  #drive(recursion: Recursion, lookups: readonly Lookup[]): Lookup | undefined {
    const { cte, base, term, self, level } = recursion;
    const text = structuredClone(cte.node.ctequery);
    this.#evaluateCtes([{ SelectStmt: base }, { SelectStmt: term.select }]);
    const others = [...this.#statement.ctesIn(cte.node.ctequery)].filter((other) => other !== cte);
    if (text === undefined || others.some(({ node }) => this.#isUnrepeatable(node, level))) return undefined;
    const working = this.#newLevel();
    const undo = this.#statement.standIn(self, placeholder('level', working));
    const { steps, failed } = this.#inTerm(recursion, lookups);
    if (failed !== undefined) return failed;
    if (lookups.length > 0 && !steps.some((step) => readsLevel(step, working))) {
      // Its keys are the same at each level: PostgreSQL recurses itself.
      undo();
      this.#working.delete(self);
      this.#steps.push(...steps);
      return undefined;
    }
    const readable = (item: Item): boolean => this.#isReadable(item);
    const [first, next] = [base, term.select].map((query) => withCtes(query, this.#statement, readable));
    if (first === undefined || next === undefined) return lookups[0];
    const id = this.#newLevel();
    const step: RecursionStep = {
      kind: 'recursion',
      id,
      working,
      name: cte.name,
      columns: (cte.node.aliascolnames ?? []).map((name) => bare(name, 'String')?.sval ?? ''),
      base: deparse({ SelectStmt: firstLevel(first, recursion) }),
      term: deparse({ SelectStmt: nextLevel(next, recursion, working, id) }),
      steps,
      node: text,
    };
    this.#steps.push(step);
    this.#driven.set(step, recursion);
    cte.node.ctequery = { SelectStmt: selectAll(id) };
    return undefined;
  }

  /** The steps of one level: what stands around it is done before. */
  #inTerm(
    { term, self }: Recursion,
    lookups: readonly Lookup[],
  ): { readonly steps: readonly Step[]; readonly failed: Lookup | undefined } {
    const around = { steps: this.#steps, term: this.#term };
    this.#steps = [];
    this.#term = term;
    this.#working.add(self);
    const failed = this.#hydrate(lookups);
    const steps = this.#steps;
    this.#steps = around.steps;
    this.#term = around.term;
    return { steps, failed };
  }

  #alternatives(reference: Reference, key: Column): readonly Alternative[] {
    const column = siteColumn(reference, key, this.#statement);
    return column === undefined ? [] : alternativesFor({ item: reference.item, column }, key.type, this.#statement);
  }

  #addLookup(reference: Reference, key: Column, haste: Haste): boolean {
    const readable = (item: Item): boolean => this.#isReadable(item);
    const reading = { statement: this.#statement, readable, haste };
    for (const [index, found] of this.#alternatives(reference, key).entries()) {
      const evaluated = found.map(({ sources }) => this.#evaluateSources(sources));
      // What was evaluated stands in the tree as rows now: the same alternative reads those.
      let alternative = evaluated.includes(true) ? (this.#alternatives(reference, key)[index] ?? found) : found;
      let queries = this.#keyQueries(alternative, key, reading);
      if (this.#endRecursions(queries)) {
        alternative = this.#alternatives(reference, key)[index] ?? found;
        queries = this.#keyQueries(alternative, key, reading);
      }
      // The test is written once more into the statement's text, where a placeholder means nothing.
      if (!alternative.every(({ padded }) => padded === undefined || this.#rowOf(padded, reference) !== undefined))
        continue;
      if (queries === undefined) continue;
      if (haste === 'patient' && alternative.some((binding) => mayBeFewer(binding, reading))) return false;
      this.#steps.push({
        kind: 'lookup',
        reference,
        key,
        queries: queries.map((query) => deparse({ SelectStmt: query })),
        from: alternative
          .flatMap((binding) => binding.sources)
          .map(({ query }) => describeSource(query))
          .join(', '),
        ordinary: queries.some((query) => this.#statement.readsOrdinaryRelations(query)),
      });
      this.#hydrated.add(reference);
      for (const { padded } of alternative) if (padded !== undefined) this.#pad(padded, reference);
      return true;
    }
    return false;
  }

  #keyQueries(alternative: Alternative, { type }: Column, reading: Reading): readonly SelectStmt[] | undefined {
    const queries = alternative.map((binding) => keyQuery(binding, type, reading));
    return queries.every((query) => query !== undefined) ? queries : undefined;
  }

  /**
   * `select … from r limit 3` may end where r alone does not, and so would `select distinct key from r` not. Such a
   * recursion is driven for as long as the statement needs it, or read once, which ends after so many rows.
   */
  #endRecursions(queries: readonly SelectStmt[] | undefined): boolean {
    let ended = false;
    for (const recursion of queries === undefined ? [] : this.#recursions()) {
      const { node, level } = recursion.cte;
      const query = bare(node.ctequery, 'SelectStmt');
      if (!isDefinedIn(node, queries) || query === undefined || !mayEndBefore(recursion, this.#statement)) continue;
      if (endsByLimit(recursion, this.#statement)) this.#drive(recursion, []);
      else if (level?.parent !== undefined && this.#isAlone(query, level.parent))
        node.ctequery = this.#evaluate(query, node.ctequery, recursion.cte) ?? { SelectStmt: query };
      ended ||= bare(node.ctequery, 'SelectStmt') !== query;
    }
    return ended;
  }

  /** Undefined where it cannot be written into the statement's text, or the subquery may be empty for other reasons. */
  #rowOf({ sublink, test, keyType }: Padding, { item }: Reference): string | undefined {
    const inner = this.#statement.scopes.levels.find(({ place }) => place.kind === 'sublink' && place.node === sublink);
    const rest = restOf(item, sublink, this.#statement);
    // A placeholder means nothing there.
    if (rest === undefined || namesPlaceholder(test) || namesPlaceholder(rest)) return undefined;
    if (!isInText(sublink.subselect) || !mayStandBelow(test, inner?.parent, this.#statement)) return undefined;
    const value = `(${deparse({ SelectStmt: selectOf(test) }).slice('SELECT '.length)})`;
    const typed = keyType === 'inet' ? `pg_catalog.try_inet(${value}::pg_catalog.text)` : value;
    const isBare = rest.fromClause === undefined && rest.whereClause === undefined;
    const exists = isBare ? '' : ` and exists (${deparse({ SelectStmt: rest })})`;
    return `select null::${keyType} where ${typed} is null${exists}`;
  }

  #pad(padding: Padding, reference: Reference): void {
    const { sublink } = padding;
    const row = this.#rowOf(padding, reference);
    const { subselect } = sublink;
    if (subselect === undefined || row === undefined || this.#rowsOf.get(sublink)?.has(row) === true) return;
    // Each branch of UNION has rows of its own.
    this.#rowsOf.set(sublink, new Set([...(this.#rowsOf.get(sublink) ?? []), row]));
    this.#statement.padded.add(sublink);
    this.#paddings.push({ node: subselect, row });
    // A level that is evaluated is read from the tree, not from the user's text.
    sublink.subselect = withRow(subselect, row);
  }

  #isReadable(item: Item): boolean {
    const own = this.#statement.referenceOf(item);
    if (own !== undefined) return this.#hydrated.has(own);
    if (this.#working.has(item)) return true;
    const value = contentOf(item);
    return this.#isHydrated(value) && !this.#isOnce(item) && (item.cte === undefined || item.cte.level !== undefined);
  }

  #isHydrated(value: unknown): boolean {
    return [...this.#statement.referencesIn(value)].every((reference) => this.#hydrated.has(reference));
  }

  /** Whether the rows of an item must not be computed twice. */
  #isOnce(item: Item): boolean {
    if (this.#working.has(item)) return false;
    return 'RangeTableSample' in item.node || this.#isUnrepeatable(contentOf(item), item.level);
  }

  #isUnrepeatable(value: unknown, level: Level): boolean {
    return dependenciesOf(value, level, this.#statement).unrepeatable;
  }

  /** Evaluates once what keys could be read from: derived tables and CTEs around an item, on every level outwards. */
  #evaluateAround(item: Item): void {
    for (let level: Level | undefined = item.level; level !== undefined; level = level.parent) {
      if (!this.#isHere(level)) return;
      for (const other of level.items) {
        if (other === item || !this.#isOnce(other)) continue;
        this.#evaluateCtes(other.node);
        const subselect = bare(other.node, 'RangeSubselect');
        const query = bare(subselect?.subquery, 'SelectStmt');
        if (subselect === undefined || query === undefined || !this.#isEvaluable(query, level)) continue;
        const replaced = this.#evaluate(query, subselect.subquery);
        if (replaced !== undefined) subselect.subquery = replaced;
      }
    }
  }

  /** Whether a level is computed with the steps that are being planned, and not once before or after them. */
  #isHere(level: Level): boolean {
    return this.#term === undefined || isWithin(level, this.#term);
  }

  /** A CTE may be named elsewhere too: it is evaluated itself, before anything that reads it. */
  #evaluateCtes(value: unknown): boolean {
    let evaluated = false;
    for (const cte of this.#statement.ctesIn(value)) {
      const { node, level } = cte;
      const query = bare(node.ctequery, 'SelectStmt');
      if (level?.parent === undefined || query === undefined || !this.#isHere(level)) continue;
      if (!this.#isEvaluable(query, level.parent)) continue;
      const replaced = this.#evaluate(query, node.ctequery, recursionOf(cte)?.cte);
      if (replaced === undefined) continue;
      node.ctequery = replaced;
      evaluated = true;
    }
    return evaluated;
  }

  /** `in (select … limit 20)`, `= (select … limit 1)`: the subquery that gives the keys is evaluated once. */
  #evaluateSources(sources: readonly KeySource[]): boolean {
    let evaluated = false;
    for (const { query, level } of sources) {
      const inside = this.#statement.levelsIn({ SelectStmt: query });
      if (this.#evaluateCtes({ SelectStmt: query })) evaluated = true;
      for (const { select, place, parent } of inside) {
        if (place.kind !== 'sublink' || parent !== level || !this.#isEvaluable(select, level)) continue;
        const replaced = this.#evaluate(select, place.node.subselect);
        if (replaced === undefined) continue;
        place.node.subselect = replaced;
        evaluated = true;
      }
    }
    return evaluated;
  }

  #isEvaluable(query: SelectStmt, level: Level): boolean {
    return this.#isUnrepeatable({ SelectStmt: query }, level) && this.#isAlone(query, level);
  }

  /** Whether it can be computed now, without a row of the levels around it. */
  #isAlone(query: SelectStmt, level: Level): boolean {
    const { items } = dependenciesOf({ SelectStmt: query }, level, this.#statement);
    return items.size === 0 && this.#isHydrated({ SelectStmt: query });
  }

  /** @param whole the CTE whose query it is, where that names itself: a query of it alone would be one more level */
  #evaluate(query: SelectStmt, node: Node | undefined, whole?: Cte): Node | undefined {
    // What a view is made of is not replaced in the statement, which would compute other rows than these.
    if (!isInText(node)) return undefined;
    const complete = withCtes(query, this.#statement, (item) => this.#isReadable(item));
    if (complete === undefined || node === undefined) return undefined;
    const id = this.#newLevel();
    const evaluated = whole === undefined ? complete : wholeOf(whole, complete);
    this.#steps.push({ kind: 'evaluate', id, query: deparse({ SelectStmt: evaluated }), node });
    return { SelectStmt: selectAll(id) };
  }

  #newLevel(): number {
    this.#evaluated += 1;
    return this.#evaluated - 1;
  }

  #unbounded(reference: Reference, key: Column): Unbounded {
    const bindingsOf = (waiting: Reference): readonly Binding[] => {
      const own = waiting.view.table.columns.find((column) => column.key === 'required');
      return own === undefined ? [] : this.#alternatives(waiting, own).flat();
    };
    const isHydrated = (other: Reference): boolean => this.#hydrated.has(other);
    return unboundedBy({ reference, key, bindingsOf, isHydrated }, this.#statement);
  }
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

/** What an item reads: a CTE's query for a mention of it. */
function contentOf(item: Item): unknown {
  return item.cte === undefined ? item.node : item.cte.node;
}

/** No row of the level is ever asked for: LIMIT 0 on it or on a level that it feeds. */
function isDead(level: Level): boolean {
  for (let at: Level | undefined = level; at !== undefined; at = at.parent) {
    if (
      bare(at.select.limitCount, 'A_Const')?.ival !== undefined &&
      (bare(at.select.limitCount, 'A_Const')?.ival?.ival ?? 0) === 0
    )
      return true;
    if (at.place.kind === 'cte') return false;
  }
  return false;
}

/** Part of the user's own text: definitions of views and functions stand in the tree without locations. */
function isInText(node: Node | undefined): boolean {
  return node !== undefined && firstLocation(node) !== undefined;
}

function namesPlaceholder(value: unknown): boolean {
  let found = false;
  walk(value, (node, kind) => {
    if (kind === 'RangeVar' && isPlaceholder(bare(node, 'RangeVar')?.relname ?? '')) found = true;
    return undefined;
  });
  return found;
}

/** `select * from (<subquery>) as _ union all <row>` */
function withRow(subquery: Node, row: string): Node {
  const node = withoutLocations(parseOwn(`select * from (select) as _ union all ${row}`));
  const first = bare(node, 'SelectStmt')?.larg?.fromClause?.[0];
  const subselect = bare(first, 'RangeSubselect');
  if (subselect === undefined) throw new Error('no place for the subquery');
  subselect.subquery = subquery;
  return node;
}
