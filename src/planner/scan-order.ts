import type { Planning } from './planning.ts';
import type { Restrictions } from './restrictions.ts';
import { mayHaveKeys, ScanKeySearch, scanKeysOf, type ScanKeys } from './scan-keys.ts';
import type { Reference } from './statement.ts';

/** Adds the scans. Small ones first; a large one when others give values for its columns, a selective one before the rest. */
export function addScans(
  scans: readonly Reference[],
  restrictions: ReadonlyMap<Reference, Restrictions>,
  planning: Planning,
): void {
  const { statement, hydrated } = planning;
  const add = (reference: Reference, keys: readonly ScanKeys[]): void => {
    planning.steps.push({ kind: 'scan', reference, keys });
    hydrated.add(reference);
  };
  const search = new ScanKeySearch(statement);
  const waits = scans.filter((reference) => reference.view.table.size === 'large' && mayHaveKeys(reference, search));
  for (const reference of scans) if (!waits.includes(reference)) add(reference, []);
  let pending: readonly Reference[] = waits;
  while (pending.length > 0) {
    const keyed = pending.flatMap((reference) => {
      const keys = scanKeysOf(reference, search, planning.isReadable);
      return keys.length === 0 ? [] : [{ reference, keys }];
    });
    for (const { reference, keys } of keyed) add(reference, keys);
    if (keyed.length === 0) {
      // Nothing narrows these: those that conditions narrow may still narrow the others.
      const selective = pending.filter((reference) => isSelective(restrictions.get(reference)));
      for (const reference of selective.length > 0 ? selective : pending) add(reference, []);
    }
    pending = pending.filter((reference) => !hydrated.has(reference));
  }
}

function isSelective(restrictions: Restrictions | undefined): boolean {
  const predicates = restrictions?.predicates ?? [];
  return predicates.some(({ column, operator }) => operator === '=' && ['text', 'inet'].includes(column.type));
}
