import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildDemo } from '../../../src/app/demo.ts';
import type { Connect, Driver, Login, Result } from './drivers.ts';

export interface RunningDemo {
  readonly login: Login;
  /** Over a connection of its own. */
  ask(connect: Connect, ...statements: readonly string[]): Promise<Result>;
  close(): Promise<void>;
}

/** The demo's made-up account, for what clients send. */
export async function startDemo(): Promise<RunningDemo> {
  const directory = await mkdtemp(join(tmpdir(), 'trailhound-clients-'));
  // As root the engine runs as another user, who has to pass through.
  await chmod(directory, 0o711);
  const demo = await buildDemo({ dataDir: directory }, 'once');
  const { port, database, password } = await demo.server.start();
  const login = { port, database, password, user: 'trailhound' };
  return {
    login,
    ask: async (connect, ...statements) => {
      const driver: Driver = await connect(login);
      try {
        let result: Result = { fields: [], rows: [], tag: undefined };
        for (const statement of statements) result = await driver.rows(statement);
        return result;
      } finally {
        driver.close();
      }
    },
    close: async () => {
      await demo.server.stop('immediately');
      await demo.closeSimulator();
      await rm(directory, { recursive: true });
    },
  };
}
