import type { ColumnRef, JoinExpr, Node } from '@pgsql/types';
import { fieldsOf, isWithin, type Item, type Level, type Scopes } from '../sql/scope.ts';
import type { Names } from '../sql/names.ts';
import { columnIn, type SpaceColumn } from '../sql/space.ts';
import { bare, walk } from '../sql/walk.ts';

/** Positions of an item's columns. */
export type Positions = ReadonlySet<number>;

interface Resolved {
  readonly scopes: Scopes;
  readonly names: Names;
}

/**
 * The columns of each item that the text names, as PostgreSQL checks privileges. Deliberately generous, because a column
 * left out would be NULL: a bare name counts for each item that has it, wherever it stands.
 */
export function namedColumns(statement: Resolved): (item: Item) => Positions {
  return new Columns(statement, new Set()).run();
}

/**
 * Of those, the ones whose values can matter: `select *` of a derived table, a CTE or EXISTS reads what is used of it in
 * the end. Only plain mentions in a target list are left out: an expression may fail, or give several rows.
 */
export function neededColumns(statement: Resolved): (item: Item) => Positions {
  return new Columns(statement, passingLevels(statement)).run();
}

class Columns {
  readonly #statement: Resolved;
  readonly #passing: ReadonlySet<Level>;
  readonly #found = new Map<Item, Set<number>>();
  readonly #byName = new Map<string, Item[]>();
  readonly #byColumn = new Map<string, Item[]>();

  /** @param passing levels whose plain output columns count only where they are used */
  constructor(statement: Resolved, passing: ReadonlySet<Level>) {
    this.#statement = statement;
    this.#passing = passing;
    for (const item of statement.scopes.items) {
      if (item.name !== undefined) add(this.#byName, item.name, item);
      for (const name of new Set(this.#namesOf(item))) add(this.#byColumn, name, item);
    }
  }

  run(): (item: Item) => Positions {
    const { scopes } = this.#statement;
    const later = new Set<ColumnRef>();
    for (const level of this.#passing)
      for (const column of plainTargets(level)) if (column !== undefined) later.add(column);
    for (const column of scopes.levelOf.keys()) if (!later.has(column)) this.#mentioned(column);
    for (const level of scopes.levels) {
      this.#joined(level);
      if (this.#passing.has(level)) this.#sorted(level);
    }
    return (item) => this.#found.get(item) ?? new Set();
  }

  #namesOf(item: Item): readonly string[] {
    return this.#statement.names.columnsOf(item).names;
  }

  #mentioned(column: ColumnRef): void {
    const meaning = this.#statement.names.resolve(column);
    if (meaning.kind === 'column') this.#column(meaning.item, meaning.name);
    else if (meaning.kind === 'row' && meaning.merged !== undefined) this.#merged(meaning.merged);
    else if (meaning.kind === 'row') for (const item of meaning.items) this.#whole(item);
    const [name = '', qualifier] = [...fieldsOf(column)].reverse();
    // A function whose columns are not known may hide a whole row, or not.
    if (meaning.kind === 'unknown' && qualifier === undefined)
      for (const item of this.#byName.get(name) ?? []) this.#whole(item);
    for (const item of this.#byColumn.get(name) ?? [])
      if (qualifier === undefined || qualifier === item.name) this.#column(item, name);
  }

  /** What USING and NATURAL compare. */
  #joined(level: Level): void {
    const { spaces } = this.#statement.names;
    for (const join of joinsOf(level)) {
      if (join.larg === undefined || join.rarg === undefined) continue;
      const sides = [spaces.of(join.larg, level), spaces.of(join.rarg, level)];
      if (join.isNatural === true && sides.some(({ open }) => open))
        for (const item of sides.flatMap(({ items }) => items)) this.#whole(item);
      for (const name of spaces.mergedBy(join, level))
        for (const side of sides) {
          const column = columnIn(side, name);
          if (column !== undefined) this.#merged(column);
        }
    }
  }

  /** ORDER BY takes positions and names of output columns. */
  #sorted(level: Level): void {
    const { names } = this.#statement.names.outputs(level);
    for (const node of level.select.sortClause ?? []) {
      const sorted = bare(node, 'SortBy')?.node;
      const position = bare(sorted, 'A_Const')?.ival?.ival;
      const [name, ...others] = fieldsOf(bare(sorted, 'ColumnRef') ?? {});
      if (position !== undefined) this.#output(level, position - 1);
      for (const [index, own] of names.entries()) if (others.length === 0 && own === name) this.#output(level, index);
    }
  }

  #merged({ of }: SpaceColumn): void {
    if ('item' in of) this.#column(of.item, of.name);
    else for (const part of of) this.#merged(part);
  }

  #column(item: Item, name: string): void {
    const names = this.#namesOf(item);
    // `x.f` may be a function of the whole row.
    if (!names.includes(name)) this.#whole(item);
    for (const [index, own] of names.entries()) if (own === name) this.#position(item, index);
  }

  #whole(item: Item): void {
    for (const index of this.#namesOf(item).keys()) this.#position(item, index);
  }

  #position(item: Item, index: number): void {
    const found = this.#found.get(item) ?? new Set();
    if (found.has(index)) return;
    this.#found.set(item, found.add(index));
    const level = item.subquery ?? item.cte?.level;
    if (level !== undefined) this.#output(level, index);
  }

