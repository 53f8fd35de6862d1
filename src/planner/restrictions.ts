import type { Node } from '@pgsql/types';
import type { Column, VirtualTable } from '../catalog/table.ts';
import type { Aggregation } from '../sources/source.ts';
import { isWithin, type Item, type Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import { aggregationOf } from './aggregation.ts';
import { constantsOfExpression, constantsOfLevel, eitherOf } from './constant-conditions.ts';
import { clockRangeIn } from './clock-ranges.ts';
import { decisiveOptionals } from './decisive-inputs.ts';
import { dependenciesOf } from './dependencies.ts';
import { withGivenValues } from './given-values.ts';
import { firstRowsOf, type FirstRows } from './first-rows.ts';
import { limitOf, passesRows, type Limit } from './limits.ts';
import { eventPatternIn } from './event-pattern.ts';
import { isCut, outputOf } from './outputs.ts';
import { isOfType } from './output-types.ts';
import { conditionIn, conjunctsOf, simplify, withoutNullTests, type OpenCondition } from './condition-trees.ts';
import { comparisonsIn, contains, isConstant, predicatesIn, type ColumnOf, type OpenPredicate } from './predicates.ts';
import { saidByAll } from './said-by-all.ts';
import type { Reference, Statement } from './statement.ts';
import { surroundingsOf, type Condition } from './surroundings.ts';

/** What the conjuncts around a reference, on all levels, say of its columns and constants. The statement keeps them all. */
export interface Restrictions {
  readonly predicates: readonly OpenPredicate[];
  /** What other conjuncts say, by alternatives or of places within a column. */
  readonly conditions: readonly OpenCondition[];
  /** Conditions that name no column: where one is not true, no row of the reference counts. */
  readonly constantConditions: readonly Node[];
  /** LIMIT and OFFSET of the levels through which rows pass one by one, innermost first: no more are needed. */
  readonly limit: readonly Limit[];
  /** All that is needed of the rows that satisfy the predicates; undefined: the rows. */
  readonly aggregation?: Aggregation | undefined;
  /** Of rows in an order the first ones are needed, whatever the predicates leave to PostgreSQL. */
  readonly first?: FirstRows | undefined;
  /** Optional columns by which the statement chooses rows, in whatever way, where an input's default leaves some out. */
  readonly chosenBy?: readonly Column[] | undefined;
}

/** A column of the table as an item or a level outside of it has it. */
interface Carried {
  readonly column: Column;
  /** An outer join on the way may have put NULL in its place. */
  readonly nullable: boolean;
}

const NOTHING: Restrictions = { predicates: [], conditions: [], constantConditions: [], limit: [] };
/** In PostgreSQL's tree false is left out. */
const FALSE: Node = { A_Const: { boolval: {} } };

export function restrictionsOf(reference: Reference, statement: Statement): Restrictions {
  const { item, view } = reference;
  const { names } = statement.names.columnsOf(item);
  const carried = (name: string): Carried | undefined => {
    const column = view.columns[names.indexOf(name)]?.column;
    return column === undefined ? undefined : { column, nullable: false };
  };
  const { complete, ...found } = new Outwards(statement, view.table).around(item, carried, true);
  const chosenBy = decisiveOptionals(reference, statement);
  const restrictions = { ...found, first: firstRowsOf(reference, statement), chosenBy };
  if (!complete || restrictions.conditions.length > 0) return restrictions;
  return { ...restrictions, aggregation: aggregationOf(item, (name) => carried(name)?.column, statement) };
}

/** Follows the rows of a table from level to level, as far as they pass unchanged. */
class Outwards {
  readonly #statement: Statement;
  readonly #table: VirtualTable;

  constructor(statement: Statement, table: VirtualTable) {
    this.#statement = statement;
    this.#table = table;
  }

  /**
   * @param flows the rows that come out of the item are the table's, one by one
   * @returns `complete`: the predicates say all that the item's level does
   */
  around(
    item: Item,
    carried: (name: string) => Carried | undefined,
    flows: boolean,
  ): Restrictions & { readonly complete: boolean } {
    const statement = this.#statement;
    const { level } = item;
    const predicates: OpenPredicate[] = [];
    const conditions: OpenCondition[] = [];
    const constants: Node[] = [];
    let complete = true;
    for (const around of surroundingsOf(item, statement).conditions) {
      const condition = { ...around, node: withGivenValues(around.node, statement) };
      if (isConstant(condition.node, level, statement)) {
        constants.push(condition.node);
        continue;
      }
      const found = this.#reads(condition, item) ? this.#predicatesIn(condition.node, item, carried) : [];
      predicates.push(...found);
      if (found.length < comparisonsIn(condition.node)) complete = false;
      if (found.length > 0) continue;
      predicates.push(...this.#rangeIn(condition, item, carried));
      const pattern = this.#patternIn(condition, item, carried);
      predicates.push(...(pattern?.predicates ?? []));
      conditions.push(...(pattern?.conditions ?? this.#conditionsIn(condition, item, carried)));
    }
    const atIndex = (index: number): Carried | undefined => {
      const through = statement.names.passedThrough(level)[index];
      const own = through?.item === item ? carried(through.name) : undefined;
      if (through === undefined || own === undefined) return undefined;
      const output = outputOf({ item, column: through.name, nullable: own.nullable }, statement);
      return output && { column: own.column, nullable: output.nullable };
    };
    const passes = flows && complete && passesRows(level, statement);
    const beyond = this.#beyondLimit(level, atIndex, passes);
    return {
      complete,
      predicates: [...predicates, ...beyond.predicates],
      conditions: [...conditions, ...beyond.conditions],
      constantConditions: [...constants, ...constantsOfLevel(level, statement), ...beyond.constantConditions],
      limit: beyond.limit,
    };
  }

  #beyondLimit(level: Level, atIndex: (index: number) => Carried | undefined, passes: boolean): Restrictions {
    const limit = passes ? limitOf(level, this.#statement) : undefined;
    const beyond = this.#beyond(level, atIndex, limit !== undefined);
    return limit === undefined ? beyond : { ...beyond, limit: [limit, ...beyond.limit] };
  }

  /** What the levels around a level say of its rows. */
  #beyond(level: Level, atIndex: (index: number) => Carried | undefined, flows: boolean): Restrictions {
    const statement = this.#statement;
    const { place, parent } = level;
    const into = (item: Item, alone: boolean): Restrictions => {
      const { names } = statement.names.columnsOf(item);
      return this.around(item, (name) => atIndex(names.indexOf(name)), flows && alone);
    };
    switch (place.kind) {
      case 'statement':
        return NOTHING;
      case 'from':
        return into(place.item, true);
      case 'cte': {
        const outside = place.cte.references.filter((item) => !isWithin(item.level, level));
        const recursive = outside.length < place.cte.references.length;
        if (outside.length === 0) return { ...NOTHING, constantConditions: [FALSE] };
        const each = outside.map((item) => into(item, outside.length === 1 && !recursive));
        const [only] = each;
        if (only !== undefined && each.length === 1 && !recursive) return only;
        return {
          conditions: [],
          predicates: recursive ? [] : saidByAll(each.map(({ predicates }) => predicates)),
          constantConditions: eitherOf(each.map(({ constantConditions }) => constantConditions)),
          limit: [],
        };
      }
      case 'branch': {
        if (parent === undefined) return NOTHING;
        // A set operation may compare another type than the column's, or under another collation.
        const agrees = (index: number, { column }: Carried): boolean =>
          !isCut(parent) && isOfType(parent, index, column.type, statement);
        const passed = (index: number): Carried | undefined => {
          const own = atIndex(index);
          return own !== undefined && agrees(index, own) ? own : undefined;
        };
        const beyond = this.#beyondLimit(parent, passed, flows && passesRows(parent, statement));
        const constants = [...constantsOfLevel(parent, statement), ...beyond.constantConditions];
        return { ...beyond, constantConditions: constants };
      }
      case 'sublink': {
        if (parent === undefined) return NOTHING;
        const beyond = this.#beyond(parent, () => undefined, false);
        const constants = [...constantsOfExpression(parent, place.clause, statement), ...beyond.constantConditions];
        return { ...NOTHING, constantConditions: constants };
      }
    }
  }

  /** The condition reads this item and nothing else, where no outer join has made NULLs of it. */
  #reads(condition: Condition, item: Item): boolean {
    const needs = dependenciesOf(condition.node, item.level, this.#statement);
    const readsOnlyIt = [...needs.items].every((each) => each === item);
    // A source compares byte by byte: another collation may find more texts equal.
    return condition.seesItem && !needs.unrepeatable && readsOnlyIt && !contains(condition.node, 'CollateClause');
  }

  /** Alternatives may read others, too: what they say of this item is true where they are. */
  #conditionsIn(
    { node, seesItem }: Condition,
    item: Item,
    carried: (name: string) => Carried | undefined,
  ): readonly OpenCondition[] {
    if (!seesItem || dependenciesOf(node, item.level, this.#statement).unrepeatable) return [];
    const { column, nullable } = this.#columnOf(item, carried);
    const pattern = (inner: Node): OpenCondition | undefined => eventPatternIn(inner, column, this.#table);
    const found = conditionIn(node, column, item.level, this.#statement, pattern);
    if (found === undefined) return [];
    const certain = simplify(withoutNullTests(found, nullable));
    return certain.kind === 'unknown' || certain.kind === 'constant' ? [] : [certain];
  }

  /** A row that an outer join has filled up has no such value. */
  #rangeIn({ node, seesItem }: Condition, item: Item, carried: (name: string) => Carried | undefined): OpenPredicate[] {
    if (!seesItem || dependenciesOf(node, item.level, this.#statement).unrepeatable) return [];
    const constant = (value: Node): boolean => isConstant(value, item.level, this.#statement);
    return clockRangeIn(node, constant, this.#columnOf(item, carried).column);
  }

  /** A condition that is an event pattern, piece by piece. It is true of no row that an outer join has filled up. */
  #patternIn(
    { node, seesItem }: Condition,
    item: Item,
    carried: (name: string) => Carried | undefined,
  ): Pick<Restrictions, 'predicates' | 'conditions'> | undefined {
    const pattern = seesItem ? eventPatternIn(node, this.#columnOf(item, carried).column, this.#table) : undefined;
    if (pattern === undefined) return undefined;
    const pieces = conjunctsOf(pattern);
    const isPlain = (piece: OpenCondition): boolean =>
      piece.kind === 'predicate' &&
      piece.predicate.steps === undefined &&
      piece.predicate.column.operators.includes(piece.predicate.operator);
    return {
      predicates: pieces.flatMap((piece) => (piece.kind === 'predicate' && isPlain(piece) ? [piece.predicate] : [])),
      conditions: pieces.filter((piece) => !isPlain(piece)),
    };
  }

  #predicatesIn(node: Node, item: Item, carried: (name: string) => Carried | undefined): OpenPredicate[] {
    const { column, nullable } = this.#columnOf(item, carried);
    const found = predicatesIn(node, column, item.level, this.#statement);
    // With fewer rows on its side an outer join makes more NULLs, and every other operator is true of none.
    return found.filter((predicate) => predicate.operator !== 'is null' || !nullable.has(predicate.column));
  }

  #columnOf(item: Item, carried: (name: string) => Carried | undefined): { column: ColumnOf; nullable: Set<Column> } {
    const nullable = new Set<Column>();
    const column = (value: Node | undefined): Column | undefined => {
      const mention = bare(value, 'ColumnRef');
      if (mention === undefined) return undefined;
      const meaning = this.#statement.names.resolve(mention);
      const own = meaning.kind === 'column' && meaning.item === item ? carried(meaning.name) : undefined;
      if (own?.nullable === true) nullable.add(own.column);
      return own?.column;
    };
    return { column, nullable };
  }
}
