import type { FuncCall, Node } from '@pgsql/types';
import type { Column } from '../catalog/table.ts';
import type { Aggregate, Aggregation } from '../sources/source.ts';
import type { Item } from '../sql/scope.ts';
import { bare, walk } from '../sql/walk.ts';
import { aggregatesOf } from './dependencies.ts';
import { expressionsIn, groupClauseOf, isAggregated } from './grouping.ts';
import type { Statement } from './statement.ts';

/** Types whose order is the same everywhere: texts have collations. */
const ORDERED: ReadonlySet<string> = new Set(['integer', 'bigint', 'timestamp with time zone']);

/**
 * What a level makes of the rows of its only item, where that is a few aggregates of all of them, or of groups by plain
 * columns. Whatever else stands in the level is computed of these: HAVING, windows, grouping sets of the same columns.
 *
 * @param columnOf the table's column of that name
 */
export function aggregationOf(
  item: Item,
  columnOf: (name: string) => Column | undefined,
  statement: Statement,
): Aggregation | undefined {
  const { level } = item;
  const { targetList, havingClause, sortClause, windowClause } = level.select;
  // Names of functions mean PostgreSQL's own only then.
  if (level.items.length > 1 || !statement.functions.ownEquality || !isAggregated(level, statement)) return undefined;
  const column = (node: Node | undefined): Column | undefined => {
    const mention = bare(node, 'ColumnRef');
    const meaning = mention && statement.scopes.levelOf.has(mention) ? statement.names.resolve(mention) : undefined;
    const found = meaning?.kind === 'column' && meaning.item === item ? columnOf(meaning.name) : undefined;
    return found?.path === undefined ? undefined : found;
  };
  const computed = [targetList, havingClause, sortClause, windowClause];
  const groups = groupClauseOf(level, statement).flatMap(expressionsIn).map(column);
  const calls = callsIn(computed);
  const own = [...aggregatesOf(computed, level, statement)].filter(([, at]) => at === level).map(([node]) => node);
  // What stands in a subquery is an aggregate of this level too.
  const direct = own.filter((node) => 'GroupingFunc' in node || calls.has(node));
  if (direct.length < own.length) return undefined;
  const aggregates = direct.filter((node) => !('GroupingFunc' in node)).map((node) => aggregateOf(node, column));
  if (!groups.every((each) => each !== undefined) || !aggregates.every((each) => each !== undefined)) return undefined;
  return {
    groupBy: [...new Set(groups)],
    aggregates: unique([{ function: 'count', column: undefined }, ...aggregates]),
  };
}

function aggregateOf(node: Node, columnOf: (node: Node | undefined) => Column | undefined): Aggregate | undefined {
  const call = bare(node, 'FuncCall');
  if (call === undefined || !isPlain(call)) return undefined;
  const [name, schema] = (call.funcname ?? []).map((part) => bare(part, 'String')?.sval).reverse();
  const [argument, ...others] = call.args ?? [];
  if ((schema !== undefined && schema !== 'pg_catalog') || others.length > 0) return undefined;
  const constant = bare(argument, 'A_Const');
  if (name === 'count' && (call.agg_star === true || (constant !== undefined && constant.isnull !== true)))
    return { function: 'count', column: undefined };
  const column = columnOf(argument);
  if (column === undefined) return undefined;
  if (name === 'count') return { function: name, column };
  return (name === 'min' || name === 'max') && ORDERED.has(column.type) ? { function: name, column } : undefined;
}

function isPlain({ agg_filter, agg_order, agg_distinct, agg_within_group, func_variadic }: FuncCall): boolean {
  const flags = [agg_distinct, agg_within_group, func_variadic];
  return agg_filter === undefined && (agg_order ?? []).length === 0 && !flags.includes(true);
}

/** Calls in expressions, subqueries left out. */
function callsIn(value: unknown): ReadonlySet<Node> {
  const found = new Set<Node>();
  walk(value, (node, kind) => {
    if (kind === 'SelectStmt') return false;
    if (kind === 'FuncCall') found.add(node);
    return undefined;
  });
  return found;
}

function unique(aggregates: readonly Aggregate[]): readonly Aggregate[] {
  return aggregates.filter(
    (one, index) =>
      aggregates.findIndex((other) => other.function === one.function && other.column === one.column) === index,
  );
}
