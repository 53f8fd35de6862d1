import type { JoinExpr, JoinType, Node } from '@pgsql/types';
import { outward } from '../sql/names.ts';
import type { Item, Level } from '../sql/scope.ts';
import { columnIn } from '../sql/space.ts';
import { bare, walk } from '../sql/walk.ts';
import { conjunctsOf, dependenciesOf, type Dependencies } from './dependencies.ts';
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
  readonly conditions: readonly Condition[];
  readonly merged: readonly Merged[];
}

interface Walked {
  readonly pieces: Node[];
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
  const { hidden, seesItem } = own;
  const where = conjunctsOf(level.select.whereClause).map((node): Condition => ({ node, seesItem, hidden }));
  return { pieces, conditions: [...own.conditions, ...where], merged: own.merged };
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
  if (node === item.node) return { pieces: [], conditions: [], merged: [], hidden: new Set(), seesItem: true };
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
  }
  if (nullable || type === 'JOIN_FULL') {
    own.hidden = new Set([...own.hidden, ...leavesOf(mine, level)]);
    own.seesItem = false;
  }
  return own;
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

/** The items below a FROM entry. */
export function leavesOf(node: Node, level: Level): Item[] {
  const join = bare(node, 'JoinExpr');
  if (join?.larg !== undefined && join.rarg !== undefined)
    return [...leavesOf(join.larg, level), ...leavesOf(join.rarg, level)];
  return level.items.filter((item) => item.node === node);
}

/** Join types after PostgreSQL's own reduction (reduce_outer_joins), done here for strict conditions over columns. */
function reducedJoinTypes(level: Level, statement: Statement): ReadonlyMap<JoinExpr, JoinType> {
  const types = new Map<JoinExpr, JoinType>();
  const where = new Set(
    conjunctsOf(level.select.whereClause).flatMap((node) => [...nonNullItems(node, level, statement)]),
  );
  for (const node of level.select.fromClause ?? []) reduce(node, where, level, statement, types);
  return types;
}

function reduce(
  node: Node,
  nonNull: ReadonlySet<Item>,
  level: Level,
  statement: Statement,
  types: Map<JoinExpr, JoinType>,
): void {
  const join = bare(node, 'JoinExpr');
  if (join?.larg === undefined || join.rarg === undefined) return;
  const has = (side: Node): boolean => leavesOf(side, level).some((item) => nonNull.has(item));
  let type = join.jointype ?? 'JOIN_INNER';
  if (type === 'JOIN_FULL') {
    const [left, right] = [has(join.larg), has(join.rarg)];
    if (left || right) type = left && right ? 'JOIN_INNER' : left ? 'JOIN_LEFT' : 'JOIN_RIGHT';
  }
  if (type === 'JOIN_LEFT' && has(join.rarg)) type = 'JOIN_INNER';
  if (type === 'JOIN_RIGHT' && has(join.larg)) type = 'JOIN_INNER';
  types.set(join, type);
  const quals = new Set(conjunctsOf(join.quals).flatMap((qual) => [...nonNullItems(qual, level, statement)]));
  const both = new Set([...nonNull, ...quals]);
  const none = new Set<Item>();
  const below = { JOIN_INNER: [both, both], JOIN_LEFT: [nonNull, quals], JOIN_RIGHT: [quals, nonNull] } as const;
  const [left, right] = type in below ? below[type as keyof typeof below] : [none, none];
  reduce(join.larg, left, level, statement, types);
  reduce(join.rarg, right, level, statement, types);
}

