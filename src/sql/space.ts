import type { JoinExpr, Node } from '@pgsql/types';
import type { ChangedClause, Item, Level } from './scope.ts';
import { bare } from './walk.ts';

/** What can be named of a part of FROM, as PostgreSQL's namespaces have it. */
export interface Space {
  /** In the order of `*`. */
  readonly columns: readonly SpaceColumn[];
  /** It may have other columns than these. */
  readonly open: boolean;
  readonly items: readonly Item[];
  /** By what columns are qualified with; the alias of a join hides what stands inside. */
  readonly qualifiers: ReadonlyMap<string, Space>;
  /** The joins that must stand as they are for these names to be right. */
  readonly joins: readonly JoinExpr[];
}

export interface SpaceColumn {
  readonly name: string;
  /** The one column that it is, or the two that FULL JOIN has merged. */
  readonly of: { readonly item: Item; readonly name: string } | readonly [SpaceColumn, SpaceColumn];
  /** How an expression outside of it names just this column; undefined where nothing does. */
  readonly as: readonly [qualifier: string, name: string] | undefined;
  /** The joins that must stand as they are for the name to mean this. */
  readonly joins: readonly JoinExpr[];
}

/** The spaces of a level's FROM. */
export class Spaces {
  readonly #columnsOf: (item: Item) => { readonly names: readonly string[]; readonly open: boolean };
  readonly #levels = new Map<Level, Space>();
  readonly #nodes = new Map<Node, Space>();
  readonly #joins = new Map<JoinExpr, Space>();
  readonly #lefts = new Map<Item, Space>();

  constructor(columnsOf: (item: Item) => { readonly names: readonly string[]; readonly open: boolean }) {
    this.#columnsOf = columnsOf;
  }

  ofLevel(level: Level): Space {
    let space = this.#levels.get(level);
    if (space === undefined) {
      space = together((level.select.fromClause ?? []).map((node) => this.of(node, level)));
      this.#levels.set(level, space);
    }
    return space;
  }

  /** From the outside of a FROM entry. */
  of(node: Node, level: Level): Space {
    let space = this.#nodes.get(node);
    if (space === undefined) {
      const join = bare(node, 'JoinExpr');
      space = join === undefined ? this.#leaf(node, level) : aliased(this.inside(join, level), join);
      this.#nodes.set(node, space);
    }
    return space;
  }

  /** What the condition of a join can name. */
  inside(join: JoinExpr, level: Level): Space {
    let space = this.#joins.get(join);
    if (space === undefined) this.#joins.set(join, (space = this.#inside(join, level)));
    return space;
  }

