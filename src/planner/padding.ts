import type { JoinExpr, Node, SelectStmt, SubLink } from '@pgsql/types';
import type { Item, Level } from '../sql/scope.ts';
import { bare, walk } from '../sql/walk.ts';
import { dependenciesOf, functionNames } from './dependencies.ts';
import { groupClauseOf, isAggregated } from './grouping.ts';
import { and } from './nodes.ts';
import { isSame } from './sites.ts';
import type { Statement } from './statement.ts';
import { surroundingsOf } from './surroundings.ts';

/** What a subquery has rows for, but for a look-up in it. */
export interface Rest {
  /** Without a row of this it has none, whatever is asked. */
  readonly query: SelectStmt;
  /** Conditions on the look-up's own rows stand beside it: no other row need pass them. */
  readonly filtered: boolean;
}

/** @returns undefined where that cannot be said */
export function restOf(item: Item, sublink: SubLink, statement: Statement): Rest | undefined {
  const own = restOfLevel(item, statement);
  if (own === undefined) return undefined;
  let level = item.level;
  while (level.place.kind === 'branch' && level.parent?.select.op === 'SETOP_UNION') level = level.parent;
  const { place } = level;
  if (place.kind === 'sublink' && place.node === sublink) return own;
  // Columns of a level that reads the look-up alone are the look-up's.
  const next = place.kind === 'from' ? [place.item] : place.kind === 'cte' ? place.cte.references : [];
  const [only] = next;
  if (!isAlways(own.query) || only === undefined || next.length > 1) return undefined;
  const around = restOf(only, sublink, statement);
  return around && { ...around, filtered: around.filtered || own.filtered };
}

/** A SELECT that has a row whatever there is. */
export function isAlways({ fromClause, whereClause }: SelectStmt): boolean {
  return fromClause === undefined && whereClause === undefined;
}

function restOfLevel(item: Item, statement: Statement): Rest | undefined {
  const { level } = item;
  const { havingClause, targetList, fromClause } = level.select;
  const expands = functionNames(targetList).some((name) => statement.functions.setReturning.has(name));
  if (havingClause !== undefined || expands || mergesColumns(fromClause ?? [])) return undefined;
  const { pieces, conditions } = surroundingsOf(item, statement);
  const kept: Node[] = [];
  for (const { node } of conditions) {
    const { items, references } = dependenciesOf(node, level, statement);
    if (!items.has(item)) kept.push(node);
    else if (items.size > 1 || references.size > 0) return undefined;
  }
  const query: SelectStmt = {
    ...(pieces.length === 0 ? {} : { fromClause: [...pieces] }),
    ...(kept.length === 0 ? {} : { whereClause: and(kept) }),
    limitOption: 'LIMIT_OPTION_DEFAULT',
    op: 'SETOP_NONE',
  };
  const { items, unrepeatable } = dependenciesOf([pieces, kept], level, statement);
  // It is written beside the subquery, where WITH inside of that is not seen.
  if (items.has(item) || unrepeatable || statement.ctesIn([pieces, kept]).size > 0) return undefined;
  return { query, filtered: kept.length < conditions.length };
}

function mergesColumns(from: readonly Node[]): boolean {
  let found = false;
  walk(from, (node, kind) => {
    if (kind === 'SelectStmt') return false;
    const join: JoinExpr | undefined = kind === 'JoinExpr' ? bare(node, 'JoinExpr') : undefined;
    if (join?.isNatural === true || (join?.usingClause ?? []).length > 0) found = true;
    return undefined;
  });
  return found;
}

/** Whether an expression of a level can be written once more below it: PostgreSQL knows what GROUP BY computes only above. */
export function mayStandBelow(test: Node, level: Level | undefined, statement: Statement): boolean {
  if (level === undefined || !isAggregated(level, statement)) return true;
  const keys = groupClauseOf(level, statement).filter((node) => !('ColumnRef' in node));
  let found = false;
  walk(test, (node) => {
    if (keys.some((key) => isSame(key, node, statement))) found = true;
    return undefined;
  });
  return !found;
}