  #output(level: Level, index: number): void {
    if (!this.#passing.has(level)) return;
    for (const branch of level.branches) this.#output(branch, index);
    let at = 0;
    for (const column of level.branches.length > 0 ? [] : plainTargets(level)) {
      const starred = column !== undefined && isStar(column);
      const columns = starred ? (this.#statement.names.starred({ ColumnRef: column }, level)?.columns ?? []) : [];
      const passed = columns[index - at];
      if (passed !== undefined) this.#merged(passed);
      else if (!starred && index === at && column !== undefined) this.#mentioned(column);
      at += starred ? columns.length : 1;
    }
  }
}

/** Levels whose rows are as many, in the same order and otherwise the same whichever values their plain columns have. */
function passingLevels({ scopes, names }: Resolved): Set<Level> {
  const passing = new Set<Level>();
  // Outermost first.
  for (const level of scopes.levels) {
    const { select, place, parent } = level;
    const lists = [select.distinctClause, select.groupClause, select.valuesLists];
    if (lists.some((list) => (list ?? []).length > 0) || names.outputs(level).open) continue;
    if (level.branches.length > 0 && !(select.op === 'SETOP_UNION' && select.all === true)) continue;
    const isPassing = ((): boolean => {
      switch (place.kind) {
        case 'statement':
          return false;
        case 'from':
          return true;
        case 'cte':
          return !place.cte.references.some((item) => isWithin(item.level, level));
        case 'sublink':
          return place.node.subLinkType === 'EXISTS_SUBLINK';
        case 'branch':
          return parent !== undefined && passing.has(parent);
      }
    })();
    if (isPassing) passing.add(level);
  }
  return passing;
}

/** For each entry of a target list the column or row that it is a plain mention of. */
function plainTargets({ select }: Level): (ColumnRef | undefined)[] {
  return (select.targetList ?? []).map((node) => bare(bare(node, 'ResTarget')?.val, 'ColumnRef'));
}

function isStar(column: ColumnRef): boolean {
  return fieldsOf(column).at(-1) === '*';
}

function joinsOf({ select }: Level): JoinExpr[] {
  const joins: JoinExpr[] = [];
  walk(select.fromClause, (node: Node, kind) => {
    if (kind === 'SelectStmt') return false;
    const join = kind === 'JoinExpr' ? bare(node, 'JoinExpr') : undefined;
    if (join !== undefined) joins.push(join);
    return undefined;
  });
  return joins;
}

function add(map: Map<string, Item[]>, name: string, item: Item): void {
  const items = map.get(name);
  if (items === undefined) map.set(name, [item]);
  else items.push(item);
}
