import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** From the sources, as nobody may have built them; where somebody says that they are built, what users run, in a third of the time. */
const COMMAND =
  process.env['TRAILHOUND_TEST_BUILT'] === undefined
    ? ['--import', import.meta.resolve('tsx'), fileURLToPath(new URL('trailhound.ts', import.meta.url))]
    : [fileURLToPath(new URL('../../../bin/trailhound.js', import.meta.url))];

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One command line as a process of its own, with nothing of this environment that it could read by accident. */
export class CliProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #finished: Promise<Finished>;
  #stdout = '';
  #stderr = '';

  constructor(args: readonly string[], { cwd = process.cwd(), env = {}, stdin }: RunOptions = {}) {
    this.child = spawn(process.execPath, [...COMMAND, ...args], {
      cwd,
      env: { PATH: process.env.PATH ?? '', HOME: cwd, AWS_EC2_METADATA_DISABLED: 'true', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    // A process that ends before it has read its input.
    this.child.stdin.on('error', () => undefined);
    if (stdin !== undefined) this.child.stdin.end(stdin);
    this.#finished = once(this.child, 'close').then(([status]) => ({
      status: status as number | null,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  finished(): Promise<Finished> {
    return this.#finished;
  }

  /** Resolves with the match once the output has it. */
  async waitFor(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this[stream]);
      if (match !== null) return match;
      const ended = await Promise.race([once(this.child[stream], 'data').then(() => undefined), this.#finished]);
      if (ended !== undefined && pattern.exec(this[stream]) === null) {
        throw new Error(`ended with ${ended.status} before ${pattern}: ${ended.stdout}${ended.stderr}`);
      }
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Finished> {
    this.child.kill(signal);
    return this.#finished;
  }
}

export function run(args: readonly string[], options?: RunOptions): Promise<Finished> {
  return new CliProcess(args, { stdin: '', ...options }).finished();
}

/** A directory that the engine's own user may enter, and how to remove it. */
export function temporaryDirectory(): { readonly path: string; remove(): void } {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'trailhound-cli-'));
  chmodSync(directory, 0o755);
  return { path: directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
