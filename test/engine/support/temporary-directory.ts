import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];

/** One that the engine's user may pass; gone after removeTemporaryDirectories(). */
export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'trailhound-test-'));
  made.push(path);
  await chmod(path, 0o711);
  return path;
}

/** For afterAll. */
export async function removeTemporaryDirectories(): Promise<void> {
  for (const path of made.splice(0)) await rm(path, { recursive: true, force: true });
}
