import type { SqlTarget } from '../hunts/sql-client.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { Config } from './config/load.ts';
import { OWNER, readPassword } from './password.ts';
import { findRunningServer } from './server-file.ts';

export interface Console {
  readonly target: SqlTarget;
  close(): Promise<void>;
}

/** The server that runs on the data directory, else one that lives for this call on a port of the system's choice. */
export async function openConsole(config: Config): Promise<Console> {
  return (await findConsole(config)) ?? startConsole(config);
}

/** Undefined where no server runs on the data directory. */
export async function findConsole(config: Config): Promise<Console | undefined> {
  const running = await findRunningServer(config.dataDir);
  if (running === undefined) return undefined;
  const password = config.password ?? (await readPassword(config.dataDir));
  if (password === undefined) {
    throw new TrailhoundError('configuration', `there is no password in ${config.dataDir}`, {
      detail: `A server runs on that directory (process ${running.pid}).`,
      hint: 'Stop the server and start it again: it makes a new one.',
    });
  }
  return {
    target: { ...running, user: OWNER, password, timezone: config.timezone },
    close: () => Promise.resolve(),
  };
}

/** A server that holds the data directory until it is closed. */
export async function startConsole(config: Config): Promise<Console> {
  const listen = { ...config.listen, host: '127.0.0.1', port: 0, httpPort: 'off', tls: 'off' } as const;
  const { buildServer } = await import('./server.ts');
  const server = buildServer({ ...config, listen }, { announce: false });
  const endpoint = await server.start();
  return {
    target: { ...endpoint, user: OWNER, timezone: config.timezone },
    close: () => server.stop('gracefully'),
  };
}
