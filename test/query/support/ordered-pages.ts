import type { Order, Page, SourceRecord } from '../../../src/sources/source.ts';

/**
 * Records in an order, a few a page, as a source gives them that reads one piece of time after the other: within a piece
 * in no order, and equal ones in two of them.
 */
export function orderedPages(
  records: readonly SourceRecord[],
  { column, direction, nulls }: Order,
  size: number,
): readonly Page[] {
  const valueOf = ({ value, added }: SourceRecord): number | undefined => {
    const path = column.path ?? '';
    const found = path.startsWith('@')
      ? added[path.slice(1)]
      : path
          .split('.')
          .reduce<unknown>((at, name) => (at as Record<string, unknown> | null | undefined)?.[name], value);
    if (found === undefined || found === null) return undefined;
    return typeof found === 'number' ? found : Date.parse(JSON.stringify(found).slice(1, -1));
  };
  const sign = direction === 'desc' ? -1 : 1;
  const known = records.flatMap((record) => {
    const value = valueOf(record);
    return value === undefined ? [] : [{ record, value }];
  });
  known.sort((a, b) => sign * (a.value - b.value));
  const unknown = records.filter((record) => valueOf(record) === undefined);
  const pages: Page[] = nulls === 'first' ? [{ records: unknown, bytes: 1 }] : [];
  for (let from = 0; from < known.length; from += size) {
    const some = known.slice(from, from + size);
    const reached = some.at(-1)?.value;
    pages.push({
      records: some.map(({ record }) => record).reverse(),
      bytes: 1,
      ...(reached !== undefined && { reached }),
    });
  }
  return nulls === 'first' ? pages : [...pages, { records: unknown, bytes: 1 }];
}
