import type { Node, SelectStmt, SubLink } from '@pgsql/types';
import type { Level } from '../sql/scope.ts';
import { bare, walk } from '../sql/walk.ts';
import { aggregatesOf, conjunctsOf } from './dependencies.ts';
import { and, columnOf, integer, replaced } from './nodes.ts';
import { isUsable, type Kept } from './pruning.ts';
import { isSame } from './sites.ts';
import type { Statement } from './statement.ts';

/** Whether a level's expressions are computed for groups of its rows. */
export function isAggregated(level: Level, statement: Statement): boolean {
  const { groupClause = [], havingClause, targetList, sortClause } = level.select;
  if (groupClause.length > 0 || havingClause !== undefined) return true;
  return [...aggregatesOf([targetList, sortClause], level, statement).values()].includes(level);
}

/** GROUP BY as the expressions that it means; what a grouping set leaves out is NULL. */
export function groupClauseOf(level: Level, statement: Statement): readonly Node[] {
  return (level.select.groupClause ?? []).map((node) => groupedBy(node, level, statement));
}

/** An ordinal, or the name of an output column where FROM has none of it, is that column's expression. */
function groupedBy(node: Node, level: Level, statement: Statement): Node {
  const set = bare(node, 'GroupingSet');
  if (set !== undefined)
    return { GroupingSet: { ...set, content: (set.content ?? []).map((each) => groupedBy(each, level, statement)) } };
  const targets = level.select.targetList ?? [];
  const position = bare(node, 'A_Const')?.ival?.ival;
  if (position !== undefined) {
    const through = statement.names.passedThrough(level)[position - 1];
    const passed = through && statement.columnOf(through.item, through.name, level);
    return passed ?? bare(targets[position - 1], 'ResTarget')?.val ?? node;
  }
  const column = bare(node, 'ColumnRef');
  if (column === undefined || column.fields?.length !== 1) return node;
  const meaning = statement.names.resolve(column);
  if (meaning.kind === 'column' && meaning.item.level === level) return node;
  if (meaning.kind === 'row' && meaning.items.every((item) => item.level === level)) return node;
  const name = bare(column.fields[0], 'String')?.sval;
  const { names } = statement.names.outputs(level);
  const index = names.length === targets.length ? names.findIndex((output) => output === name) : -1;
  return bare(targets[index], 'ResTarget')?.val ?? node;
}

export function hasGroupingSets(level: Level): boolean {
  return (level.select.groupClause ?? []).some((node) => 'GroupingSet' in node);
}

/** Whether an expression of an aggregated level is computed for each row before they are grouped. */
export function isPerRow(sublink: SubLink, level: Level, statement: Statement): boolean {
  const { groupClause, targetList, sortClause, havingClause } = level.select;
  const within = (value: unknown): boolean => {
    let found = false;
    walk(value, (node, kind) => {
      if (kind === 'SubLink' && bare(node, 'SubLink') === sublink) found = true;
      return undefined;
    });
    return found;
  };
  const aggregates = aggregatesOf([targetList, sortClause, havingClause], level, statement);
  return within(groupClause) || [...aggregates].some(([node, at]) => at === level && within(node));
}

/** The groups of an aggregated level, and a query over them in place of its rows. */
export interface Grouped {
  readonly from: Node;
  readonly query: SelectStmt;
}

/**
 * Makes the groups of a level a derived table, with the columns that a query names of it.
 *
 * @returns undefined where it names a column that the level does not group by
 */
export function grouped(query: SelectStmt, kept: Kept, statement: Statement): Grouped | undefined {
  const { level } = kept;
  const clause = groupClauseOf(level, statement);
  const alias = `trailhound_group_${String(statement.scopes.levels.indexOf(level))}`;
  const keys = clause.flatMap(expressionsIn);
  const columns: Node[] = [];
  const ungrouped = new Set<Node>();
  const column = (value: Node): Node => {
    let index = columns.findIndex((each) => isSame(each, value, statement));
    if (index === -1) index = columns.push(value) - 1;
    return columnOf(alias, `c${String(index + 1)}`);
  };
  const aggregates = aggregatesOf({ SelectStmt: query }, level, statement);
  const replace = (node: Node): Node | undefined => {
    if (aggregates.get(node) === level || keys.some((key) => isSame(key, node, statement))) return column(node);
    const reference = bare(node, 'ColumnRef');
    if (reference === undefined || !statement.scopes.levelOf.has(reference)) return undefined;
    const meaning = statement.names.resolve(reference);
    const own = meaning.kind === 'column' ? [meaning.item] : meaning.kind === 'row' ? meaning.items : [];
    if (own.some((item) => item.level === level)) ungrouped.add(node);
    return undefined;
  };
  const over = replaced(query, replace);
  if (ungrouped.size > 0) return undefined;
  const having = conjunctsOf(level.select.havingClause).filter((node) =>
    isUsable(node, { ...kept, grouped: true }, statement),
  );
  const { fromClause = [], whereClause } = level.select;
  const groups: SelectStmt = {
    targetList: (columns.length === 0 ? [ONE] : columns).map((val) => ({ ResTarget: { val } })),
    fromClause,
    ...(whereClause === undefined ? {} : { whereClause }),
    ...(clause.length === 0 ? {} : { groupClause: [...clause] }),
    ...(having.length === 0 ? {} : { havingClause: and(having) }),
    limitOption: 'LIMIT_OPTION_DEFAULT',
    op: 'SETOP_NONE',
  };
  const colnames = groups.targetList?.map((_node, index) => ({ String: { sval: `c${String(index + 1)}` } })) ?? [];
  // A level that is LATERAL to others stays so.
  const from = { lateral: true, subquery: { SelectStmt: groups }, alias: { aliasname: alias, colnames } };
  return { from: { RangeSubselect: from }, query: over };
}

const ONE = integer(1);

/** What GROUP BY groups by, of grouping sets too. */
export function expressionsIn(node: Node): readonly Node[] {
  const set = bare(node, 'GroupingSet');
  if (set !== undefined) return (set.content ?? []).flatMap(expressionsIn);
  return bare(node, 'RowExpr')?.args ?? [node];
}
