import type { Item, Level, Scopes } from './scope.ts';
import { bare } from './walk.ts';

/** The items whose rows FOR UPDATE and its kin lock: of a level itself, and of the derived tables in its FROM, not of CTEs. */
export function lockedItems({ levels }: Scopes): ReadonlySet<Item> {
  const locked = new Set<Item>();
  for (const level of levels) {
    for (const node of level.select.lockingClause ?? []) {
      const names = (bare(node, 'LockingClause')?.lockedRels ?? []).map((each) => bare(each, 'RangeVar')?.relname);
      for (const item of level.items) if (names.length === 0 || names.includes(item.name)) lock(item, locked);
    }
  }
  return locked;
}

function lock(item: Item, locked: Set<Item>): void {
  locked.add(item);
  const inner: Level | undefined = item.subquery;
  for (const level of inner === undefined ? [] : [inner, ...inner.branches]) {
    for (const own of level.items) lock(own, locked);
  }
}
