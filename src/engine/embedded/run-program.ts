import { spawn } from 'node:child_process';
import type { SystemUser } from './system-user.ts';

/** No PG* variable, locale or library path of the caller may reach the engine. */
export const ENGINE_ENVIRONMENT = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' };

export interface ProgramResult {
  readonly status: number | null;
  /** stdout and stderr, as they came. */
  readonly output: string;
}

/** Runs one of PostgreSQL's programs to its end, as the engine's user. */
export function runProgram(
  path: string,
  args: readonly string[],
  user: SystemUser,
  input = '',
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { ...identity(user), cwd: '/', env: ENGINE_ENVIRONMENT, stdio: 'pipe' });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    // It may end without reading its input; its status says why.
    child.stdin.on('error', () => undefined);
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, output: Buffer.concat(chunks).toString('utf8').trim() }));
    child.stdin.end(input);
  });
}

export function identity(user: SystemUser): { uid?: number; gid?: number } {
  return user.other ? { uid: user.uid, gid: user.gid } : {};
}
