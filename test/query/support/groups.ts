import type { Column } from '../../../src/catalog/table.ts';
import type { Aggregation, SourceRecord } from '../../../src/sources/source.ts';

/** What a source that aggregates answers for records. */
export function groupsOf(
  records: readonly SourceRecord[],
  { groupBy, aggregates }: Aggregation,
): readonly SourceRecord[] {
  const groups = new Map<string, SourceRecord[]>();
  for (const record of records) {
    const key = JSON.stringify(groupBy.map((column) => valueAt(record, column) ?? null));
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  if (groupBy.length === 0 && groups.size === 0) groups.set('[]', []);
  return [...groups].map(([key, members]) => {
    const values = aggregates.map(({ function: name, column }) => {
      const all = members.map((record) => (column === undefined ? true : valueAt(record, column)));
      const known = all.filter((value) => value !== null && value !== undefined);
      const ordered = known.toSorted((one, two) => orderOf(one) - orderOf(two));
      switch (name) {
        case 'count':
          return known.length;
        case 'min':
        case 'any_value':
          return ordered.at(0);
        case 'max':
          return ordered.at(-1);
      }
    });
    const added = { groups: JSON.parse(key) as unknown, aggregates: values };
    return { value: {}, added, origin: () => 'groups in memory' };
  });
}

function valueAt({ value, added }: SourceRecord, { path = '' }: Column): unknown {
  const own = path.startsWith('@');
  const names = (own ? path.slice(1) : path).split('.');
  return names.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], own ? added : value);
}

function orderOf(value: unknown): number {
  return typeof value === 'number' ? value : Date.parse(String(value));
}
