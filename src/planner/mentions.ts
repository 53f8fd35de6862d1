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
export function undefinedIn(value: unknown, itemOf: ReadonlyMap<RangeVar, Item>): RangeVar[] {
  const found: RangeVar[] = [];
  const search = (each: unknown, defined: ReadonlySet<unknown>): void => {
    if (each === null || typeof each !== 'object') return;
    if (Array.isArray(each)) {
      for (const element of each) search(element, defined);
      return;
    }
    const { withClause, RangeVar: rangeVar } = each as Pick<SelectStmt, 'withClause'> & { RangeVar?: RangeVar };
    if (rangeVar !== undefined) {
      const cte = itemOf.get(rangeVar)?.cte;
      if (cte !== undefined && !defined.has(cte.node)) found.push(rangeVar);
      return;
    }
    const own = (withClause?.ctes ?? []).map((node) => bare(node, 'CommonTableExpr'));
    const all = own.length === 0 ? defined : new Set([...defined, ...own]);
    // As in walk(): Object.values() would take most of the time.
    for (const name in each) search((each as Readonly<Record<string, unknown>>)[name], all);
  };
  search(value, new Set());
  return found;
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
