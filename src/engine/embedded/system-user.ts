import { execFile } from 'node:child_process';
import { chmod, lchown, lstat, readFile, readdir, stat } from 'node:fs/promises';
import { dirname, join, parse as parsePath } from 'node:path';
import { promisify } from 'node:util';
import { TrailhoundError } from '../../kernel/errors.ts';

const run = promisify(execFile);

/** The operating system's user that the engine runs as. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  /** We are root and have to hand things over to it. */
  readonly other: boolean;
}

/**
 * PostgreSQL refuses to run as root, so root runs it as the user that owns the data directory, else as `postgres`,
 * else as `nobody`.
 */
export async function engineUser(directories: readonly string[]): Promise<SystemUser> {
  const uid = process.getuid?.();
  const gid = process.getgid?.();
  if (uid === undefined || gid === undefined) {
    throw new TrailhoundError('configuration', `the embedded engine does not run on ${process.platform}`, {
      hint: 'Use WSL2 on Windows, or a PostgreSQL of your own with --engine-url.',
    });
  }
  if (uid !== 0) return { uid, gid, name: String(uid), other: false };
  for (const directory of directories) {
    const found = await stat(directory).catch(() => undefined);
    if (found === undefined || found.uid === 0) continue;
    const name = await userName(found.uid);
    // PostgreSQL's programs refuse a user without a name.
    if (name !== undefined) return { uid: found.uid, gid: found.gid, name, other: true };
  }
  const users = await passwd();
  const user = users.get('postgres') ?? users.get('nobody');
  if (user === undefined) {
    throw new TrailhoundError('configuration', 'PostgreSQL does not run as root and there is no other user', {
      detail: 'Neither `postgres` nor `nobody` stands in /etc/passwd.',
      hint: 'Run Trailhound as another user, or give the data directory to one with chown.',
    });
  }
  return user;
}

async function userName(uid: number): Promise<string | undefined> {
  try {
    // Not /etc/passwd: users may stand elsewhere, as on macOS.
    return (await run('/usr/bin/id', ['-un', String(uid)])).stdout.trim();
  } catch {
    return undefined;
  }
}

async function passwd(): Promise<Map<string, SystemUser>> {
  const users = new Map<string, SystemUser>();
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '');
  for (const line of text.split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name === undefined || uid === undefined || gid === undefined || Number(uid) <= 0) continue;
    users.set(name, { uid: Number(uid), gid: Number(gid), name, other: true });
  }
  return users;
}

/** The first of the path's directories, from the root down, that the user may not pass; undefined: it may pass all. */
export async function blockingDirectory(path: string, user: SystemUser): Promise<string | undefined> {
  if (!user.other) return undefined;
  for (const directory of ancestors(path)) {
    const found = await stat(directory);
    if ((permissions(found, user) & 1) === 0) return directory;
  }
  return undefined;
}

/** Whether the user may read and run a file, its directories included. */
export async function mayExecute(path: string, user: SystemUser): Promise<boolean> {
  if (!user.other) return true;
  if ((await blockingDirectory(dirname(path), user)) !== undefined) return false;
  return (permissions(await stat(path), user) & 5) === 5;
}

/** Lets others pass, but not list, a directory of our own. */
export async function letPass(directory: string, user: SystemUser): Promise<void> {
  if (!user.other) return;
  const found = await lstat(directory);
  if (found.isDirectory() && (permissions(found, user) & 1) === 0) await chmod(directory, (found.mode & 0o777) | 0o011);
}

/** Gives a directory and all that is in it to the user, where it is not its own: it may come from another machine. */
export async function giveTo(user: SystemUser, directory: string): Promise<void> {
  if (!user.other) return;
  const found = await lstat(directory);
  if (found.uid === user.uid) return;
  for (const entry of await readdir(directory, { recursive: true }))
    await lchown(join(directory, entry), user.uid, user.gid);
  await lchown(directory, user.uid, user.gid);
}

/** rwx as a number. The engine's process has no supplementary groups. */
function permissions(found: { mode: number; uid: number; gid: number }, user: SystemUser): number {
  if (found.uid === user.uid) return (found.mode >> 6) & 7;
  if (found.gid === user.gid) return (found.mode >> 3) & 7;
  return found.mode & 7;
}

function ancestors(path: string): string[] {
  const { root } = parsePath(path);
  const list: string[] = [];
  for (let directory = path; ; directory = dirname(directory)) {
    list.unshift(directory);
    if (directory === root) return list;
  }
}
