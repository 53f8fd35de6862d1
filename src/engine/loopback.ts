import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createVerifier, DEFAULT_ITERATIONS, formatVerifier } from '../wire/scram/verifier.ts';
import type { Engine } from './engine.ts';
import { withPoolClient } from './pool.ts';

/** The role as which postgres_fdw comes back to us; schema/50-roles.sql makes it. */
export const LOOPBACK_ROLE = 'trailhound_loopback';

/** postgres_fdw writes the pid of the backend that scans in the place of %p ("postgres_fdw.application_name" in its manual page). */
const APPLICATION_NAME = 'trailhound %p';

const ATTEMPTS = 20;
const PAUSE_MS = 10;

/** The backend that a connection of postgres_fdw says it scans for; undefined for any other connection. */
export function callerIn(applicationName: string | undefined): number | undefined {
  const [name, pid, ...more] = applicationName?.split(' ') ?? [];
  const number = Number(pid);
  return name === 'trailhound' && more.length === 0 && Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

/**
 * Whether that backend waits for a connection of postgres_fdw just now. Any role may set postgres_fdw.application_name, and
 * so give the pid of somebody else's backend.
 */
export async function isConnecting(engine: Engine, pid: number): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const { rows } = await engine.pool.query(
      `select from pg_stat_activity where pid = $1 and datname = $2 and wait_event_type = 'Extension'`,
      [pid, engine.database],
    );
    if (rows.length > 0) return true;
    // It has sent its last message and may not have begun to wait.
    await sleep(PAUSE_MS);
  }
  return false;
}

/** `host` is a directory for a Unix socket. */
export interface LoopbackAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Points the foreign server at a listener of ours, with a password of this start alone. References that the planner does
 * not replace (in functions, below users' views, in EXECUTE) are scanned through it.
 */
export async function openLoopback(engine: Engine, address: LoopbackAddress): Promise<void> {
  const password = randomBytes(32).toString('base64url');
  const verifier = formatVerifier(await createVerifier(password, randomBytes(16), DEFAULT_ITERATIONS));
  const options = {
    host: address.host,
    port: String(address.port),
    dbname: engine.database,
    application_name: APPLICATION_NAME,
  };
  await withPoolClient(engine.pool, async (client) => {
    const literal = (value: string): string => client.escapeLiteral(value);
    await client.query(`alter role ${LOOPBACK_ROLE} password ${literal(verifier)}`);
    const { rows } = await client.query<{ name: string }>(
      `select o.option_name as name from pg_foreign_server s, pg_options_to_table(s.srvoptions) o where s.srvname = 'trailhound'`,
    );
    const existing = new Set(rows.map((row) => row.name));
    const changes = Object.entries(options).map(
      ([name, value]) => `${existing.has(name) ? 'set' : 'add'} ${name} ${literal(value)}`,
    );
    await client.query(`alter server trailhound options (${changes.join(', ')})`);
    // Views are read with their owner's mapping, and ours belong to the engine's superuser.
    await client.query('drop user mapping if exists for current_user server trailhound');
    const mapping = `user ${literal(LOOPBACK_ROLE)}, password ${literal(password)}`;
    await client.query(`create user mapping for current_user server trailhound options (${mapping})`);
  });
}
