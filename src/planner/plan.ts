import type { Node, SelectStmt } from '@pgsql/types';
import type { Column } from '../catalog/table.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { deparse } from '../sql/deparse.ts';
import type { Item, Level } from '../sql/scope.ts';
import { parseOwn } from '../sql/parse.ts';
import { bare, walk, withoutLocations } from '../sql/walk.ts';
import { alternativesFor, type Alternative, type Binding, type Padding } from './bindings.ts';
import { dependenciesOf } from './dependencies.ts';
import { keyQuery, withCtes } from './key-query.ts';
import { selectOf } from './nodes.ts';
import type { Restrictions } from './restrictions.ts';
import { isPlaceholder, placeholder, type Reference, type Statement } from './statement.ts';

/** What is done before the statement runs, in this order. Immutable; what EXPLAIN prints. */
export interface Plan {
  readonly steps: readonly Step[];
  /** References that no row of the result can depend on: they are empty, and nothing is called. */
  readonly dead: ReadonlySet<Reference>;
  readonly paddings: readonly PaddedSubquery[];
}

/** A subquery that the statement reads with a row of NULL more, where a condition holds. */
export interface PaddedSubquery {
  /** The subquery in the user's text. */
  readonly node: Node;
  readonly row: string;
}

export type Step =
  | { readonly kind: 'scan'; readonly reference: Reference }
  /** Fails before any call, unless a condition without columns says that no row of the reference counts. */
  | ({ readonly kind: 'refuse' } & Unbounded)
  | {
      readonly kind: 'lookup';
      readonly reference: Reference;
      readonly key: Column;
      /** Statements of one column each; together they give the keys. References in them are placeholders. */
      readonly queries: readonly string[];
      /** For messages: where the keys come from, as the user wrote it. */
      readonly from: string;
      /** Rows of ordinary relations decide the keys: the statement must see the same ones. */
      readonly ordinary: boolean;
    }
  | {
      readonly kind: 'evaluate';
      readonly id: number;
      readonly query: string;
      /** The subquery in the user's text that the rows replace. */
      readonly node: Node;
    };

/** The plan, or what cannot be bounded. EXPLAIN shows the one or the other. */
export type Planned = { readonly plan: Plan } | Unbounded;

export interface Unbounded {
  readonly unbounded: Reference;
  readonly key: Column;
  readonly error: TrailhoundError;
}

/** Pure: the statement's facts in, the plan out. Renames and replaces in the statement's own tree as it goes. */
export function planStatement(statement: Statement, restrictions: ReadonlyMap<Reference, Restrictions>): Planned {
  return new Planner(statement, restrictions).run();
}

class Planner {
  readonly #statement: Statement;
  readonly #restrictions: ReadonlyMap<Reference, Restrictions>;
  readonly #hydrated = new Set<Reference>();
  readonly #steps: Step[] = [];
  readonly #paddings: PaddedSubquery[] = [];
  #evaluated = 0;

  constructor(statement: Statement, restrictions: ReadonlyMap<Reference, Restrictions>) {
    this.#statement = statement;
    this.#restrictions = restrictions;
  }

