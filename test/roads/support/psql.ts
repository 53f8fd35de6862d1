import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { Road, Login } from './road.ts';

const version = spawnSync('psql', ['--version'], { encoding: 'utf8' });

const script = spawnSync('script', ['--version'], { encoding: 'utf8' });

/** util-linux's `script` gives a program a terminal; that of other systems takes other options. */
export const HAS_TERMINAL = script.status === 0 && script.stdout.includes('util-linux');

/** Undefined where there is none. */
export const PSQL_VERSION: number | undefined =
  version.status === 0 ? Number(/(\d+)/.exec(version.stdout)?.[1] ?? 0) : undefined;

export interface PsqlOptions extends Login {
  /** Further connection parameters: `sslmode=require`. */
  readonly conninfo?: string;
  readonly args?: readonly string[];
  /** As at a terminal, whose screen is stdout: a script ends at Ctrl-C, somebody's shell does not. */
  readonly terminal?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

export interface PsqlResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A real psql, which reads what is written to its standard input. */
export class Psql {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  stdout = '';
  stderr = '';
  readonly #terminal: boolean;
  readonly #ended: Promise<PsqlResult>;

  constructor(road: Pick<Road, 'endpoint'>, options: PsqlOptions = {}) {
    const { host, port, database, password } = road.endpoint;
    const { user = 'trailhound', conninfo = '', args = [], terminal = false, env = {} } = options;
    const target = `host=${host} port=${port} dbname=${database} user=${user} ${conninfo}`;
    const command = ['psql', '--no-psqlrc', '--no-readline', '--set=VERBOSITY=verbose', ...args, target];
    const quoted = command.map((word) => `'${word}'`).join(' ');
    const [program = '', ...words] = terminal
      ? ['script', '-qefc', `stty -echo; exec ${quoted}`, '/dev/null']
      : command;
    this.#terminal = terminal;
    this.child = spawn(program, words, {
      env: {
        PATH: process.env.PATH ?? '',
        PGPASSWORD: options.password ?? password,
        PGCONNECT_TIMEOUT: '120',
        LC_ALL: 'C.UTF-8',
        PAGER: 'cat',
        ...env,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.child.stdin.on('error', () => undefined);
    this.#ended = once(this.child, 'close').then(([status]) => ({
      status: status as number | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  type(text: string): void {
    this.child.stdin.write(`${text}\n`);
  }

  /** Ctrl-C. */
  interrupt(): void {
    if (this.#terminal) this.child.stdin.write('\u0003');
    else this.child.kill('SIGINT');
  }

  /** Resolves once either output has it. */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stdout) && !pattern.test(this.stderr)) {
      const more = Promise.race([once(this.child.stdout, 'data'), once(this.child.stderr, 'data')]);
      if ((await Promise.race([more, this.#ended.then(() => 'ended')])) === 'ended') {
        if (pattern.test(this.stdout) || pattern.test(this.stderr)) return;
        throw new Error(`psql ended before ${String(pattern)}: ${this.stdout}${this.stderr}`);
      }
    }
  }

  async end(): Promise<PsqlResult> {
    if (this.#terminal) this.type('\\q');
    this.child.stdin.end();
    return this.#ended;
  }
}

/** Runs a script to its end. */
export function psql(road: Pick<Road, 'endpoint'>, script: string, options: PsqlOptions = {}): Promise<PsqlResult> {
  const child = new Psql(road, options);
  child.type(script);
  return child.end();
}

/** The rows of one statement, as psql prints them. */
export async function psqlRows(road: Pick<Road, 'endpoint'>, statement: string): Promise<string[][]> {
  const { status, stdout, stderr } = await psql(road, `${statement};`, {
    args: ['--csv', '--tuples-only', '--quiet', '--set=ON_ERROR_STOP=1'],
  });
  if (status !== 0) throw new Error(stderr);
  return parseCsv(stdout);
}

/** https://www.rfc-editor.org/rfc/rfc4180, as COPY and psql write it. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === '\n') rows.push([]);
  }
  return rows.slice(0, -1);
}
