import type { Node } from '@pgsql/types';
import { bare } from '../sql/walk.ts';
import type { Level } from '../sql/scope.ts';
import { functionNames, hasWindow } from './dependencies.ts';
import { groupClauseOf } from './grouping.ts';
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
  if (!keepsRows(level)) return undefined;
  const { names, open } = statement.names.outputs(level);
  if (open) return undefined;
  const index = statement.names
    .passedThrough(level)
    .findIndex((through) => through?.item === site.item && through.name === site.column);
  const { groupClause, targetList, havingClause } = level.select;
  const calls = functionNames(targetList).some((name) => statement.functions.aggregate.has(name));
  const aggregates = (groupClause ?? []).length > 0 || havingClause !== undefined || calls;
  if (index === -1 || (aggregates && !isGroupedBy(site, level, statement))) return undefined;
  return { name: names[index] ?? '', index, nullable: site.nullable === true || isNullable(site.item, statement) };
}

/** Whether which rows with one key appear does not depend on rows with other keys. */
export function keepsRows(level: Level): boolean {
  const { limitCount, limitOffset, distinctClause, targetList } = level.select;
  const distinctOn = (distinctClause ?? []).some((node) => Object.keys(node).length > 0);
  return limitCount === undefined && limitOffset === undefined && !distinctOn && !hasWindow(targetList);
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
