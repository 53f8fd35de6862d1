import type { RangeVar } from '@pgsql/types';
import type { Item, Scopes } from '../sql/scope.ts';
import { relationName, type RelationFacts } from './relation-facts.ts';

/** A relation whose rows a statement changes or locks. */
export interface LockedRelation {
  readonly item: Item;
  /** As relationName() writes it; undefined where one version of a row cannot be told from another, as of a view's. */
  readonly relation: string | undefined;
  /** By MERGE. */
  readonly merged: boolean;
}

/** @param locked what FOR UPDATE and its kin lock */
export function lockedRelations(
  { items, targets, levels }: Scopes,
  locked: ReadonlySet<Item>,
  facts: ReadonlyMap<string, RelationFacts>,
): ReadonlyMap<RangeVar, LockedRelation> {
  const ctes = new Set(levels.flatMap((level) => level.ctes.map(({ name }) => name)));
  const found = new Map<RangeVar, LockedRelation>();
  for (const item of items) {
    const { rangeVar, kind, level } = item;
    if (rangeVar === undefined || kind !== 'relation' || !(targets.has(rangeVar) || locked.has(item))) continue;
    const name = relationName(rangeVar);
    const isHidden = rangeVar.schemaname === undefined && ctes.has(rangeVar.relname ?? '');
    const relation = facts.get(name)?.stored === true && !isHidden ? name : undefined;
    const [first] = level.select.fromClause ?? [];
    found.set(rangeVar, { item, relation, merged: targets.has(rangeVar) && 'JoinExpr' in (first ?? {}) });
  }
  return found;
}
