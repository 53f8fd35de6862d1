import type { Catalog } from '../../src/catalog/table.ts';
import { withTtls } from '../../src/app/table-ttls.ts';

/** The catalog where every scan is a reading, so that a test sees what statements ask. */
export function withoutKeptScans(catalog: Catalog): Catalog {
  const scans = catalog.tables.filter(({ kind }) => kind === 'scan').map(({ name }) => [name, 0] as const);
  return withTtls(catalog, {
    cache: { maxBytes: Number.POSITIVE_INFINITY, ttlMsByTable: Object.fromEntries(scans) },
    origin: (path) => path.join('.'),
  });
}
