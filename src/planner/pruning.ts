import type { JoinExpr, JoinType, Node } from '@pgsql/types';
import type { Item, Level } from '../sql/scope.ts';
import { bare, walk } from '../sql/walk.ts';
import { conjunctsOf, dependenciesOf, type Dependencies } from './dependencies.ts';
import { leavesOf, reducedJoinTypes } from './joins.ts';
import { and, withRowOfNulls } from './nodes.ts';
import type { Statement } from './statement.ts';

/**
 * The FROM entries of a level as far as they can be read, all to be joined: a superset of their rows as far as the
 * remaining columns go.
 */
export function keep(
  pieces: readonly Node[],
  within: Omit<Kept, 'nodes' | 'items' | 'filters' | 'dropped' | 'grouped'>,
  isKept: (item: Item) => boolean,
  statement: Statement,
): Kept {
  const { level } = within;
  const nodes: Node[] = [];
  const items = new Set<Item>();
  const filters: Node[] = [];
  const dropped: Node[] = [];
  const kept: Kept = { ...within, nodes, items, filters, dropped, grouped: false };
  const pruning: Pruning = {
    isKept,
    filters,
    dropped,
    padded: { count: 0 },
    types: reducedJoinTypes(level, statement),
    statement,
  };
  for (const piece of pieces) {
    const node = prune(piece, kept, pruning);
    if (node === undefined) continue;
    nodes.push(node);
    for (const leaf of leavesOf(node, level)) items.add(leaf);
  }
  return kept;
}

/** Whether what a FROM entry names of other entries and of levels around it is kept. */
function isStanding(node: Node, kept: Kept, statement: Statement): boolean {
  const needs = dependenciesOf(node, kept.level, statement);
  for (let at: Kept | undefined = kept; at !== undefined; at = at.outer)
    if (!stand(needs, at.level, at.nodes)) return false;
  return [...needs.items].every((item) => {
    for (let at: Kept | undefined = kept; at !== undefined; at = at.outer)
      if (at.level === item.level) return at.items.has(item);
    return false;
  });
}

/** What LATERAL sees on the right side of a join. */
function besides(kept: Kept, left: Node | undefined): Kept {
  if (left === undefined) return kept;
  const items = new Set([...kept.items, ...leavesOf(left, kept.level)]);
  return { ...kept, nodes: [...kept.nodes, left], items };
}

interface Pruning {
  readonly isKept: (item: Item) => boolean;
  readonly filters: Node[];
  readonly dropped: Node[];
  /** Sides of outer joins that stand without the other one. */
  readonly padded: { count: number };
  readonly types: ReadonlyMap<JoinExpr, JoinType>;
  readonly statement: Statement;
}

/** A FROM entry without the items that cannot be read yet. Undefined where nothing sound remains. */
function prune(node: Node, around: Kept, pruning: Pruning): Node | undefined {
  const { isKept, statement } = pruning;
  const { level } = around;
  const join = bare(node, 'JoinExpr');
  if (join?.larg === undefined || join.rarg === undefined) {
    const [item] = leavesOf(node, level);
    // LATERAL over what is not there: without the entry there are only more rows.
    return item !== undefined && isKept(item) && isStanding(node, around, statement) ? node : undefined;
  }
  const type = pruning.types.get(join);
  // What an outer join may leave out filters no row of the other side.
  const optional = { ...pruning, filters: [] };
  if (type === undefined) {
    // No join of the statement: an entry with a row of NULLs more.
    const entry = prune(join.rarg, around, optional);
    return entry === join.rarg ? node : entry && { JoinExpr: { ...join, rarg: entry } };
  }
  const left = prune(join.larg, around, type === 'JOIN_INNER' || type === 'JOIN_LEFT' ? pruning : optional);
  const right = prune(
    join.rarg,
    besides(around, left),
    type === 'JOIN_INNER' || type === 'JOIN_RIGHT' ? pruning : optional,
  );
  const whole = left === join.larg && right === join.rarg;
  const sides = [left, right].flatMap((side) => side ?? []);
  const kept = { ...around, nodes: sides, items: new Set(sides.flatMap((side) => leavesOf(side, level))) };
  const usable = conjunctsOf(join.quals).filter((qual) => isUsable(qual, kept, statement));
  // What says which rows of one side match takes away none of the other.
  if (type === 'JOIN_INNER') pruning.dropped.push(...conjunctsOf(join.quals).filter((qual) => !usable.includes(qual)));
  const allUsable = usable.length === conjunctsOf(join.quals).length;
  if (whole && allUsable) return node;
  // Without its partner a merged column would change its meaning.
  const isMerging = join.isNatural === true || (join.usingClause ?? []).length > 0;
  switch (type) {
    case 'JOIN_LEFT':
    case 'JOIN_RIGHT': {
      const [kept, other, own] = type === 'JOIN_LEFT' ? [left, right, join.rarg] : [right, left, join.larg];
      // More rows of the side that is kept match what they would; of a side with other rows nobody knows whether they do.
      if (kept === undefined || other !== own || !allUsable || isMerging) return kept ?? orNulls(other, pruning);
      return joined(type, left, right, usable);
    }
    case 'JOIN_FULL':
      return sides.length === 1 ? orNulls(sides[0], pruning) : undefined;
    case 'JOIN_INNER': {
      if (left === undefined || right === undefined) {
        pruning.filters.push(...usable);
        return left ?? right;
      }
      return isMerging ? undefined : joined(type, left, right, usable);
    }
    default:
      return undefined;
  }
}

