import { createHash } from 'node:crypto';
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TrailhoundError } from '../../kernel/errors.ts';
import { processIdentity } from './process-identity.ts';

export interface DirectoryLock {
  release(): Promise<void>;
}

const PREFIX = 'engine.lock-';
/** Two that claim at once both step back, and try again after a time of their own. */
const ATTEMPTS = 8;
const PAUSE_MS = 60;

/**
 * One Trailhound per data directory. A claim is an empty file whose name tells a process by pid and start, so that
 * nobody else ever makes it, and anybody may remove it once that process has ended (in a container the pid nearly
 * always lives again). Who finds no living claim but its own after making it holds the directory.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const own = await claimOf(process.pid);
  const path = join(directory, own ?? `${PREFIX}${process.pid}-unknown`);
  let other: number | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (!(await claim(path))) throw inUse(directory, process.pid);
    other = await livingClaim(directory, path);
    if (other === undefined) return { release: () => rm(path, { force: true }) };
    await rm(path, { force: true });
    await sleep(PAUSE_MS * Math.random());
  }
  throw inUse(directory, other ?? 0);
}

/** False: this process has it already. */
async function claim(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The pid of another process that claims the directory. Removes the claims of those that have ended. */
async function livingClaim(directory: string, ownPath: string): Promise<number | undefined> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    if (!name.startsWith(PREFIX) || path === ownPath) continue;
    const pid = Number.parseInt(name.slice(PREFIX.length), 10);
    if ((await claimOf(pid)) === name) return pid;
    await rm(path, { force: true });
  }
  return undefined;
}

/** The name of the claim that a living process makes. */
async function claimOf(pid: number): Promise<string | undefined> {
  const identity = await processIdentity(pid);
  if (identity === undefined) return undefined;
  return `${PREFIX}${pid}-${createHash('sha256').update(identity.startedAt).digest('hex').slice(0, 16)}`;
}

function inUse(directory: string, pid: number): TrailhoundError {
  return new TrailhoundError('configuration', `data directory ${directory} is in use by process ${pid}`, {
    detail: 'One Trailhound at a time can use a data directory.',
    hint: `Stop process ${pid}, or choose another directory with --data-dir.`,
  });
}
