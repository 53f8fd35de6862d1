import type { JoinExpr, JoinType, Node } from '@pgsql/types';
import type { Item, Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import { conjunctsOf, dependenciesOf } from './dependencies.ts';
import type { Statement } from './statement.ts';

/** The items below a FROM entry. */
export function leavesOf(node: Node, level: Level): Item[] {
  const join = bare(node, 'JoinExpr');
  if (join?.larg !== undefined && join.rarg !== undefined)
    return [...leavesOf(join.larg, level), ...leavesOf(join.rarg, level)];
  return level.items.filter((item) => item.node === node);
}

/** Join types after PostgreSQL's own reduction (reduce_outer_joins), done here for strict conditions over columns. */
export function reducedJoinTypes(level: Level, statement: Statement): ReadonlyMap<JoinExpr, JoinType> {
  const types = new Map<JoinExpr, JoinType>();
  const where = new Set(
    conjunctsOf(level.select.whereClause).flatMap((node) => [...nonNullItems(node, level, statement)]),
  );
  for (const node of level.select.fromClause ?? []) reduce(node, where, level, statement, types);
  return types;
}

/** What is true of each row of a level, and the items of which each of them has a row. */
export function innerConditions(
  level: Level,
  statement: Statement,
): { readonly conditions: readonly Node[]; readonly items: ReadonlySet<Item> } {
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
    else if (isStrictCall(value, statement)) strict(bare(value, 'FuncCall')?.args?.[0]);
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

/** PostgreSQL's own functions of an address or a text. */
function isStrictCall(value: Node, statement: Statement): boolean {
  const { funcname = [], args } = bare(value, 'FuncCall') ?? {};
  const [name = '', schema] = funcname.map((part) => bare(part, 'String')?.sval ?? '').reverse();
  const own = schema === undefined ? statement.functions.ownEquality : schema === 'pg_catalog';
  return own && args?.length === 1 && ['host', 'abbrev', 'inet', 'lower', 'upper'].includes(name);
}
