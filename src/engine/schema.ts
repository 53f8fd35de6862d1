import { createHash, randomBytes } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TrailhoundError } from '../kernel/errors.ts';
import { createVerifier, DEFAULT_ITERATIONS, formatVerifier, parseVerifier } from '../wire/scram/verifier.ts';
import type { Engine } from './engine.ts';
import { withPoolClient, type PoolClient } from './pool.ts';
import { LOCK_CLASS } from './process-lock.ts';

/** The same from src/engine and from dist/engine. */
const FOLDER = fileURLToPath(new URL('../../schema/', import.meta.url));

export interface SchemaOptions {
  /** Of the role `trailhound`. */
  readonly password: string;
}

/**
 * Brings the engine's database to what `schema/*.sql` declares. Costs one query and one ALTER ROLE when it is there
 * already, known by the content's hash.
 */
export async function setUpSchema(engine: Engine, options: SchemaOptions): Promise<void> {
  const files = await readSchema();
  const hash = createHash('sha256').update(JSON.stringify(files)).digest('hex');
  await withPoolClient(engine.pool, async (client) => {
    await client.query(`begin; set local idle_in_transaction_session_timeout = '3s'`);
    // Roles are shared by all databases of an engine: several processes may set up different ones at once.
    await client.query('lock table pg_authid in share row exclusive mode');
    if ((await installedHash(client)) !== hash) await install(client, engine, files, hash);
    await setPassword(client, options.password);
    await client.query('commit');
  });
}

interface SchemaFile {
  readonly name: string;
  readonly text: string;
}

async function readSchema(): Promise<readonly SchemaFile[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(names.map(async (name) => ({ name, text: await readFile(join(FOLDER, name), 'utf8') })));
}

async function installedHash(client: PoolClient): Promise<string | undefined> {
  const { rows: found } = await client.query(`select where to_regclass('trailhound.installation') is not null`);
  if (found.length === 0) return undefined;
  // Role trailhound administers the others, so that it can grant them, and so may have dropped or changed them, or what they may.
  const { rows } = await client.query<{ hash: string }>(
    `select hash from trailhound.installation
      where 2 = (select count(*) from pg_roles where rolname in ('trailhound_reader', 'trailhound_admin')
        and not (rolcanlogin or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)
        and case rolname when 'trailhound_reader' then has_table_privilege(oid, to_regclass('public.cloudtrail_trail_event'), 'select')
          else has_function_privilege(oid, to_regproc('trailhound.create_lookup'), 'execute') end)`,
  );
  return rows[0]?.hash;
}

async function install(client: PoolClient, engine: Engine, files: readonly SchemaFile[], hash: string): Promise<void> {
  // Operators in pg_catalog are found under any search_path.
  await client.query('set local allow_system_table_mods = on');
  for (const file of files) await run(client, file);
  // The embedded engine has no roles but those that `trailhound` makes: it may use `public` as its own. On an
  // engine of others they look names up there, so that it could plant functions for them to call.
  const verb = engine.kind === 'embedded' ? 'grant create on schema public to' : 'revoke create on schema public from';
  await client.query(`${verb} trailhound`);
  await client.query('delete from trailhound.installation');
  await client.query('insert into trailhound.installation (hash) values ($1)', [hash]);
}

async function run(client: PoolClient, file: SchemaFile): Promise<void> {
  try {
    await client.query(file.text);
  } catch (cause) {
    const { message, detail, hint } = cause as Error & { detail?: string; hint?: string };
    throw new TrailhoundError('configuration', `cannot set up the engine's database: ${message}`, {
      detail: `In schema/${file.name}. ${detail ?? ''}`.trim(),
      hint: hint ?? 'Use a database of its own for Trailhound.',
      cause,
    });
  }
}

/**
 * As a verifier: the engine's log may show statements, and must not show passwords.
 *
 * @throws TrailhoundError `configuration` where clients of another process log in with another one
 */
async function setPassword(client: PoolClient, password: string): Promise<void> {
  const { rows } = await client.query<{ known: string | null; shared: boolean }>(
    `select (select rolpassword from pg_authid where rolname = 'trailhound') as known,
       exists (select from trailhound.living_processes($1)) as shared`,
    [LOCK_CLASS],
  );
  const known = parseVerifier(rows[0]?.known ?? '');
  if (known !== undefined) {
    const { storedKey } = await createVerifier(password, known.salt, known.iterations);
    if (storedKey.equals(known.storedKey)) return;
  }
  if (rows[0]?.shared === true) {
    throw new TrailhoundError('configuration', 'another Trailhound serves that engine with another password', {
      detail: 'All processes on one engine have the password of role trailhound in common.',
      hint: 'Set TRAILHOUND_PASSWORD to the one of the other: "trailhound password" prints it there.',
    });
  }
  const verifier = formatVerifier(await createVerifier(password, randomBytes(16), DEFAULT_ITERATIONS));
  await client.query(`alter role trailhound password ${client.escapeLiteral(verifier)}`);
}
