import type { SqlClient } from './sql-client.ts';

/**
 * Nobody else does the same until `release`, or until the connection ends; false where another process does so now. Of a
 * process that is stopped, or cut off, PostgreSQL ends the connection after a while.
 */
export async function claim(client: SqlClient, what: string): Promise<boolean> {
  await endWhenIdle(client);
  const [row] = await client.rows(`select pg_catalog.pg_try_advisory_lock(${LOCK})::text`, [what]);
  return row?.[0] === 'true';
}

export async function release(client: SqlClient, what: string): Promise<void> {
  await client.rows(`select pg_catalog.pg_advisory_unlock(${LOCK})`, [what]);
}

/** What is told to a destination that does not answer takes less: six attempts, two minutes from one to the next. */
const IDLE = '30min';

async function endWhenIdle(client: SqlClient): Promise<void> {
  await client.rows(`select pg_catalog.set_config('idle_session_timeout', '${IDLE}', false)`);
  await endWhenIdleInTransaction(client);
}

/** Its locks are in the way of whoever reads what it writes. */
export async function endWhenIdleInTransaction(client: SqlClient): Promise<void> {
  await client.rows(`select pg_catalog.set_config('idle_in_transaction_session_timeout', '${IDLE}', false)`);
}

const LOCK = `pg_catalog.hashtextextended($1, 0)`;
