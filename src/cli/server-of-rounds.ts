import { findConsole, startConsole, type Console } from '../app/console.ts';
import type { Config } from '../app/config/load.ts';
import { connectSql, type SqlClient } from '../hunts/sql-client.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { printable } from './output/printable.ts';
import { say } from './terminal.ts';

/**
 * The data directory's server, looked for anew where it is gone; one that was started for them stays up. Whoever
 * has found a server never starts one in its place: that would keep the directory from a server that restarts.
 */
export class ServerOfRounds {
  readonly #config: Config;
  #console: Console | undefined;
  #hasFound = false;

  constructor(config: Config) {
    this.#config = config;
  }

  async connect(): Promise<SqlClient> {
    this.#console ??= await this.#open();
    try {
      return await connectSql(this.#console.target, ({ severity, message }) => {
        if (severity === 'WARNING') say(`WARNING:  ${printable(message)}`);
      });
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #open(): Promise<Console> {
    const found = await findConsole(this.#config);
    if (found !== undefined) {
      this.#hasFound = true;
      return found;
    }
    if (!this.#hasFound) return startConsole(this.#config);
    throw new TrailhoundError('engine_unavailable', `no server runs on ${this.#config.dataDir} any more`, {
      detail: 'This command began on a server, and waits for it.',
      hint: 'Start the server again: trailhound serve. To go on without one, end this command and start it anew.',
    });
  }

  async close(): Promise<void> {
    const console = this.#console;
    this.#console = undefined;
    await console?.close();
  }
}
