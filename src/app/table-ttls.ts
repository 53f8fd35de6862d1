import type { Catalog } from '../catalog/table.ts';
import type { Logger } from '../kernel/log.ts';
import { nearest } from '../kernel/nearest.ts';
import type { Config } from './config/load.ts';

/**
 * The catalog with the times to live that `cache.tables` sets. A name that is of no table is only warned of: tables by SQL
 * come and go, and a server has to start without them.
 */
export function withTtls(
  catalog: Catalog,
  config: Pick<Config, 'cache' | 'origin'>,
  log?: Pick<Logger, 'warn'>,
): Catalog {
  const { ttlMsByTable } = config.cache;
  const names = catalog.tables.map((table) => table.name);
  for (const name of Object.keys(ttlMsByTable)) {
    if (names.includes(name)) continue;
    const guess = nearest(name, names);
    const place = config.origin(['cache', 'tables', name]);
    const hint = guess === undefined ? `There are ${names.join(', ')}.` : `Did you mean ${guess}?`;
    log?.warn(`${place}: cache.tables.${name}: there is no such table. ${hint}`);
  }
  const tables = catalog.tables.map((table) => ({ ...table, ttlMs: ttlMsByTable[table.name] ?? table.ttlMs }));
  const tableByOid = new Map(tables.map((table) => [table.oid, table]));
  const views = catalog.views.map((view) => ({ ...view, table: tableByOid.get(view.table.oid) ?? view.table }));
  const viewByOid = new Map(views.map((view) => [view.oid, view]));
  return { tables, views, tableByOid: (oid) => tableByOid.get(oid), viewByOid: (oid) => viewByOid.get(oid) };
}
