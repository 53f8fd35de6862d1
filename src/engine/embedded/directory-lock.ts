import { link, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { TrailhoundError } from '../../kernel/errors.ts';
import { isSameProcess, processIdentity } from './process-identity.ts';

export interface DirectoryLock {
  release(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  readonly startedAt: string;
}

/**
 * One Trailhound per data directory. The file names its holder by pid and start time, so that a lock left by a killed
 * process is taken over even where its pid is in use again (in a container it nearly always is).
 */
export async function lockDirectory(dataDir: string, path: string): Promise<DirectoryLock> {
  const identity = await processIdentity(process.pid);
  const holder: Holder = { pid: process.pid, startedAt: identity?.startedAt ?? 'unknown' };
  const content = JSON.stringify(holder);
  const own = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await writeFile(own, content, { mode: 0o600 });
  try {
    for (;;) {
      try {
        // link() fails when the name exists, so content and creation are one step.
        await link(own, path);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      await removeStale(dataDir, path, own);
    }
  } finally {
    await rm(own, { force: true });
  }
  let released = false;
  return {
    async release() {
      if (released) return;
      released = true;
      if ((await read(path)) === content) await rm(path, { force: true });
    },
  };
}

/** Throws when the holder lives. */
async function removeStale(dataDir: string, path: string, own: string): Promise<void> {
  const found = await read(path);
  if (found === undefined) return;
  const holder = parse(found);
  if (holder !== undefined && (await isSameProcess(holder.pid, holder.startedAt))) {
    throw new TrailhoundError('configuration', `data directory ${dataDir} is in use by process ${holder.pid}`, {
      detail: 'One Trailhound at a time can use a data directory.',
      hint: `Stop process ${holder.pid}, or choose another directory with --data-dir.`,
    });
  }
  // Of several that found the same stale file, one renames it; who got a newer one by mistake puts it back.
  const taken = `${own}.stale`;
  try {
    await rename(path, taken);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await read(taken)) !== found) await link(taken, path).catch(() => undefined);
  await unlink(taken);
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, startedAt } = value as Partial<Holder>;
    return typeof pid === 'number' && typeof startedAt === 'string' ? { pid, startedAt } : undefined;
  } catch {
    return undefined;
  }
}
