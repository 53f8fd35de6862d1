import type { RangeVar, SelectStmt } from '@pgsql/types';
import type { Item } from '../sql/scope.ts';
import { bare, walk } from '../sql/walk.ts';

/** The relations and CTEs that a part of the tree names. */
export function rangeVarsIn(value: unknown): RangeVar[] {
  const found: RangeVar[] = [];
  walk(value, (node, kind) => {
    const rangeVar = kind === 'RangeVar' ? bare(node, 'RangeVar') : undefined;
    if (rangeVar !== undefined) found.push(rangeVar);
    return undefined;
  });
  return found;
}

/** Mentions of CTEs that no WITH around them defines: a key query may have one WITH below another. */
export function undefinedIn(
  value: unknown,
  itemOf: ReadonlyMap<RangeVar, Item>,
  defined: ReadonlySet<unknown> = new Set(),
): RangeVar[] {
  if (value === null || typeof value !== 'object') return [];
  if (Array.isArray(value)) return value.flatMap((each) => undefinedIn(each, itemOf, defined));
  const { withClause, RangeVar: rangeVar } = value as Pick<SelectStmt, 'withClause'> & { RangeVar?: RangeVar };
  const own = (withClause?.ctes ?? []).map((node) => bare(node, 'CommonTableExpr'));
  const all = own.length === 0 ? defined : new Set([...defined, ...own]);
  if (rangeVar !== undefined) {
    const cte = itemOf.get(rangeVar)?.cte;
    return cte === undefined || all.has(cte.node) ? [] : [rangeVar];
  }
  return Object.values(value).flatMap((each) => undefinedIn(each, itemOf, all));
}

/** The SELECTs in a part of the tree, the branches of set operations each by itself. */
export function selectsIn(value: unknown): Set<SelectStmt> {
  const found = new Set<SelectStmt>();
  walk(value, (node, kind) => {
    const select = kind === 'SelectStmt' ? bare(node, 'SelectStmt') : undefined;
    if (select !== undefined) addBranches(select, found);
    return undefined;
  });
  return found;
}

function addBranches(select: SelectStmt, found: Set<SelectStmt>): void {
  found.add(select);
  for (const branch of [select.larg, select.rarg]) if (branch !== undefined) addBranches(branch, found);
}