  #inside(join: JoinExpr, level: Level): Space {
    if (join.larg === undefined || join.rarg === undefined) throw new Error('a join of one side');
    const left = this.of(join.larg, level);
    const right = this.of(join.rarg, level);
    const both = together([left, right]);
    const merged = mergedNames(join, left, right).flatMap((name): SpaceColumn[] => {
      const [one, two] = [columnIn(left, name), columnIn(right, name)];
      return one === undefined || two === undefined ? [] : [merge(join, one, two)];
    });
    const isMerged = ({ name }: SpaceColumn): boolean => merged.some((column) => column.name === name);
    const columns = [...merged, ...both.columns.filter((column) => !isMerged(column))];
    const using = join.join_using_alias?.aliasname;
    const qualifiers = new Map(both.qualifiers);
    if (using !== undefined) {
      const own = merged.map((column) => ({ ...column, joins: [...column.joins, join] }));
      qualifiers.set(using, { ...both, columns: own, open: false, qualifiers: new Map(), joins: [join] });
    }
    return { ...both, columns, qualifiers };
  }

  /** What a LATERAL item can name of its own level. */
  leftOf(item: Item): Space {
    let space = this.#lefts.get(item);
    if (space === undefined) this.#lefts.set(item, (space = this.#leftOf(item)));
    return space;
  }

  #leftOf(item: Item): Space {
    const { level } = item;
    const left = (nodes: readonly Node[]): Space[] | undefined => {
      for (const [index, node] of nodes.entries()) {
        const before = nodes.slice(0, index).map((each) => this.of(each, level));
        if (node === item.node) return before;
        const join = bare(node, 'JoinExpr');
        const within = join && left([join.larg, join.rarg].flatMap((side) => side ?? []));
        if (within !== undefined) return [...before, ...within];
      }
      return undefined;
    };
    return together(left(level.select.fromClause ?? []) ?? []);
  }

  /** What RETURNING and ON CONFLICT … DO UPDATE can name. */
  changed({ target, instead, others }: ChangedClause, level: Level): Space {
    const own = this.ofLevel(level);
    const kept: Space = {
      ...own,
      columns: own.columns.filter(({ of }) => !('item' in of) || of.item !== instead),
      items: own.items.filter((item) => item !== instead),
      qualifiers: new Map([...own.qualifiers].filter(([, { items }]) => items.length > 1 || items[0] !== instead)),
    };
    const qualified = others.map((item): Space => ({ ...this.#spaceOf(item), columns: [], open: false }));
    return together([kept, ...(target === undefined ? [] : [this.#spaceOf(target)]), ...qualified]);
  }

  /** The names that USING or NATURAL merges. */
  mergedBy(join: JoinExpr, level: Level): readonly string[] {
    if (join.larg === undefined || join.rarg === undefined) return [];
    return mergedNames(join, this.of(join.larg, level), this.of(join.rarg, level));
  }

  #leaf(node: Node, level: Level): Space {
    const item = level.items.find((candidate) => candidate.node === node);
    return item === undefined ? together([]) : this.#spaceOf(item);
  }

  #spaceOf(item: Item): Space {
    const { names, open } = this.#columnsOf(item);
    const space = {
      columns: names.map((name): SpaceColumn => ({
        name,
        of: { item, name },
        as: item.name === undefined ? undefined : [item.name, name],
        joins: [],
      })),
      open,
      items: [item],
      joins: [],
    };
    const qualifiers = item.name === undefined ? [] : [[item.name, { ...space, qualifiers: new Map() }] as const];
    return { ...space, qualifiers: new Map(qualifiers) };
  }
}

export function columnIn(space: Space, name: string): SpaceColumn | undefined {
  return space.columns.find((column) => column.name === name);
}

function together(spaces: readonly Space[]): Space {
  return {
    columns: spaces.flatMap((space) => space.columns),
    open: spaces.some((space) => space.open),
    items: spaces.flatMap((space) => space.items),
    qualifiers: new Map(spaces.flatMap((space) => [...space.qualifiers])),
    joins: spaces.flatMap((space) => space.joins),
  };
}

function mergedNames(join: JoinExpr, left: Space, right: Space): readonly string[] {
  if (join.isNatural !== true) return (join.usingClause ?? []).map((name) => bare(name, 'String')?.sval ?? '');
  return left.columns.map((column) => column.name).filter((name) => columnIn(right, name) !== undefined);
}

/** PostgreSQL takes the side that is never NULL-extended, and coalesce() of both for FULL JOIN. */
function merge(join: JoinExpr, left: SpaceColumn, right: SpaceColumn): SpaceColumn {
  const joins = [...left.joins, ...right.joins];
  switch (join.jointype) {
    case 'JOIN_FULL':
      return { name: left.name, of: [left, right], as: undefined, joins: [...joins, join] };
    case 'JOIN_RIGHT':
      return mergedInto(right, join);
    default:
      return mergedInto(left, join);
  }
}

/** Only the bare name is left for what has none of its own: it holds while all that merge it stand. */
function mergedInto(column: SpaceColumn, join: JoinExpr): SpaceColumn {
  return { ...column, joins: column.as === undefined ? [...column.joins, join] : column.joins };
}

function aliased(inside: Space, join: JoinExpr): Space {
  const { alias } = join;
  if (alias === undefined) return inside;
  const names = (alias.colnames ?? []).map((name) => bare(name, 'String')?.sval ?? '');
  const columns = inside.columns.map((column, index): SpaceColumn => {
    const name = names[index] ?? column.name;
    return { ...column, name, as: [alias.aliasname ?? '', name], joins: [...column.joins, join] };
  });
  const space = { ...inside, columns, qualifiers: new Map<string, Space>(), joins: [...inside.joins, join] };
  return { ...space, qualifiers: new Map([[alias.aliasname ?? '', space]]) };
}
