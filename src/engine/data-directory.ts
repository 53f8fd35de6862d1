import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TrailhoundError } from '../kernel/errors.ts';

/** With the directories above it that do not exist yet. */
export async function makeDataDirectory(dataDir: string, mode = 0o700): Promise<void> {
  try {
    await makeDirectory(dataDir, mode);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new TrailhoundError(
      'configuration',
      `cannot make the data directory ${dataDir}: ${code ?? 'unknown error'}`,
      {
        hint: 'Choose a directory that you may write with --data-dir.',
        cause,
      },
    );
  }
}

/** Node's own `recursive` never comes back where a file system takes no directories, as below /proc. */
async function makeDirectory(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (await isDirectory(path)) return;
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || (await isDirectory(parent))) throw error;
    await makeDirectory(parent, mode);
    await makeDirectory(path, mode);
  }
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}
