import type { ColumnRef, FuncCall, JoinExpr, Node } from '@pgsql/types';
import { hasDefaults, type Column, type KeyKind } from '../catalog/table.ts';
import { isStar } from '../sql/column-name.ts';
import { fieldsOf, type Item, type Level } from '../sql/scope.ts';
import { columnIn, type SpaceColumn } from '../sql/space.ts';
import { bare, walk } from '../sql/walk.ts';
import { conjunctsOf } from './dependencies.ts';
import type { Reference, Statement } from './statement.ts';

/**
 * The input columns of a reference by whose values the statement chooses rows. Rows that were asked for with other values
 * would be dropped without a word, so that these columns need values before the source is asked.
 *
 * Generous: what passes a value on in a way that is not followed here counts as choosing.
 */
export function decisiveInputs(reference: Reference, statement: Statement): readonly Column[] {
  return decisive('input', reference, statement);
}

/**
 * The optional columns by whose values it does, of a table with an input that has a default: conditions on them may ask
 * for more than that gives.
 */
export function decisiveOptionals(reference: Reference, statement: Statement): readonly Column[] {
  return hasDefaults(reference.view.table) ? decisive('optional', reference, statement) : [];
}

function decisive(kind: KeyKind, reference: Reference, statement: Statement): readonly Column[] {
  const { names } = statement.names.columnsOf(reference.item);
  return reference.view.columns.flatMap(({ column, name }, index) => {
    const own = names[index];
    if (column?.key !== kind || own === undefined || !reference.used.has(name)) return [];
    return new Uses(statement, column).decide(reference.item, own) ? [column] : [];
  });
}

/** Follows a value from level to level. */
class Uses {
  readonly #statement: Statement;
  readonly #column: Column;
  /** By name, whether what was compared has been followed. */
  readonly #seen = new Map<Item, Map<string, boolean>>();

  constructor(statement: Statement, column: Column) {
    this.#statement = statement;
    this.#column = column;
  }

  /** @param compared the name is one of what a comparison of the column gives */
  decide(item: Item, name: string, compared = false): boolean {
    const seen = this.#seen.get(item) ?? new Map<string, boolean>();
    if (seen.get(name) === true || seen.get(name) === compared) return false;
    this.#seen.set(item, seen.set(name, compared));
    return this.#statement.scopes.levels.some((level) => this.#decidesAt(level, item, name, compared));
  }

