import type { SqlClient } from './sql-client.ts';

/** Nobody else does the same until `release`, or until the connection ends; false where another process does so now. */
export async function claim(client: SqlClient, what: string): Promise<boolean> {
  const [row] = await client.rows(`select pg_catalog.pg_try_advisory_lock(${LOCK})::text`, [what]);
  return row?.[0] === 'true';
}

export async function release(client: SqlClient, what: string): Promise<void> {
  await client.rows(`select pg_catalog.pg_advisory_unlock(${LOCK})`, [what]);
}

const LOCK = `pg_catalog.hashtextextended($1, 0)`;
