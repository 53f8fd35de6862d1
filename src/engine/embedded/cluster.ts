import { chown, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TrailhoundError } from '../../kernel/errors.ts';
import type { Binaries } from './binaries.ts';
import { processIdentity } from './process-identity.ts';
import { runProgram } from './run-program.ts';
import { SOCKET_PORT } from './socket-directory.ts';
import { giveTo, type SystemUser } from './system-user.ts';

/** The role that initdb makes; the server's own. */
export const SUPERUSER = 'postgres';

/**
 * A server that lost its parent shuts down within the watchdog's ten seconds (see server.ts).
 */
const SHUTDOWN_PATIENCE_MS = 12_000;

/** Makes the cluster where there is none. An initdb that was cut short leaves nothing that looks like a cluster. */
export async function ensureCluster(cluster: string, binaries: Binaries, user: SystemUser): Promise<void> {
  await removeUnfinished(cluster);
  const version = await readVersion(cluster);
  if (version === undefined) {
    await initialise(cluster, binaries, user);
  } else if (version !== String(binaries.majorVersion)) {
    throw new TrailhoundError(
      'configuration',
      `data directory ${cluster} was made by PostgreSQL ${version}, this is PostgreSQL ${binaries.majorVersion}`,
      {
        detail: 'PostgreSQL does not read the files of another major version.',
        hint: `Move ${cluster} away to begin with an empty one (caches fill again), or first dump your own tables with the Trailhound that made it.`,
      },
    );
  } else {
    await giveTo(user, cluster);
  }
}

/** `18`; undefined where there is no cluster. */
async function readVersion(cluster: string): Promise<string | undefined> {
  const text = await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (text !== undefined) return text.trim();
  const entries = await readdir(cluster).catch(() => []);
  if (entries.length === 0) return undefined;
  throw new TrailhoundError('configuration', `${cluster} is not a PostgreSQL data directory`, {
    detail: 'It has files, but no PG_VERSION.',
    hint: `Move ${cluster} away, or choose another directory with --data-dir.`,
  });
}

async function initialise(cluster: string, binaries: Binaries, user: SystemUser): Promise<void> {
  const unfinished = `${cluster}.unfinished`;
  await mkdir(unfinished, { mode: 0o700 });
  if (user.other) await chown(unfinished, user.uid, user.gid);
  const { status, output } = await runProgram(
    binaries.initdb,
    [
      `--pgdata=${unfinished}`,
      `--username=${SUPERUSER}`,
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      // Never used: configure() writes pg_hba.conf before any start.
      '--auth=reject',
      '--no-instructions',
    ],
    user,
  );
  if (status !== 0) {
    throw new TrailhoundError('configuration', `cannot make a PostgreSQL data directory in ${cluster}`, {
      detail: output.split('\n').slice(-3).join(' '),
      hint: 'Check that the disk has room and that the directory may be written.',
    });
  }
  // An empty one in its place gives way.
  await rename(unfinished, cluster);
}

async function removeUnfinished(cluster: string): Promise<void> {
  await rm(`${cluster}.unfinished`, { recursive: true, force: true });
}

/**
 * Looks after what an earlier server left: waits while it shuts down, removes its pid file when that names a process
 * that is not PostgreSQL (PostgreSQL itself would refuse to start: same user, living pid).
 */
export async function clearPidFile(cluster: string): Promise<void> {
  const path = join(cluster, 'postmaster.pid');
  const deadline = Date.now() + SHUTDOWN_PATIENCE_MS;
  for (;;) {
    const pid = (await readPostmasterStatus(cluster))?.pid;
    if (pid === undefined) return;
    if ((await processIdentity(pid))?.command !== 'postgres') {
      await rm(path, { force: true });
      return;
    }
    if (Date.now() > deadline) {
      throw new TrailhoundError('configuration', `data directory ${cluster} is in use by PostgreSQL, process ${pid}`, {
        detail: 'That server was not started by a Trailhound that still runs, and it does not end.',
        hint: `Stop process ${pid}, or choose another directory with --data-dir.`,
      });
    }
    await sleep(50);
  }
}

export interface PostmasterStatus {
  readonly pid: number;
  /** It accepts connections: line 8 of postmaster.pid, which pg_ctl waits for, too. */
  readonly ready: boolean;
}

export async function readPostmasterStatus(cluster: string): Promise<PostmasterStatus | undefined> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  // A single-user server writes its pid negative.
  const pid = Math.abs(Number.parseInt(lines[0] ?? '', 10));
  return pid > 0 ? { pid, ready: lines[7]?.trim() === 'ready' } : undefined;
}

export interface ClusterSettings {
  readonly socketDirectory: string;
  readonly maxConnections: number;
}

/** Writes both configuration files anew at every start: what stood there before never matters. */
export async function configure(cluster: string, settings: ClusterSettings, user: SystemUser): Promise<void> {
  await write(join(cluster, 'pg_hba.conf'), 'local all all scram-sha-256\n', user);
  await write(join(cluster, 'postgresql.conf'), configuration(settings), user);
}

function configuration(settings: ClusterSettings): string {
  const lines = [
    '# Written by Trailhound at every start.',
    "listen_addresses = ''",
    `port = ${SOCKET_PORT}`,
    `unix_socket_directories = ${quoted(settings.socketDirectory)}`,
    'unix_socket_permissions = 0700',
    `max_connections = ${settings.maxConnections}`,
    'password_encryption = scram-sha-256',
    "timezone = 'UTC'",
    "log_timezone = 'UTC'",
    "datestyle = 'iso, mdy'",
    "lc_messages = 'C'",
    "default_text_search_config = 'pg_catalog.english'",
    // Nobody replicates it, and COPY into a table of the same transaction then writes no WAL.
    'wal_level = minimal',
    'max_wal_senders = 0',
    // The binaries come without LLVM.
    'jit = off',
    // Statements can hold secrets (passwords of roles); users see their errors themselves.
    'log_min_messages = log',
    'log_min_error_statement = panic',
    "log_line_prefix = '%m [%p] '",
    'log_checkpoints = off',
    'log_statement = none',
  ];
  return `${lines.join('\n')}\n`;
}

/** A path with an apostrophe, for postgresql.conf. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

async function write(path: string, text: string, user: SystemUser): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  if (user.other) await chown(path, user.uid, user.gid);
}

/** Gives the server's role a new password, before any client can connect. Recovers the cluster if need be. */
export async function setPassword(
  cluster: string,
  binaries: Binaries,
  password: string,
  user: SystemUser,
): Promise<void> {
  const { status, output } = await runProgram(
    binaries.postgres,
    ['--single', '-D', cluster, '-c', 'log_statement=none', 'postgres'],
    user,
    `alter role ${SUPERUSER} with login superuser password '${password}'\n`,
  );
  if (status !== 0 || output.includes('ERROR:') || output.includes('FATAL:')) {
    throw new TrailhoundError('configuration', `PostgreSQL cannot use the data directory ${cluster}`, {
      detail:
        output
          .split('\n')
          .filter((line) => line.includes('FATAL:') || line.includes('HINT:'))
          .join(' ') || `Status ${status}.`,
      hint: 'Look into the message; a damaged directory can be moved away, caches fill again.',
    });
  }
}
