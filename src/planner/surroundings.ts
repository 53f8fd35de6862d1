import type { JoinExpr, JoinType, Node } from '@pgsql/types';
import type { Item, Level } from '../sql/scope.ts';
import { columnIn } from '../sql/space.ts';
import { bare } from '../sql/walk.ts';
import { conjunctsOf, dependenciesOf } from './dependencies.ts';
import { leavesOf, reducedJoinTypes } from './joins.ts';
import { orRowOfNulls, withRowOfNulls } from './nodes.ts';
import type { Statement } from './statement.ts';

/** A conjunct that every row of the statement in which a given item's row counts must satisfy. */
export interface Condition {
  readonly node: Node;
  /** False where an outer join below may have replaced the item's row by NULLs: it bounds nothing then. */
  readonly seesItem: boolean;
  /** Items whose columns it must not read, because an outer join may have replaced them by NULLs together with ours. */
  readonly hidden: ReadonlySet<Item>;
}

/** An equality that USING or NATURAL implies: the item's column, and what the other side's is. */
export interface Merged {
  readonly column: string;
  readonly other: Node;
}

/** The rest of an item's level, as far as it says anything about which of the item's rows count. */
export interface Surroundings {
  /** FROM entries without the item, all to be inner-joined. */
  readonly pieces: readonly Node[];
  /** Those of them that an outer join may leave out, with a row of NULLs more, and the entries that they stand for. */
  readonly optional: ReadonlyMap<Node, Node>;
  readonly conditions: readonly Condition[];
  readonly merged: readonly Merged[];
  /** What is true of conditions of WHERE, whichever they are. */
  readonly inWhere: Omit<Condition, 'node'>;
}

interface Walked {
  readonly pieces: Node[];
  readonly optional: Map<Node, Node>;
  readonly conditions: Condition[];
  readonly merged: Merged[];
  hidden: Set<Item>;
  seesItem: boolean;
}

/**
 * What surrounds an item of a level.
 *
 * An equality in an outer join bounds only the side that the join may leave out; on the preserved side it says nothing
 * about which rows appear. A WHERE conjunct that no NULL-extended row passes makes the join an inner one.
 */
export function surroundingsOf(item: Item, statement: Statement): Surroundings {
  const { level } = item;
  const from = level.select.fromClause ?? [];
  const types = reducedJoinTypes(level, statement);
  const pieces: Node[] = [];
  let own: Walked | undefined;
  for (const node of from) {
    const walked = around(node, item, level, types, statement);
    pieces.push(...(walked?.pieces ?? [node]));
    own ??= walked;
  }
  if (own === undefined) throw new Error('an item outside of its level');
  const inWhere = { seesItem: own.seesItem, hidden: own.hidden };
  const where = conjunctsOf(level.select.whereClause).map((node): Condition => ({ node, ...inWhere }));
  return { pieces, optional: own.optional, conditions: [...own.conditions, ...where], merged: own.merged, inWhere };
}

/** Whether an outer join of its level may put NULLs in the place of an item's row. */
export function isNullable(item: Item, statement: Statement): boolean {
  const types = reducedJoinTypes(item.level, statement);
  const walked = (item.level.select.fromClause ?? []).map((node) => around(node, item, item.level, types, statement));
  return walked.some((own) => own?.seesItem === false);
}

function around(
  node: Node,
  item: Item,
  level: Level,
  types: ReadonlyMap<JoinExpr, JoinType>,
  statement: Statement,
): Walked | undefined {
  if (node === item.node)
    return { pieces: [], optional: new Map(), conditions: [], merged: [], hidden: new Set(), seesItem: true };
  const join = bare(node, 'JoinExpr');
  if (join?.larg === undefined || join.rarg === undefined) return undefined;
  const left = around(join.larg, item, level, types, statement);
  const right = left === undefined ? around(join.rarg, item, level, types, statement) : undefined;
  const own = left ?? right;
  if (own === undefined) return undefined;
  const other = left === undefined ? join.larg : join.rarg;
  const mine = left === undefined ? join.rarg : join.larg;
  const type = types.get(join) ?? 'JOIN_INNER';
  const nullable = type === (left === undefined ? 'JOIN_LEFT' : 'JOIN_RIGHT');
  if (type === 'JOIN_INNER' || nullable) {
    // LATERAL items name what stands to their left: the order stays.
    if (left === undefined) own.pieces.unshift(other);
    else own.pieces.push(other);
    const { hidden, seesItem } = own;
    own.conditions.push(...conjunctsOf(join.quals).map((qual): Condition => ({ node: qual, seesItem, hidden })));
    if (seesItem) own.merged.push(...mergedColumns(join, { mine, other }, item, statement));
  } else if (type !== 'JOIN_FULL') {
    const suffix = String(own.pieces.length);
    const { quals } = join;
    const isAlone = quals !== undefined && standsAlone(quals, other, level, statement);
    const piece = isAlone ? orRowOfNulls(other, quals, suffix) : withRowOfNulls(other, suffix);
    if (!isAlone) own.optional.set(piece, other);
    if (left === undefined) own.pieces.unshift(piece);
    else own.pieces.push(piece);
  }
  if (nullable || type === 'JOIN_FULL') {
    own.hidden = new Set([...own.hidden, ...leavesOf(mine, level)]);
    own.seesItem = false;
  }
  return own;
}

/** Which rows of an entry an outer join's condition takes does not depend on the other side. */
function standsAlone(condition: Node, entry: Node, level: Level, statement: Statement): boolean {
  const [item, ...others] = leavesOf(entry, level);
  if (item === undefined || others.length > 0 || item.node !== entry) return false;
  const { items, references, aggregates, windows, unrepeatable } = dependenciesOf(condition, level, statement);
  const isOwn = (read: Item): boolean => read === item;
  const isRepeatable = references.size === 0 && aggregates.size === 0 && !windows && !unrepeatable;
  return isRepeatable && [...items, ...dependenciesOf(entry, level, statement).items].every(isOwn);
}

function mergedColumns(
  join: JoinExpr,
  sides: { readonly mine: Node; readonly other: Node },
  item: Item,
  statement: Statement,
): Merged[] {
  const { spaces } = statement.names;
  return spaces.mergedBy(join, item.level).flatMap((name) => {
    const mine = columnIn(spaces.of(sides.mine, item.level), name);
    const other = columnIn(spaces.of(sides.other, item.level), name);
    if (mine === undefined || other === undefined || !('item' in mine.of) || mine.of.item !== item) return [];
    const value = statement.mention(other, join, item.level);
    return value === undefined ? [] : [{ column: mine.of.name, other: value }];
  });
}
