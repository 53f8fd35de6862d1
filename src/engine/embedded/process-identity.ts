import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface ProcessIdentity {
  /** Differs between two processes that had the same pid, also across reboots and container restarts. */
  readonly startedAt: string;
  /** The executable's name, at most 15 characters on Linux. */
  readonly command: string;
}

/** What runs under a pid now; undefined where nothing does (a zombie counts as nothing). */
export async function processIdentity(pid: number): Promise<ProcessIdentity | undefined> {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

/** proc_pid_stat(5). Slim images have no `ps`. */
async function fromProc(pid: number): Promise<ProcessIdentity | undefined> {
  try {
    const [stat, bootId] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ]);
    // The name stands in parentheses and may hold any character, a parenthesis too.
    const end = stat.lastIndexOf(')');
    const fields = stat.slice(end + 2).split(' ');
    const [state] = fields;
    const startTime = fields[19];
    if (startTime === undefined || state === 'Z' || state === 'X') return undefined;
    return { startedAt: `${bootId.trim()}:${startTime}`, command: stat.slice(stat.indexOf('(') + 1, end) };
  } catch {
    return undefined;
  }
}

async function fromPs(pid: number): Promise<ProcessIdentity | undefined> {
  try {
    const { stdout } = await run('/bin/ps', ['-o', 'state=,lstart=,ucomm=', '-p', String(pid)], {
      env: { LC_ALL: 'C' },
    });
    // `Ss   Fri Nov 21 22:29:01 2026 postgres`
    const [state, ...words] = stdout
      .trim()
      .split(' ')
      .filter((word) => word !== '');
    if (state === undefined || state.startsWith('Z') || words.length < 6) return undefined;
    return { startedAt: words.slice(0, 5).join(' '), command: words.slice(5).join(' ') };
  } catch {
    return undefined;
  }
}
