import type { VirtualTable } from '../catalog/table.ts';
import type { HydratedRows } from '../hydrate/hydrator.ts';
import type { Placeholders } from './placeholders.ts';
import type { ServedRows } from './served-rows.ts';
import type { SharedRequests } from './shared-requests.ts';

/** What was hydrated for mentions below views and functions, by table: of those tables that have all that any of them needs. */
export function servedBelow(shared: SharedRequests, placeholders: Placeholders): ReadonlyMap<VirtualTable, ServedRows> {
  const served = new Map<VirtualTable, ServedRows>();
  for (const table of shared.tables) {
    const mentions = shared.mentionsOf(table);
    const filled = mentions.map((reference) => placeholders.of(reference));
    if (filled.some((each) => each === undefined) || !shared.inputsAgree(table)) continue;
    const parts = new Map<HydratedRows, readonly string[] | undefined>();
    for (const each of filled) if (each !== undefined && each.rows !== 'empty') parts.set(each.rows, each.keys);
    const [first] = mentions;
    const columns = first === undefined ? [] : shared.columnsOf(first);
    served.set(table, {
      parts: [...parts].map(([rows, keys]) => ({ rows, keys })),
      columns: new Set(columns.map(({ name }) => name)),
    });
  }
  return served;
}
