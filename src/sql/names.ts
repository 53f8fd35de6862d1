import type { Alias, ColumnRef, JoinExpr, Node, ResTarget } from '@pgsql/types';
import { columnName, isStar } from './column-name.ts';
import { fieldsOf, type Clause, type Item, type Level, type Scopes } from './scope.ts';
import { columnIn, Spaces, type Space, type SpaceColumn } from './space.ts';
import { bare } from './walk.ts';

/** What a column reference means. `joins`: those that must stand as they are, or the name means something else. */
export type Meaning =
  | { readonly kind: 'column'; readonly item: Item; readonly name: string; readonly joins: readonly JoinExpr[] }
  /** `a.*`, `*` (items: all of the level), a whole row; or the one column `merged`, made of more than one item's. */
  | {
      readonly kind: 'row';
      readonly items: readonly Item[];
      readonly joins: readonly JoinExpr[];
      readonly merged: SpaceColumn | undefined;
    }
  /** May be a column of an item whose columns are not known here (a function's). */
  | { readonly kind: 'unknown'; readonly level: Level };

/** Column names of an item or level; `open`: it may have others. */
export interface ColumnSet {
  readonly names: readonly string[];
  readonly open: boolean;
}

const OPEN: ColumnSet = { names: [], open: true };

/** Name resolution as PostgreSQL does it, for a statement that PostgreSQL has already accepted. */
export class Names {
  readonly #scopes: Scopes;
  readonly #relationColumns: (item: Item) => readonly string[] | undefined;
  readonly #items = new Map<Item, ColumnSet>();
  readonly spaces = new Spaces((item) => this.columnsOf(item));
  readonly #outputs = new Map<Level, ColumnSet>();

  /** `relationColumns`: the columns of an item of kind 'relation', in order; undefined where they are not known. */
  constructor(scopes: Scopes, relationColumns: (item: Item) => readonly string[] | undefined) {
    this.#scopes = scopes;
    this.#relationColumns = relationColumns;
  }

  resolve(column: ColumnRef): Meaning {
    const level = this.#scopes.levelOf.get(column);
    if (level === undefined) throw new Error('column reference of another statement');
    const fields = fieldsOf(column);
    if (fields.length === 1) {
      const name = fields[0] ?? '';
      return name === '*' ? rowOf(this.spaces.ofLevel(level)) : this.#resolveBare(name, column, level);
    }
    // With three or more fields the first are catalog and schema: of a relation without an alias.
    const [qualifier = '', name = ''] = fields.slice(-2);
    for (const { space } of this.#spacesAround(column, level)) {
      const named = space.qualifiers.get(qualifier);
      if (named === undefined) continue;
      if (name === '*') return rowOf(named);
      const found = columnIn(named, name);
      if (found !== undefined) return meaningOf(found);
      const [only] = named.items;
      // A system column, or one of an item whose columns are not known.
      if (only !== undefined && named.items.length === 1 && named.joins.length === 0)
        return { kind: 'column', item: only, name, joins: [] };
      return rowOf(named);
    }
    return { kind: 'unknown', level };
  }

  /** The column that a name without a qualifier means. */
  bareColumn(column: ColumnRef): SpaceColumn | undefined {
    const level = this.#scopes.levelOf.get(column);
    const [name = '', ...others] = fieldsOf(column);
    if (level === undefined || others.length > 0) return undefined;
    for (const { space } of this.#spacesAround(column, level)) {
      const found = columnIn(space, name);
      if (found !== undefined || space.open) return found;
    }
    return undefined;
  }