  #decidesAt(level: Level, item: Item, name: string, compared: boolean): boolean {
    const { targetList = [], whereClause, havingClause, fromClause, valuesLists = [] } = level.select;
    const { joins, functions } = partsOfFrom(fromClause);
    const reads = (node: Node | undefined): boolean => this.#reads(node, level, item, name);
    // NULL where nothing was asked: the default is what this condition wants.
    const isDefault = (node: Node): boolean =>
      !this.#isGivenAlways() && bare(node, 'NullTest')?.nulltesttype === 'IS_NULL';
    const conditions = [whereClause, ...joins.map(({ quals }) => quals)].flatMap((node) => conjunctsOf(node));
    if (conditions.some((node) => !isDefault(node) && reads(node))) return true;
    if (reads(havingClause) || functions.some(reads)) return true;
    if (joins.some((join) => this.#merges(join, level, item, name))) return true;
    let at = 0;
    for (const target of targetList) {
      const value = bare(target, 'ResTarget')?.val;
      // MERGE's: WHEN … AND condition, or a value to insert.
      if (value === undefined) {
        if (!('ColumnRef' in target) && reads(target)) return true;
        continue;
      }
      const starred = this.#starred(value, level);
      for (const [index, column] of (starred ?? []).entries())
        if (includes(column, item, name) && this.#flowsOut(level, at + index, compared)) return true;
      if (starred === undefined && reads(value)) {
        const isCompared = (inner: Node): boolean => comparesIn(inner, reads);
        if (this.#summarizes(value, reads, compared ? reads : isCompared)) return true;
        const index = isStar(value) ? Number.NaN : at;
        if (this.#flowsOut(level, index, compared || isCompared(value))) return true;
      }
      // Behind a row of which nobody knows how many columns it has, a column may be any.
      at += starred?.length ?? (isStar(value) ? Number.NaN : 1);
    }
    return valuesLists.some((list) =>
      (bare(list, 'List')?.items ?? []).some((value, index) => reads(value) && this.#flowsOut(level, index, compared)),
    );
  }

  /** What stands around the level makes of an output column of it. */
  #flowsOut(level: Level, index: number, compared: boolean): boolean {
    const { place, parent } = level;
    const { names } = this.#statement;
    switch (place.kind) {
      case 'statement':
        return false;
      case 'from':
        return this.#decidesAs(place.item, names.columnsOf(place.item).names[index], compared);
      case 'cte':
        return place.cte.references.some((item) => this.#decidesAs(item, names.columnsOf(item).names[index], compared));
      case 'branch':
        return parent?.select.op !== 'SETOP_UNION' || this.#flowsOut(parent, index, compared);
      case 'sublink': {
        const { node, clause } = place;
        if (node.subLinkType === 'EXISTS_SUBLINK' || parent === undefined) return false;
        // Wherever it stands, IN compares.
        if (clause.kind !== 'other' || node.subLinkType === 'ANY_SUBLINK' || node.subLinkType === 'ALL_SUBLINK')
          return true;
        const { havingClause, targetList = [] } = parent.select;
        if (contains(havingClause, node)) return true;
        const at = targetList.findIndex((target) => contains(target, node));
        return (
          at !== -1 &&
          (filtersIn(targetList[at]).some((filter) => contains(filter, node)) || this.#flowsOut(parent, at, compared))
        );
      }
    }
  }

  /** A column whose name is not known may be any. */
  #decidesAs(item: Item, name: string | undefined, compared: boolean): boolean {
    return name === undefined || this.decide(item, name, compared);
  }

  /** Whether an expression of a level, without its subqueries, reads the column. */
  #reads(value: Node | undefined, level: Level, item: Item, name: string): boolean {
    let found = false;
    walk(value, (node, kind) => {
      if (found || kind === 'SelectStmt') return false;
      if (kind === 'NullTest' && this.#saysNothing(bare(node, 'NullTest')?.arg)) return false;
      if (kind === 'A_Indirection') {
        const { arg, indirection } = bare(node, 'A_Indirection') ?? {};
        const field = bare(indirection?.[0], 'String')?.sval;
        if (field !== undefined && field !== name && this.#isRow(arg)) return false;
      }
      const column = kind === 'ColumnRef' ? bare(node, 'ColumnRef') : undefined;
      if (column !== undefined && this.#names(column, level, item, name)) found = true;
      return undefined;
    });
    return found;
  }

  /** A whole row is no value of one of its columns. */
  #saysNothing(tested: Node | undefined): boolean {
    if (tested === undefined || !('ColumnRef' in tested)) return false;
    return this.#isGivenAlways() || this.#isRow(tested);
  }

  /** A column with a default has a value in every row, whatever the source is asked; so has what inputs depend on. */
  #isGivenAlways(): boolean {
    return this.#column.key === 'optional' || this.#column.defaultValue !== undefined;
  }

  #isRow(node: Node | undefined): boolean {
    const column = bare(node, 'ColumnRef');
    const { scopes, names } = this.#statement;
    if (column === undefined || !scopes.levelOf.has(column)) return false;
    const meaning = names.resolve(column);
    return meaning.kind === 'row' && meaning.merged === undefined;
  }

  #names(column: ColumnRef, level: Level, item: Item, name: string): boolean {
    const { scopes, names } = this.#statement;
    if (scopes.levelOf.get(column) !== level) return false;
    const meaning = names.resolve(column);
    switch (meaning.kind) {
      case 'column':
        return meaning.item === item && meaning.name === name;
      case 'row':
        return meaning.merged === undefined ? meaning.items.includes(item) : includes(meaning.merged, item, name);
      case 'unknown':
        return fieldsOf(column).at(-1) === name;
    }
  }

  /** `count(*) filter (where …)`; `bool_or(… = 30)`, which is of all rows, unlike what is shown of each. */
  #summarizes(value: Node, reads: (node: Node) => boolean, isChoice: (node: Node) => boolean): boolean {
    if (filtersIn(value).some(reads)) return true;
    const { aggregate } = this.#statement.functions;
    return callsIn(value).some(
      ({ funcname, args = [] }) => aggregate.has(bare(funcname?.at(-1), 'String')?.sval ?? '') && args.some(isChoice),
    );
  }

  /** What USING and NATURAL compare. */
  #merges(join: JoinExpr, level: Level, item: Item, name: string): boolean {
    const { spaces } = this.#statement.names;
    const sides = [join.larg, join.rarg].flatMap((side) => (side === undefined ? [] : [spaces.of(side, level)]));
    return spaces.mergedBy(join, level).some((merged) =>
      sides.some((side) => {
        const column = columnIn(side, merged);
        return column !== undefined && includes(column, item, name);
      }),
    );
  }

  /** The columns that `*` stands for; undefined: the target is something else. */
  #starred(value: Node, level: Level): readonly SpaceColumn[] | undefined {
    return isStar(value) ? this.#statement.names.starred(value, level)?.columns : undefined;
  }
}

