import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Bytes. Linux only: read from /proc, so that nothing runs inside the process that is looked at. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** USER_HZ: what /proc counts in on Linux, whatever the kernel's own tick. */
const TICK_MS = 10;

/** Processor time of all threads, in milliseconds: tells of work where others compete for the processors. */
export function processorMs(pid: number): Promise<number> {
  return ticksOf(`/proc/${pid}/stat`);
}

/** Of the first thread alone, which answers clients. */
export function mainThreadMs(pid: number): Promise<number> {
  return ticksOf(`/proc/${pid}/task/${pid}/stat`);
}

async function ticksOf(file: string): Promise<number> {
  const stat = await readFile(file, 'utf8');
  // The command's name, in parentheses, may hold spaces. proc_pid_stat(5): utime is field 14, stime 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Of a process and all of its descendants: a server with its engine. */
export async function processorMsOfAll(root: number): Promise<number> {
  let ms = await processorMs(root);
  // A backend may end meanwhile.
  for (const pid of await descendantsOf(root)) ms += await processorMs(pid).catch(() => 0);
  return ms;
}

async function descendantsOf(root: number): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = new Map<number, number>();
  for (const pid of pids) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    parents.set(pid, Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]));
  }
  return pids.filter((pid) => descends(pid, root, parents));
}

/** Of all descendants, proportionally: what they share (PostgreSQL's buffers) counts once. */
async function descendantBytes(root: number): Promise<number> {
  let bytes = 0;
  for (const pid of await descendantsOf(root)) {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
    bytes += Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0) * 1024;
  }
  return bytes;
}

function descends(pid: number, root: number, parents: ReadonlyMap<number, number>): boolean {
  for (let at = parents.get(pid); at !== undefined && at > 0; at = parents.get(at)) if (at === root) return true;
  return false;
}

export interface MemorySamples {
  readonly own: number[];
  readonly descendants: number[];
}

/** Looks at a process until the work is done: every 50 ms, its descendants every 20th time. */
export async function sampleMemory(pid: number, work: Promise<unknown>): Promise<MemorySamples> {
  const samples: MemorySamples = { own: [], descendants: [] };
  const progress = { running: true };
  const done = work.finally(() => (progress.running = false));
  done.catch(() => undefined);
  for (let round = 0; progress.running; round += 1) {
    samples.own.push(await residentBytes(pid));
    if (round % 20 === 0) samples.descendants.push(await descendantBytes(pid));
    await sleep(50);
  }
  await done;
  return samples;
}