/** Items of which no NULL-extended row passes a condition: what its strict operators read. */
function nonNullItems(node: Node, level: Level, statement: Statement): ReadonlySet<Item> {
  const found = new Set<Item>();
  const strict = (value: Node | undefined): void => {
    if (value === undefined) return;
    const expression = bare(value, 'A_Expr');
    if ('ColumnRef' in value) {
      const { items, columns } = dependenciesOf(value, level, statement);
      for (const item of items) if (item.level === level && !columns.get(item)?.has('*')) found.add(item);
    } else if ('TypeCast' in value) strict(bare(value, 'TypeCast')?.arg);
    else if (expression?.kind === 'AEXPR_OP' && bare(expression.name?.at(-1), 'String')?.sval !== '||') {
      // PostgreSQL's own operators are strict but for || of arrays.
      strict(expression.lexpr);
      strict(expression.rexpr);
    }
  };
  const condition = bare(node, 'A_Expr');
  const sublink = bare(node, 'SubLink');
  const test = bare(node, 'NullTest');
  const or = bare(node, 'BoolExpr');
  if (condition !== undefined) {
    switch (condition.kind) {
      case 'AEXPR_OP':
      case 'AEXPR_LIKE':
      case 'AEXPR_ILIKE':
        strict(condition.lexpr);
        strict(condition.rexpr);
        break;
      case 'AEXPR_OP_ANY':
      case 'AEXPR_IN':
      case 'AEXPR_BETWEEN':
        strict(condition.lexpr);
        break;
      default:
    }
  } else if (sublink?.subLinkType === 'ANY_SUBLINK') strict(sublink.testexpr);
  else if (test?.nulltesttype === 'IS_NOT_NULL') strict(test.arg);
  else if (or?.boolop === 'OR_EXPR') {
    const [first, ...rest] = (or.args ?? []).map((argument) =>
      conjunctsOf(argument).reduce(
        (all, part) => new Set([...all, ...nonNullItems(part, level, statement)]),
        new Set<Item>(),
      ),
    );
    for (const item of first ?? []) if (rest.every((set) => set.has(item))) found.add(item);
  } else if ('ColumnRef' in node) strict(node);
  return found;
}

/**
 * A FROM entry without the items that cannot be read yet: a superset of its rows as far as the remaining columns go.
 * Undefined where nothing sound remains.
 */
export function prune(
  node: Node,
  level: Level,
  readable: (item: Item) => boolean,
  statement: Statement,
): Node | undefined {
  const join = bare(node, 'JoinExpr');
  if (join?.larg === undefined || join.rarg === undefined) {
    const [item] = leavesOf(node, level);
    return item !== undefined && readable(item) ? node : undefined;
  }
  const left = prune(join.larg, level, readable, statement);
  const right = prune(join.rarg, level, readable, statement);
  const whole = left === join.larg && right === join.rarg;
  const sides = [left, right].flatMap((side) => side ?? []);
  const kept = { nodes: sides, items: new Set(sides.flatMap((side) => leavesOf(side, level))), readable };
  const usable = conjunctsOf(join.quals).filter((qual) => isUsable(qual, level, kept, statement));
  const allUsable = usable.length === conjunctsOf(join.quals).length;
  if (whole && allUsable) return node;
  switch (join.jointype) {
    case 'JOIN_LEFT':
      // The right side's columns are gone; keeping rows that no longer match as they should would be wrong.
      return left;
    case 'JOIN_RIGHT':
      return right;
    case 'JOIN_INNER': {
      if (left === undefined || right === undefined) return left ?? right;
      // Without its partner a merged column would change its meaning.
      if (join.isNatural || (join.usingClause ?? []).length > 0) return undefined;
      const quals = usable.length === 0 ? undefined : and(usable);
      return {
        JoinExpr: { jointype: 'JOIN_INNER', larg: left, rarg: right, ...(quals === undefined ? {} : { quals }) },
      };
    }
    default:
      return undefined;
  }
}

/** What is kept of FROM in a key query. */
export interface Kept {
  readonly nodes: readonly Node[];
  readonly items: ReadonlySet<Item>;
  /** Whether an item's rows can be read now: of what subqueries name. */
  readonly readable: (item: Item) => boolean;
}

/** Whether an expression can be computed from what is kept of FROM, with the same answer each time. */
export function isUsable(value: unknown, level: Level, kept: Kept, statement: Statement): boolean {
  const needs = dependenciesOf(value, level, statement);
  return (
    !needs.unrepeatable &&
    !needs.aggregates &&
    [...needs.items].every((item) => item.level !== level || kept.items.has(item)) &&
    [...needs.references].every((reference) => reference.item.level === level || kept.readable(reference.item)) &&
    [...statement.ctesIn(value)].every((cte) => cte.level !== undefined) &&
    stand(needs, level, kept.nodes)
  );
}

/** Whether the joins of a level that an expression names columns by are whole in what is kept of FROM. */
export function stand(needs: Dependencies, level: Level, kept: readonly Node[]): boolean {
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

export function and(nodes: readonly Node[]): Node {
  const [only] = nodes;
  return nodes.length === 1 && only !== undefined ? only : { BoolExpr: { boolop: 'AND_EXPR', args: [...nodes] } };
}

/** Whether an expression at `level` may name items of `candidate`. */
export function encloses(candidate: Level, level: Level): boolean {
  for (let at: Level | undefined = level; at !== undefined; at = outward(at)) if (at === candidate) return true;
  return false;
}