function includes({ of }: SpaceColumn, item: Item, name: string): boolean {
  return 'item' in of ? of.item === item && of.name === name : of.some((side) => includes(side, item, name));
}

/** The joins of a level's FROM, and what else stands in it but names of relations and subqueries. */
function partsOfFrom(fromClause: readonly Node[] = []): { readonly joins: JoinExpr[]; readonly functions: Node[] } {
  const joins: JoinExpr[] = [];
  const functions: Node[] = [];
  walk(fromClause, (node, kind) => {
    if (kind === 'RangeSubselect') return false;
    const join = kind === 'JoinExpr' ? bare(node, 'JoinExpr') : undefined;
    if (join !== undefined) {
      joins.push(join);
      const inner = partsOfFrom([join.larg, join.rarg].flatMap((side) => side ?? []));
      joins.push(...inner.joins);
      functions.push(...inner.functions);
      return false;
    }
    if (kind === 'RangeFunction' || kind === 'RangeTableFunc' || kind === 'JsonTable') functions.push(node);
    return kind === 'RangeVar' ? false : undefined;
  });
  return { joins, functions };
}

function contains(value: unknown, wanted: object): boolean {
  if (value === wanted) return true;
  if (value === null || typeof value !== 'object') return false;
  return Object.values(value).some((member) => contains(member, wanted));
}

/** Operators that make another value of a value; all others say something of it. */
const COMPUTING: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%', '^', '||', '->', '->>', '#>', '#>>']);

/** Whether an expression compares what satisfies a test, rather than computing with it. */
function comparesIn(value: Node, reads: (node: Node) => boolean): boolean {
  let found = false;
  walk(value, (node, kind) => {
    if (found || kind === 'SelectStmt') return false;
    const { kind: how, name } = bare(node, 'A_Expr') ?? {};
    const operator = bare(name?.at(-1), 'String')?.sval ?? '';
    const compares =
      (how !== undefined && !(how === 'AEXPR_OP' && COMPUTING.has(operator))) ||
      kind === 'BooleanTest' ||
      kind === 'SubLink';
    const { arg, args = [] } = bare(node, 'CaseExpr') ?? {};
    const conditions = [arg, ...args.map((each) => bare(each, 'CaseWhen')?.expr)].flatMap((each) => each ?? []);
    if ((compares && reads(node)) || conditions.some(reads)) found = true;
    return undefined;
  });
  return found;
}

/** The FILTERs of an expression's aggregates, without those of its subqueries. */
function filtersIn(value: Node | undefined): readonly Node[] {
  return callsIn(value).flatMap(({ agg_filter: filter }) => filter ?? []);
}

function callsIn(value: Node | undefined): readonly FuncCall[] {
  const calls: FuncCall[] = [];
  walk(value, (node, kind) => {
    const call = kind === 'FuncCall' ? bare(node, 'FuncCall') : undefined;
    if (call !== undefined) calls.push(call);
    return kind === 'SelectStmt' ? false : undefined;
  });
  return calls;
}
