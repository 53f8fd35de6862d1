import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createVerifier, DEFAULT_ITERATIONS, formatVerifier } from '../wire/scram/verifier.ts';
import { APPLICATION_NAME } from './caller.ts';
import type { Engine } from './engine.ts';
import { withPoolClient, type PoolClient } from './pool.ts';
import { LOCK_CLASS, type ProcessLock } from './process-lock.ts';

/** The role as which postgres_fdw comes back to us; schema/50-roles.sql makes it. */
export const LOOPBACK_ROLE = 'trailhound_loopback';

/** First of all, or processes that end together would wait for each other; one that is stopped just then lets go soon. */
const LOCK = `set local idle_in_transaction_session_timeout = '3s';
  lock table trailhound.loopback in share row exclusive mode`;

/** On a machine that is busy a backend that has sent its last message may not have begun to wait for the answer for long. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 10;

/**
 * Whether that backend waits for a connection of postgres_fdw just now. Any role may set postgres_fdw.application_name, and
 * so give the pid of somebody else's backend.
 */
export async function isConnecting(engine: Engine, pid: number): Promise<boolean> {
  const until = Date.now() + PATIENCE_MS;
  for (let pause = PAUSE_MS; ; pause *= 1.5) {
    const { rows } = await engine.pool.query<{ waits: boolean; is_idle: boolean }>(
      `select wait_event_type is not distinct from 'Extension' as waits, state like 'idle%' as is_idle
         from pg_stat_activity where pid = $1 and datname = $2`,
      [pid, engine.database],
    );
    const [backend] = rows;
    if (backend === undefined || backend.waits) return backend !== undefined;
    if (backend.is_idle || Date.now() > until) return false;
    await sleep(pause);
  }
}

/** `host` is a directory for a Unix socket. */
export interface LoopbackAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Points the foreign server at a listener of ours. References that the planner does not replace (in functions, below users'
 * views, in EXECUTE) are scanned through it. Where other processes listen already, it is added to theirs: PostgreSQL's
 * backends try them in order, and each process takes those that it serves. Idempotent.
 */
export async function openLoopback(engine: Engine, address: LoopbackAddress, lock: ProcessLock): Promise<void> {
  await lock.hold();
  await withPoolClient(engine.pool, async (client) => {
    await client.query('begin');
    await client.query(LOCK);
    const { rows: living } = await client.query(
      'select from trailhound.loopback where process in (select p from trailhound.living_processes($1) p)',
      [LOCK_CLASS],
    );
    // What others log in with stays as it is.
    if (living.length === 0) await renewLogIn(client, engine);
    await client.query(
      'insert into trailhound.loopback (process, host, port) values ($1, $2, $3) on conflict (process) do update set host = excluded.host, port = excluded.port',
      [lock.id, address.host, address.port],
    );
    await client.query('select trailhound.point_loopback($1)', [LOCK_CLASS]);
    await client.query('commit');
  });
}

/** The listener is about to close: nobody is led to it any more. */
export async function closeLoopback(engine: Engine, lock: ProcessLock): Promise<void> {
  await withPoolClient(engine.pool, async (client) => {
    await client.query('begin');
    await client.query(LOCK);
    await client.query('delete from trailhound.loopback where process = $1', [lock.id]);
    await client.query('select trailhound.point_loopback($1)', [LOCK_CLASS]);
    await client.query('commit');
  });
}

/** Who is the last to be tried serves those as well that belong to none, such as statements run on the engine itself. */
export async function isLastTried(engine: Engine, lock: ProcessLock): Promise<boolean> {
  const { rows } = await engine.pool.query<{ process: number }>(
    `select process from trailhound.loopback where process in (select p from trailhound.living_processes($1) p)
      order by since desc, process desc limit 1`,
    [LOCK_CLASS],
  );
  return rows[0]?.process === lock.id;
}

/** With a password of this start alone. */
async function renewLogIn(client: PoolClient, engine: Engine): Promise<void> {
  const password = randomBytes(32).toString('base64url');
  const verifier = formatVerifier(await createVerifier(password, randomBytes(16), DEFAULT_ITERATIONS));
  const options = {
    dbname: engine.database,
    application_name: APPLICATION_NAME,
    // Whoever else may listen there one day is told no password.
    require_auth: 'scram-sha-256',
  };
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
}
