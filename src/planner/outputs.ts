import type { Node, WindowDef } from '@pgsql/types';
import { bare, walk } from '../sql/walk.ts';
import type { Level } from '../sql/scope.ts';
import { groupClauseOf, isAggregated } from './grouping.ts';
import { isColumn, type Site } from './sites.ts';
import type { Statement } from './statement.ts';
import { isNullable } from './surroundings.ts';

export interface Output {
  readonly name: string;
  readonly index: number;
  readonly nullable: boolean;
}

/** The output column that carries a site's column out of its level unchanged, if the level drops no row by others. */
export function outputOf(site: Site, statement: Statement): Output | undefined {
  const { level } = site.item;
  if (isCut(level) || !isDistinctOn(site, statement)) return undefined;
  const { names, open } = statement.names.outputs(level);
  if (open) return undefined;
  const index = statement.names
    .passedThrough(level)
    .findIndex((through) => through?.item === site.item && through.name === site.column);
  if (!windowsIn(level.select.targetList).every((window) => isPartitionedBy(window, site, statement))) return undefined;
  if (index === -1 || (isAggregated(level, statement) && !isGroupedBy(site, level, statement))) return undefined;
  return { name: names[index] ?? '', index, nullable: site.nullable === true || isNullable(site.item, statement) };
}

/** By LIMIT or OFFSET: which rows with one key appear depends on rows with other keys. */
export function isCut({ select }: Level): boolean {
  return select.limitCount !== undefined || select.limitOffset !== undefined;
}

/** Whether the rows of which DISTINCT ON keeps one have one key, where it stands there at all. */
function isDistinctOn(site: Site, statement: Statement): boolean {
  const { level } = site.item;
  const { distinctClause = [], sortClause } = level.select;
  // DISTINCT is a list of one empty node.
  const on = distinctClause.filter((node) => Object.keys(node).length > 0);
  if (on.length === 0) return true;
  const through = statement.names.passedThrough(level);
  const { names } = statement.names.outputs(level);
  const isSite = (node: Node): boolean => {
    // An ordinal, or the name of an output column, which comes before FROM's here.
    const fields = bare(node, 'ColumnRef')?.fields ?? [];
    const named = fields.length === 1 ? names.indexOf(bare(fields[0], 'String')?.sval ?? '') : -1;
    const index = (bare(node, 'A_Const')?.ival?.ival ?? named + 1) - 1;
    if (index < 0) return isColumn(node, site, statement);
    return through[index]?.item === site.item && through[index].name === site.column;
  };
  return (
    on.some(isSite) &&
    // Which one is kept is for ORDER BY to say.
    windowsIn(sortClause).every((window) => isPartitionedBy(window, site, statement))
  );
}

/** Those of a level's own expressions. */
function windowsIn(value: unknown): WindowDef[] {
  const found: WindowDef[] = [];
  walk(value, (node, kind) => {
    if (kind === 'SelectStmt') return false;
    const window = kind === 'FuncCall' ? bare(node, 'FuncCall')?.over : undefined;
    if (window !== undefined) found.push(window);
    return undefined;
  });
  return found;
}

/** Whether the rows of each partition have one key. */
function isPartitionedBy(
  { partitionClause = [], name, refname }: WindowDef,
  site: Site,
  statement: Statement,
): boolean {
  if (partitionClause.length > 0) return partitionClause.some((node) => isColumn(node, site, statement));
  const wanted = refname ?? name;
  const named = (site.item.level.select.windowClause ?? [])
    .map((node) => bare(node, 'WindowDef'))
    .find((window) => wanted !== undefined && window?.name === wanted);
  // A window that copies another has its own name too.
  return named !== undefined && isPartitionedBy({ ...named, name: '' }, site, statement);
}

/** Whether each group of a level has one key. */
function isGroupedBy(site: Site, level: Level, statement: Statement): boolean {
  return groupClauseOf(level, statement).some((node) => groupsBySite(node, site, statement));
}

function groupsBySite(node: Node, site: Site, statement: Statement): boolean {
  const set = bare(node, 'GroupingSet');
  const within = (each: Node): boolean => groupsBySite(each, site, statement);
  switch (set?.kind) {
    case undefined:
      return (bare(node, 'RowExpr')?.args ?? [node]).some((each) => isColumn(each, site, statement));
    case 'GROUPING_SET_SETS':
      return (set.content ?? []).length > 0 && (set.content ?? []).every(within);
    case 'GROUPING_SET_SIMPLE':
      return (set.content ?? []).some(within);
    // ROLLUP and CUBE have a set of nothing.
    default:
      return false;
  }
}
