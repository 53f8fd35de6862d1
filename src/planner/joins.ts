import type { JoinExpr, JoinType, Node } from '@pgsql/types';
import type { Item, Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import { conjunctsOf } from './dependencies.ts';
import type { Statement } from './statement.ts';
import { nonNullItems, type InnerConditions } from './strictness.ts';

/** The items below a FROM entry. */
export function leavesOf(node: Node, level: Level): Item[] {
  const join = bare(node, 'JoinExpr');
  if (join?.larg !== undefined && join.rarg !== undefined)
    return [...leavesOf(join.larg, level), ...leavesOf(join.rarg, level)];
  return level.items.filter((item) => item.node === node);
}

const reduced = new WeakMap<Level, ReadonlyMap<JoinExpr, JoinType>>();

/**
 * Join types after PostgreSQL's own reduction (reduce_outer_joins), done here for what strictness.ts knows of. Asked for
 * with every item and every way to its keys: they are found once a level.
 */
export function reducedJoinTypes(level: Level, statement: Statement): ReadonlyMap<JoinExpr, JoinType> {
  let types = reduced.get(level);
  if (types === undefined) reduced.set(level, (types = reduceJoins(level, statement)));
  return types;
}

function reduceJoins(level: Level, statement: Statement): ReadonlyMap<JoinExpr, JoinType> {
  const types = new Map<JoinExpr, JoinType>();
  const where = new Set(conjunctsOf(level.select.whereClause).flatMap((node) => nonNull(node, level, statement)));
  for (const node of level.select.fromClause ?? []) reduce(node, where, level, statement, types);
  return types;
}

export function innerConditions(level: Level, statement: Statement): InnerConditions {
  const types = reducedJoinTypes(level, statement);
  const conditions = [...conjunctsOf(level.select.whereClause)];
  const items = new Set<Item>();
  const descend = (node: Node): void => {
    const join = bare(node, 'JoinExpr');
    if (join?.larg === undefined || join.rarg === undefined) {
      for (const item of leavesOf(node, level)) items.add(item);
      return;
    }
    const type = types.get(join);
    if (type === 'JOIN_INNER') conditions.push(...conjunctsOf(join.quals));
    if (type === 'JOIN_INNER' || type === 'JOIN_LEFT') descend(join.larg);
    if (type === 'JOIN_INNER' || type === 'JOIN_RIGHT') descend(join.rarg);
  };
  for (const node of level.select.fromClause ?? []) descend(node);
  return { conditions, items };
}

function nonNull(node: Node, level: Level, statement: Statement): readonly Item[] {
  return [...nonNullItems(node, level, statement, (inner) => innerConditions(inner, statement))];
}

function reduce(
  node: Node,
  notNull: ReadonlySet<Item>,
  level: Level,
  statement: Statement,
  types: Map<JoinExpr, JoinType>,
): void {
  const join = bare(node, 'JoinExpr');
  if (join?.larg === undefined || join.rarg === undefined) return;
  const has = (side: Node): boolean => leavesOf(side, level).some((item) => notNull.has(item));
  let type = join.jointype ?? 'JOIN_INNER';
  if (type === 'JOIN_FULL') {
    const [left, right] = [has(join.larg), has(join.rarg)];
    if (left || right) type = left && right ? 'JOIN_INNER' : left ? 'JOIN_LEFT' : 'JOIN_RIGHT';
  }
  if (type === 'JOIN_LEFT' && has(join.rarg)) type = 'JOIN_INNER';
  if (type === 'JOIN_RIGHT' && has(join.larg)) type = 'JOIN_INNER';
  types.set(join, type);
  const quals = new Set(conjunctsOf(join.quals).flatMap((qual) => nonNull(qual, level, statement)));
  const both = new Set([...notNull, ...quals]);
  const none = new Set<Item>();
  const below = { JOIN_INNER: [both, both], JOIN_LEFT: [notNull, quals], JOIN_RIGHT: [quals, notNull] } as const;
  const [left, right] = type in below ? below[type as keyof typeof below] : [none, none];
  reduce(join.larg, left, level, statement, types);
  reduce(join.rarg, right, level, statement, types);
}