  #resolveBare(name: string, column: ColumnRef, level: Level): Meaning {
    let openLevel: Level | undefined;
    let open: readonly Item[] = [];
    for (const { space, level: at } of this.#spacesAround(column, level)) {
      const found = columnIn(space, name);
      if (found !== undefined && openLevel === undefined) return meaningOf(found);
      // It is this one, or one that is not known hides it.
      if (found !== undefined)
        return { kind: 'row', items: [...open, ...itemsOf(found)], joins: found.joins, merged: found };
      if (!space.open || openLevel !== undefined) continue;
      openLevel = at;
      open = space.items.filter((item) => this.columnsOf(item).open);
    }
    // Only where no level has such a column it may be a whole row.
    let beyond = false;
    for (const { space, level: at } of this.#spacesAround(column, level)) {
      const row = space.qualifiers.get(name);
      if (row !== undefined) return beyond ? { ...rowOf(row), items: [...open, ...row.items] } : rowOf(row);
      beyond ||= at === openLevel;
    }
    return { kind: 'unknown', level: openLevel ?? level };
  }

  /** What can be named at a place: on its level, and on those around it. */
  *#spacesAround(column: ColumnRef, level: Level): Iterable<{ readonly space: Space; readonly level: Level }> {
    let clause = this.#scopes.clauseOf.get(column);
    for (let at: Level | undefined = level; at !== undefined;) {
      yield { space: this.#spaceOf(clause, at), level: at };
      const next = outward(at);
      while (at.parent !== next && at.parent !== undefined) at = at.parent;
      clause = clauseOfPlace(at);
      at = next;
    }
  }

  /** A condition names what its join joins; an item of FROM what stands to its left; RETURNING rows that are changed. */
  #spaceOf(clause: Clause | undefined, level: Level): Space {
    if (clause?.kind === 'changed') return this.spaces.changed(clause, level);
    if (clause?.kind === 'on') return this.spaces.inside(clause.join, level);
    return clause?.kind === 'from' ? this.spaces.leftOf(clause.item) : this.spaces.ofLevel(level);
  }

  columnsOf(item: Item): ColumnSet {
    let set = this.#items.get(item);
    if (set === undefined) {
      this.#items.set(item, OPEN); // a recursive CTE names itself
      set = this.#computeColumns(item);
      this.#items.set(item, set);
    }
    return set;
  }

  #computeColumns(item: Item): ColumnSet {
    switch (item.kind) {
      case 'relation': {
        const names = this.#relationColumns(item);
        return names === undefined ? OPEN : renamed({ names, open: false }, item.rangeVar?.alias);
      }
      case 'changed': {
        const names = this.#relationColumns(item);
        return names === undefined ? OPEN : { names, open: false };
      }
      case 'cte': {
        if (item.cte?.level === undefined) return OPEN;
        const own = renamedBy(this.outputs(item.cte.level), item.cte.node.aliascolnames);
        return renamed(own, item.rangeVar?.alias);
      }
      case 'subquery':
        return item.subquery === undefined
          ? OPEN
          : renamed(this.outputs(item.subquery), bare(item.node, 'RangeSubselect')?.alias);
      case 'other': {
        const called = bare(item.node, 'RangeFunction');
        const defined = (called?.coldeflist ?? []).map((node) => bare(node, 'ColumnDef')?.colname ?? '');
        // Without a list they are the function's own, which are not known here.
        return renamed({ names: defined, open: defined.length === 0 }, called?.alias);
      }
    }
  }

  /** The output columns of a level. */
  outputs(level: Level): ColumnSet {
    let set = this.#outputs.get(level);
    if (set === undefined) {
      this.#outputs.set(level, OPEN);
      set = this.#computeOutputs(level);
      this.#outputs.set(level, set);
    }
    return set;
  }

  #computeOutputs(level: Level): ColumnSet {
    const first = level.branches[0];
    if (first !== undefined) return this.outputs(first);
    const values = level.select.valuesLists?.[0];
    if (values !== undefined) {
      return {
        names: (bare(values, 'List')?.items ?? []).map((_node, index) => `column${String(index + 1)}`),
        open: false,
      };
    }
    const sets = (level.select.targetList ?? []).map((node) => this.#outputOf(bare(node, 'ResTarget'), level));
    return { names: sets.flatMap((set) => set.names), open: sets.some((set) => set.open) };
  }

  #outputOf(target: ResTarget | undefined, level: Level): ColumnSet {
    if (target?.name !== undefined) return { names: [target.name], open: false };
    if (!isStar(target?.val)) {
      const column = bare(target?.val, 'ColumnRef');
      const name = column === undefined ? columnName(target?.val) : (fieldsOf(column).at(-1) ?? '');
      return { names: [name ?? ''], open: name === undefined };
    }
    const space = this.starred(target?.val, level);
    return { names: space?.columns.map(({ name }) => name) ?? [], open: space?.open ?? true };
  }

  /** What `*`, `a.*` or `(a).*` stands for; undefined where that is not known, as for a composite column. */
  starred(value: Node | undefined, level: Level): Space | undefined {
    const composite = bare(value, 'A_Indirection');
    const column = bare(composite === undefined ? value : composite.arg, 'ColumnRef');
    if (column === undefined || (composite?.indirection?.length ?? 1) > 1) return undefined;
    const fields = composite === undefined ? fieldsOf(column).slice(0, -1) : fieldsOf(column);
    if (fields.length === 0) return this.spaces.ofLevel(level);
    if (composite !== undefined) {
      const meaning = this.resolve(column);
      if (meaning.kind !== 'row' || meaning.merged !== undefined) return undefined;
    }
    return this.spaces.ofLevel(level).qualifiers.get(fields.at(-1) ?? '');
  }

  /**
   * For each output column of a level the column that it passes through unchanged; undefined where it is computed, and
   * behind a row of which nobody knows how many columns it has.
   */
  passedThrough(level: Level): readonly ({ readonly item: Item; readonly name: string } | undefined)[] {
    let isCounted = true;
    return (level.select.targetList ?? []).flatMap((node) => {
      const value = bare(node, 'ResTarget')?.val;
      if (isStar(value)) {
        const space = this.starred(value, level);
        isCounted &&= space !== undefined;
        return (space?.columns ?? []).map(({ of }) => (isCounted && 'item' in of ? of : undefined));
      }
      const column = bare(value, 'ColumnRef');
      if (column === undefined || !isCounted) return [undefined];
      const meaning = this.resolve(column);
      return meaning.kind === 'column' && meaning.item.level === level ? [meaning] : [undefined];
    });
  }
}

