import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { dirname, join, resolve } from 'node:path';
import { TrailhoundError } from '../../kernel/errors.ts';
import { makeDataDirectory } from '../data-directory.ts';
import { ensureDatabase } from '../database.ts';
import type { Engine } from '../engine.ts';
import { maxConnections, type EngineOptions } from '../engine-options.ts';
import { createPool, type ConnectionTarget } from '../pool.ts';
import { findBinaries } from './binaries.ts';
import { clearPidFile, configure, ensureCluster, setPassword, SUPERUSER } from './cluster.ts';
import { lockDirectory } from './directory-lock.ts';
import { openLogFile } from './log-file.ts';
import { startServer } from './server.ts';
import { loopbackSocket, makeSocketDirectory, SOCKET_NAME, SOCKET_PORT } from './socket-directory.ts';
import { blockingDirectory, engineUser, letPass, type SystemUser } from './system-user.ts';

/**
 * PostgreSQL as our own child, in `<dataDir>/postgres`, on a Unix socket.
 * Beside it: `engine.log`, `engine.lock-…` (who holds it), `run/` (the socket) and, where needed, `engine-<version>/` (the binaries).
 */
export async function openEmbeddedEngine(options: EngineOptions): Promise<Engine> {
  const dataDir = resolve(options.dataDir);
  const cluster = join(dataDir, 'postgres');
  await makeDataDirectory(dataDir);
  const lock = await lockDirectory(dataDir);
  const undo: (() => Promise<void> | void)[] = [() => lock.release()];
  const unwind = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const user = await engineUser([cluster, dataDir]);
    await letPass(dataDir, user);
    await checkReachable(dataDir, user);
    const binaries = await findBinaries(dataDir, user);
    await clearPidFile(cluster);
    await ensureCluster(cluster, binaries, user);
    const socketDirectory = await makeSocketDirectory(dataDir, user);
    await configure(cluster, { socketDirectory: socketDirectory.path, maxConnections: maxConnections(options) }, user);

    const password = randomBytes(32).toString('base64url');
    await setPassword(cluster, binaries, password, user);
    const log = openLogFile(join(dataDir, 'engine.log'));
    undo.push(() => log.close());
    const server = await startServer(cluster, binaries, socketDirectory, log, user);
    undo.push(() => server.stop());

    const target: ConnectionTarget = {
      host: socketDirectory.path,
      port: SOCKET_PORT,
      user: SUPERUSER,
      password,
      database: options.database,
    };
    const version = await ensureDatabase({ ...target, database: 'postgres' }, options.database);
    const pool = createPool(target, options.poolSize);
    undo.push(() => pool.end());

    let closing: Promise<void> | undefined;
    return {
      kind: 'embedded',
      version,
      database: options.database,
      pool,
      loopback: { kind: 'socket', directory: socketDirectory.path, ...loopbackSocket(socketDirectory) },
      connectBackend: () => connectSocket(join(socketDirectory.path, SOCKET_NAME)),
      ended: new Promise((resolve) => {
        void server.exited.then((reason) => {
          if (closing === undefined) resolve(`PostgreSQL ended with ${reason}`);
        });
      }),
      close() {
        closing ??= unwind();
        return closing;
      },
    };
  } catch (error) {
    await unwind();
    throw error;
  }
}

async function checkReachable(dataDir: string, user: SystemUser): Promise<void> {
  const blocking = await blockingDirectory(dirname(dataDir), user);
  if (blocking === undefined) return;
  throw new TrailhoundError(
    'configuration',
    `user ${user.name} may not enter ${blocking}, which holds the data directory`,
    {
      detail: `PostgreSQL does not run as root; the engine runs as ${user.name} and needs ${dataDir}.`,
      hint: `Choose a directory that everybody may enter with --data-dir (such as /var/lib/trailhound), or allow it: chmod o+x ${blocking}.`,
    },
  );
}

/** Resolves once connected, so that who gets the stream can write at once and sees every later error. */
export function connectSocket(path: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
