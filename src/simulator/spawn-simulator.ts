import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CallSummary } from './control/call-summary.ts';
import type { Fault } from './control/fault.ts';
import type { ProcessOptions } from './process-options.ts';

/** A simulator in another process, so that what it costs is not counted as its client's. */
export interface SimulatorProcess {
  readonly url: string;
  readonly abuseipdbUrl: string;
  readonly pid: number;
  calls(): Promise<CallSummary>;
  fault(fault: Fault): Promise<void>;
  /** Forgets calls and faults. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export async function spawnSimulator(options: ProcessOptions): Promise<SimulatorProcess> {
  const main = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? 'main.ts' : 'main.js', import.meta.url));
  const loader = main.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : [];
  const child = spawn(process.execPath, [...loader, main, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const url = await Promise.race([
    once(lines, 'line').then(([line]) => String(line)),
    ended.then(([status]) => Promise.reject(new Error(`the simulator ended with status ${String(status)}`))),
  ]);
  const post = async (path: string, body?: unknown): Promise<void> => {
    await fetch(`${url}/__simulator/${path}`, { method: 'POST', body: JSON.stringify(body ?? {}) });
  };
  return {
    url,
    abuseipdbUrl: `${url}/api/v2`,
    pid: child.pid ?? 0,
    calls: async () => (await (await fetch(`${url}/__simulator/calls`)).json()) as CallSummary,
    fault: (fault) => post('fault', fault),
    reset: () => post('reset'),
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
