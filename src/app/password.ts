import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writePrivateFile } from './private-file.ts';

/** The role that owns a Trailhound. */
export const OWNER = 'trailhound';

/** `undefined`: the data directory has none yet. */
export async function readPassword(dataDir: string): Promise<string | undefined> {
  try {
    const text = (await readFile(path.join(dataDir, 'password'), 'utf8')).trim();
    return text === '' ? undefined : text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Makes the password at the first start; one that the configuration gives replaces it, so that `query` finds it too. */
export async function ensurePassword(dataDir: string, configured: string | undefined): Promise<string> {
  const stored = await readPassword(dataDir);
  const password = configured ?? stored ?? makePassword();
  if (password !== stored) await writePassword(dataDir, password);
  return password;
}

/** 192 bits, in characters that need no quoting anywhere. */
export function makePassword(): string {
  return randomBytes(24).toString('base64url');
}

export async function writePassword(dataDir: string, password: string): Promise<void> {
  await writePrivateFile(path.join(dataDir, 'password'), `${password}\n`);
}

export function pgpassFile(dataDir: string): string {
  return path.join(dataDir, 'pgpass');
}

/** For PGPASSFILE: https://www.postgresql.org/docs/18/libpq-pgpass.html */
export async function writePgpass(dataDir: string, port: number, password: string): Promise<void> {
  const escaped = password.replace(/[\\:]/g, '\\$&');
  await writePrivateFile(pgpassFile(dataDir), `*:${port}:*:${OWNER}:${escaped}\n`);
}
