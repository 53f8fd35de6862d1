import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrailhoundError } from '../../kernel/errors.ts';
import { blockingDirectory, type SystemUser } from './system-user.ts';

/** The socket is named by it; no TCP port is used. */
export const SOCKET_PORT = 5432;
export const SOCKET_NAME = `.s.PGSQL.${SOCKET_PORT}`;

/** Beside PostgreSQL's own socket, as libpq names the one of the next port. */
const LOOPBACK_PORT = SOCKET_PORT + 1;

export function loopbackSocket({ path }: SocketDirectory): { readonly port: number; readonly path: string } {
  return { port: LOOPBACK_PORT, path: join(path, `.s.PGSQL.${LOOPBACK_PORT}`) };
}

/** sizeof sun_path less its final zero byte: unix(7), and unix(4) on macOS. */
const MAX_SOCKET_PATH = process.platform === 'darwin' ? 103 : 107;

export interface SocketDirectory {
  readonly path: string;
  /** It was made for this run and is removed after it. */
  readonly temporary: boolean;
}

/** A directory that only the engine's user can enter, with a path short enough for a socket. */
export async function makeSocketDirectory(dataDir: string, user: SystemUser): Promise<SocketDirectory> {
  const own = join(dataDir, 'run');
  const fits = Buffer.byteLength(join(own, SOCKET_NAME)) <= MAX_SOCKET_PATH;
  const path = fits ? own : await mkdtemp(join(tmpdir(), 'trailhound-'));
  await mkdir(path, { recursive: true });
  await chmod(path, 0o700);
  if (user.other) await chown(path, user.uid, user.gid);
  if (Buffer.byteLength(join(path, SOCKET_NAME)) > MAX_SOCKET_PATH) {
    if (!fits) await rm(path, { recursive: true, force: true });
    throw new TrailhoundError('configuration', `no path for a socket is short enough: ${path}`, {
      detail: `A socket's path may have ${MAX_SOCKET_PATH} bytes.`,
      hint: 'Choose a shorter directory with --data-dir, or set TMPDIR to a shorter one.',
    });
  }
  const blocking = await blockingDirectory(path, user);
  if (blocking !== undefined) {
    throw new TrailhoundError('configuration', `user ${user.name} may not enter ${blocking}`, {
      detail: `The engine runs as ${user.name} and needs ${path} for its socket.`,
      hint: 'Set TMPDIR to a directory that everybody may enter.',
    });
  }
  return { path, temporary: !fits };
}
