import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DuckDbStart } from './duckdb-process.ts';

const FOLDER = fileURLToPath(new URL('duckdb/', import.meta.url));

export type Rows = readonly (readonly unknown[])[];

export class DuckDb {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  /** Installs it at first, in bench/duckdb/. */
  static async start(threads: number): Promise<DuckDb> {
    if (!existsSync(new URL('duckdb/node_modules', import.meta.url))) {
      const { status } = spawnSync('npm', ['install', '--no-package-lock', '--no-audit', '--no-fund'], {
        cwd: FOLDER,
        stdio: 'inherit',
      });
      if (status !== 0) throw new Error(`npm install in ${FOLDER} has failed`);
    }
    const started = new DuckDb(
      fork(fileURLToPath(new URL('duckdb-process.ts', import.meta.url)), {
        execArgv: ['--import', import.meta.resolve('tsx')],
      }),
    );
    await started.#ask({ threads });
    return started;
  }

  get pid(): number {
    return this.#process.pid!;
  }

  query(sql: string): Promise<Rows> {
    return this.#ask(sql);
  }

  close(): void {
    this.#process.disconnect();
  }

  async #ask(message: DuckDbStart | string): Promise<Rows> {
    this.#process.send(message);
    const [answer] = (await once(this.#process, 'message')) as [{ readonly rows?: Rows; readonly error?: string }];
    if (answer.rows === undefined) throw new Error(`DuckDB: ${answer.error}`);
    return answer.rows;
  }
}