function joined(
  jointype: JoinType,
  larg: Node | undefined,
  rarg: Node | undefined,
  quals: readonly Node[],
): Node | undefined {
  if (larg === undefined || rarg === undefined) return undefined;
  return { JoinExpr: { jointype, larg, rarg, ...(quals.length === 0 ? {} : { quals: and(quals) }) } };
}

/** What an outer join keeps of the other side, which is gone, has a row of this one or NULLs beside it. */
function orNulls(side: Node | undefined, pruning: Pruning): Node | undefined {
  if (side === undefined) return undefined;
  pruning.padded.count += 1;
  return withRowOfNulls(side, `outer_${String(pruning.padded.count)}`);
}

/** What is kept of a level in a key query, and of the levels around it. */
export interface Kept {
  readonly level: Level;
  /** FROM entries. */
  readonly nodes: readonly Node[];
  readonly items: ReadonlySet<Item>;
  /** What joins say of what is left of them. */
  readonly filters: readonly Node[];
  /** What joins say beyond that, which cannot be computed yet. */
  readonly dropped: readonly Node[];
  /** Whether an item's rows can be read now: of what subqueries name. */
  readonly readable: (item: Item) => boolean;
  /** Its rows are grouped as the statement groups them: aggregates have a value. */
  readonly grouped: boolean;
  readonly outer: Kept | undefined;
}

/** Whether an expression of a level can be computed from what is kept, with the same answer each time. */
export function isUsable(value: unknown, kept: Kept, statement: Statement): boolean {
  const needs = dependenciesOf(value, kept.level, statement);
  const around = new Map<Level, Kept>();
  for (let at: Kept | undefined = kept; at !== undefined; at = at.outer) around.set(at.level, at);
  return (
    !needs.unrepeatable &&
    !needs.windows &&
    [...needs.aggregates].every((level) => around.get(level)?.grouped === true) &&
    [...needs.items].every((item) => around.get(item.level)?.items.has(item) === true) &&
    [...needs.references].every((reference) => reference.item.level === kept.level || kept.readable(reference.item)) &&
    [...statement.ctesIn(value)].every((cte) => cte.level !== undefined) &&
    [...around.values()].every(({ level, nodes }) => stand(needs, level, nodes))
  );
}

/** Whether the joins of a level that an expression names columns by are whole in what is kept of FROM. */
function stand(needs: Dependencies, level: Level, kept: readonly Node[]): boolean {
  if (needs.joins.size === 0) return true;
  const [own, whole] = [joinsIn(level.select.fromClause ?? []), joinsIn(kept)];
  return [...needs.joins].every((join) => !own.has(join) || whole.has(join));
}

function joinsIn(nodes: readonly Node[]): Set<JoinExpr> {
  const found = new Set<JoinExpr>();
  walk(nodes, (node, kind) => {
    if (kind === 'SelectStmt') return false;
    const join = kind === 'JoinExpr' ? bare(node, 'JoinExpr') : undefined;
    if (join !== undefined) found.add(join);
    return undefined;
  });
  return found;
}