function meaningOf(column: SpaceColumn): Meaning {
  const { of, joins } = column;
  return 'item' in of
    ? { kind: 'column', ...of, joins }
    : { kind: 'row', items: itemsOf(column), joins, merged: column };
}

function itemsOf({ of }: SpaceColumn): readonly Item[] {
  return 'item' in of ? [of.item] : of.flatMap(itemsOf);
}

function rowOf({ items, joins }: Space): Extract<Meaning, { kind: 'row' }> {
  return { kind: 'row', items, joins, merged: undefined };
}

/** The clause of the outer level in which a level stands. */
function clauseOfPlace({ place }: Level): Clause | undefined {
  if (place.kind === 'sublink') return place.clause;
  return place.kind === 'from' ? { kind: 'from', item: place.item } : undefined;
}

/** The next level whose items an expression of this level can name. */
export function outward(level: Level): Level | undefined {
  if (level.parent === undefined) return undefined;
  switch (level.place.kind) {
    case 'statement':
      return undefined;
    case 'sublink':
    case 'branch':
      return level.parent;
    case 'from':
      return level.place.lateral ? level.parent : outward(level.parent);
    case 'cte':
      return outward(level.parent);
  }
}

function renamed(set: ColumnSet, alias: Alias | undefined): ColumnSet {
  return renamedBy(set, alias?.colnames);
}

function renamedBy(set: ColumnSet, colnames: Node[] | undefined): ColumnSet {
  const names = strings(colnames);
  if (names.length === 0) return set;
  // Which of its columns those are that are known is not.
  if (set.open && set.names.length > 0) return OPEN;
  return { names: [...names, ...set.names.slice(names.length)], open: set.open };
}

function strings(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).map((node) => bare(node, 'String')?.sval ?? '');
}
