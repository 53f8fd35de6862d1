import { withClient, type ConnectionTarget } from './pool.ts';

/** Any number that nobody else locks. The connection's end releases it. */
const CREATION_LOCK = 7_266_851_390_419;

/** Makes the database when it is missing. Returns server_version_num. */
export function ensureDatabase(maintenance: ConnectionTarget, database: string): Promise<number> {
  return withClient(maintenance, async (client) => {
    const { rows } = await client.query<{ version: number; present: boolean }>(
      `select pg_catalog.current_setting('server_version_num')::int as version,
              exists (select from pg_catalog.pg_database where datname = $1) as present`,
      [database],
    );
    const row = rows[0];
    if (row === undefined) throw new Error('one row expected');
    if (!row.present) {
      // CREATE DATABASE of two at once fails in several ways: template0 is in use, the name is there by now.
      await client.query('select pg_catalog.pg_advisory_lock($1)', [CREATION_LOCK]);
      // template0: what an administrator put into template1 stays out. 42P04: it is there by now.
      const sql = `create database ${client.escapeIdentifier(database)} template template0 encoding 'UTF8'`;
      await client.query(sql).catch((error: unknown) => {
        if ((error as { code?: string }).code !== '42P04') throw error;
      });
    }
    return row.version;
  });
}