  run(): Planned {
    const { references } = this.#statement;
    const dead = new Set(references.filter((reference) => isDead(reference.item.level)));
    const lookups: { reference: Reference; key: Column }[] = [];
    for (const reference of references) {
      const key = reference.view.table.columns.find((column) => column.key === 'required');
      if (dead.has(reference)) this.#hydrated.add(reference);
      else if (key !== undefined) lookups.push({ reference, key });
      else {
        this.#steps.push({ kind: 'scan', reference });
        this.#hydrated.add(reference);
      }
    }
    let pending = lookups;
    while (pending.length > 0) {
      for (const { reference } of pending) this.#evaluateAround(reference.item);
      const rest = pending.filter(({ reference, key }) => !this.#addLookup(reference, key));
      const [first] = rest;
      if (rest.length === pending.length && first !== undefined) {
        const maybe = rest.find(({ reference }) => this.#mayBeContradicted(reference));
        if (maybe === undefined) return this.#unbounded(first.reference, first.key);
        this.#steps.push({ kind: 'refuse', ...this.#unbounded(maybe.reference, maybe.key) });
        this.#hydrated.add(maybe.reference);
        pending = rest.filter((each) => each !== maybe);
      } else pending = rest;
    }
    return { plan: { steps: this.#steps, dead, paddings: this.#paddings } };
  }

  /** `where 1 <> 1`: whether it is true is known only when PostgreSQL has computed it. */
  #mayBeContradicted(reference: Reference): boolean {
    return (this.#restrictions.get(reference)?.constantConditions.length ?? 0) > 0;
  }

  #alternatives(reference: Reference, key: Column): readonly Alternative[] {
    const column = siteColumn(reference, key, this.#statement);
    return column === undefined ? [] : alternativesFor({ item: reference.item, column }, key.type, this.#statement);
  }

  #addLookup(reference: Reference, key: Column): boolean {
    for (const [index, found] of this.#alternatives(reference, key).entries()) {
      const evaluated = found.map(({ sources, site }) => this.#evaluateSources(sources, site.item.level));
      // What was evaluated stands in the tree as rows now: the same alternative reads those.
      const alternative = evaluated.includes(true) ? (this.#alternatives(reference, key)[index] ?? found) : found;
      // The test is written once more into the statement's text, where a placeholder means nothing.
      if (alternative.some(({ padded }) => namesPlaceholder(padded?.test))) continue;
      const queries = alternative.map((binding) =>
        keyQuery(binding, key.type, this.#statement, (item) => this.#isReadable(item)),
      );
      if (!queries.every((query) => query !== undefined)) continue;
      this.#steps.push({
        kind: 'lookup',
        reference,
        key,
        queries: queries.map((query) => deparse({ SelectStmt: query })),
        from: alternative
          .flatMap((binding) => binding.sources)
          .map(describeSource)
          .join(', '),
        ordinary: queries.some((query) => this.#statement.readsOrdinaryRelations(query)),
      });
      this.#hydrated.add(reference);
      for (const { padded } of alternative) if (padded !== undefined) this.#pad(padded);
      return true;
    }
    return false;
  }

  #pad({ sublink, test, keyType }: Padding): void {
    if (sublink.subselect === undefined || this.#statement.padded.has(sublink)) return;
    this.#statement.padded.add(sublink);
    const value = `(${deparse({ SelectStmt: selectOf(test) }).slice('SELECT '.length)})`;
    const typed = keyType === 'inet' ? `pg_catalog.try_inet(${value}::pg_catalog.text)` : value;
    const row = `select null::${keyType} where ${typed} is null`;
    this.#paddings.push({ node: sublink.subselect, row });
    // A level that is evaluated is read from the tree, not from the user's text.
    sublink.subselect = withRow(sublink.subselect, row);
  }

  #isReadable(item: Item): boolean {
    const own = this.#statement.referenceOf(item);
    if (own !== undefined) return this.#hydrated.has(own);
    const value = contentOf(item);
    return this.#isHydrated(value) && !this.#isOnce(item) && (item.cte === undefined || item.cte.level !== undefined);
  }

  #isHydrated(value: unknown): boolean {
    return [...this.#statement.referencesIn(value)].every((reference) => this.#hydrated.has(reference));
  }

  /** Whether the rows of an item must not be computed twice. */
  #isOnce(item: Item): boolean {
    return 'RangeTableSample' in item.node || dependenciesOf(contentOf(item), item.level, this.#statement).unrepeatable;
  }

  /** Evaluates once what keys could be read from: derived tables and CTEs around an item, on every level outwards. */
  #evaluateAround(item: Item): void {
    for (let level: Level | undefined = item.level; level !== undefined; level = level.parent) {
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

  /** A CTE may be named elsewhere too: it is evaluated itself, before anything that reads it. */
  #evaluateCtes(value: unknown): boolean {
    let evaluated = false;
    for (const { node, level } of this.#statement.ctesIn(value)) {
      const query = bare(node.ctequery, 'SelectStmt');
      if (level?.parent === undefined || query === undefined || !this.#isEvaluable(query, level.parent)) continue;
      const replaced = this.#evaluate(query, node.ctequery);
      if (replaced === undefined) continue;
      node.ctequery = replaced;
      evaluated = true;
    }
    return evaluated;
  }

  /** `in (select … limit 20)`, `= (select … limit 1)`: the subquery that gives the keys is evaluated once. */
  #evaluateSources(sources: readonly SelectStmt[], level: Level): boolean {
    let evaluated = false;
    for (const source of sources) {
      const inside = this.#statement.levelsIn({ SelectStmt: source });
      if (this.#evaluateCtes({ SelectStmt: source })) evaluated = true;
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
    const needs = dependenciesOf({ SelectStmt: query }, level, this.#statement);
    return needs.unrepeatable && needs.items.size === 0 && this.#isHydrated({ SelectStmt: query });
  }

  #evaluate(query: SelectStmt, node: Node | undefined): Node | undefined {
    const complete = withCtes(query, this.#statement, (item) => this.#isReadable(item));
    if (complete === undefined || node === undefined) return undefined;
    const id = this.#evaluated;
    this.#evaluated += 1;
    this.#steps.push({ kind: 'evaluate', id, query: deparse({ SelectStmt: complete }), node });
    return {
      SelectStmt: {
        targetList: [{ ResTarget: { val: { ColumnRef: { fields: [{ A_Star: {} }] } } } }],
        fromClause: [{ RangeVar: { relname: placeholder('level', id), inh: true, relpersistence: 'p' } }],
        limitOption: 'LIMIT_OPTION_DEFAULT',
        op: 'SETOP_NONE',
      },
    };
  }

  #readsReturning({ sources, site: { item } }: Binding): boolean {
    return sources.some((source) => {
      const { items } = dependenciesOf({ SelectStmt: source }, item.level, this.#statement);
      const ctes = [...this.#statement.ctesIn({ SelectStmt: source }), ...[...items].flatMap(({ cte }) => cte ?? [])];
      return ctes.some((cte) => cte.level === undefined) || [...items].some((read) => read.kind === 'changed');
    });
  }

  #unbounded(reference: Reference, key: Column): Unbounded {
    const { view } = reference;
    const found = this.#alternatives(reference, key).flat();
    if (found.some((binding) => this.#readsReturning(binding))) {
      const error = new TrailhoundError('not_supported', 'keys cannot come from RETURNING of the same statement', {
        detail: `${view.name} is asked before the statement runs. Nothing was changed and no call was made.`,
        hint: 'Change the rows first, and ask about them in a second statement.',
      });
      return { unbounded: reference, key, error };
    }
    const name = view.schema === 'public' ? view.name : `${view.schema}.${view.name}`;
    const error = new TrailhoundError('unbounded_key', `${view.name} needs a value for ${key.name}`, {
      detail:
        found.length > 0
          ? 'What this statement says of it cannot be computed before the table is asked. No call was made.'
          : `Nothing in this statement says which ${key.type === 'inet' ? 'addresses' : 'values'} to look up. No call was made.`,
      hint: `Name them, as in: select * from ${name} where ${key.name} in ('198.51.100.7', '203.0.113.9'), or join on ${key.name}.`,
      position: undefined,
    });
    return { unbounded: reference, key, error };
  }
}

/** The name under which the statement knows a table's column; undefined where the view computes it. */
function siteColumn(reference: Reference, column: Column, statement: Statement): string | undefined {
  const position = reference.view.columns.findIndex((candidate) => candidate.column === column);
  return statement.names.columnsOf(reference.item).names[position];
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

function describeSource(source: SelectStmt): string {
  const simple = source.fromClause === undefined && source.targetList?.length === 1;
  const [list] = bare(bare(source.targetList?.[0], 'ResTarget')?.val, 'FuncCall')?.args ?? [];
  if (simple && bare(bare(list, 'TypeCast')?.arg, 'A_ArrayExpr') !== undefined) return 'the list in the statement';
  const value = simple ? deparse({ SelectStmt: source }).slice('SELECT '.length) : 'a subquery';
  return value.length > 80 ? `${value.slice(0, 77)}...` : value;
}
