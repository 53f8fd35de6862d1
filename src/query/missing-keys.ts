import type { Guard } from './guard.ts';
import { storedSql } from './hydrated-sql.ts';
import type { OwnQueries } from './own-queries.ts';

/**
 * Fails the statement when its own snapshot holds a key that was not asked for.
 *
 * @param type of the keys, as a cast writes it
 */
export async function missingKeysGuard(
  keyQueries: readonly string[],
  type: string,
  keys: readonly string[],
  own: OwnQueries,
): Promise<Guard> {
  const rows = keys.map((key) => [key]);
  const known = await own.store([{ name: 'key', type: 'text' }], rows);
  const sql: Guard['sql'] = (parameters) => {
    const queries = keyQueries.map((query) => `(${own.substituted(query, parameters)})`).join(' union all ');
    return (
      `(select trailhound.keys_missing(pg_catalog.count(*)) from (${queries}) as k(key)` +
      // NULL is no key, and yet is unequal to all of none.
      ` where k.key is not null and k.key operator(pg_catalog.<>) all` +
      ` (select s.key::${type} from (${storedSql(known, parameters)}) as s))`
    );
  };
  return { known: [known], sql };
}
