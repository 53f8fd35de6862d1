import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../../src/app/config/load.ts';
import { buildServer, type Endpoint } from '../../../src/app/server.ts';
import { Client } from '../../../src/engine/client.ts';
import type { Simulator } from '../../../src/simulator/simulator.ts';
import { CliProcess } from '../../cli/support/cli.ts';
import type { ForeignServer } from '../../engine/support/foreign-server.ts';
import { temporaryDirectory } from '../../engine/support/temporary-directory.ts';
import { API_KEY, AWS, simulatedConnections } from './road.ts';

/** Of all processes: each would make its own otherwise. */
const PASSWORD = 'a made-up password of all';
const MAX_CLIENTS = 30;

export interface Processes {
  /** One more in this process; it reaches the engine by that port, where one is given. */
  start(options?: { password?: string; enginePort?: number }): Promise<Endpoint & { stop(): Promise<void> }>;
  /** One more as a child, which may be killed. */
  spawn(): Promise<{ readonly child: CliProcess; readonly port: number }>;
  /** A client of the process at that port, logged in as the owner. */
  connect(port: number): Promise<Client>;
  /** A superuser of the engine itself. */
  engine(): Promise<Client>;
  close(): Promise<void>;
}

/** Several Trailhounds on one engine, all of which call the same simulator. */
export async function openProcesses(engine: ForeignServer, simulator: Simulator): Promise<Processes> {
  const closers: (() => Promise<unknown>)[] = [];
  const urlBy = (port: number) =>
    `postgres://postgres:${encodeURIComponent(engine.password)}@127.0.0.1:${port}/postgres`;
  const engineUrl = urlBy(engine.port);

  const folder = async () => {
    const directory = await temporaryDirectory();
    closers.push(() => rm(directory, { recursive: true, force: true }));
    const listen = `listen: { max_connections: ${MAX_CLIENTS} }`;
    const { host } = new URL(simulator.abuseipdbUrl);
    const made = `  made: { kind: http, host: "${host}", headers: { Key: ${API_KEY} } }\nhttp: { allow_private: ["${host}"] }`;
    await writeFile(join(directory, 'trailhound.yaml'), `${simulatedConnections(simulator)}\n${made}\n${listen}\n`);
    return { directory, dataDir: join(directory, 'data') };
  };
  const connected = async (client: Client) => {
    client.on('error', () => undefined);
    await client.connect();
    closers.push(() => client.end().catch(() => undefined));
    return client;
  };
  return {
    start: async ({ password = PASSWORD, enginePort = engine.port } = {}) => {
      const { directory, dataDir } = await folder();
      const config = loadConfig({
        directory,
        environment: { TRAILHOUND_PASSWORD: password },
        options: { port: '0', httpPort: 'off', dataDir, engineUrl: urlBy(enginePort), logLevel: 'error' },
      });
      const server = buildServer(config, { aws: AWS });
      const endpoint = await server.start();
      closers.push(() => server.stop('immediately'));
      return { ...endpoint, stop: () => server.stop('gracefully') };
    },
    spawn: async () => {
      const { directory, dataDir } = await folder();
      const args = ['serve', '--port', '0', '--http-port', 'off', '--data-dir', dataDir];
      const env = {
        TRAILHOUND_PASSWORD: PASSWORD,
        TRAILHOUND_ENGINE_URL: engineUrl,
        AWS_ACCESS_KEY_ID: 'AKIAMADEUPMADEUPMADE',
        AWS_SECRET_ACCESS_KEY: 'made-up-secret',
        AWS_REGION: 'us-east-1',
      };
      const child = new CliProcess(args, { cwd: directory, env });
      closers.push(() => child.stop('SIGKILL'));
      const [, port] = await child.waitFor('stdout', /^ready: postgres:\/\/[^:]+:(\d+)\//);
      return { child, port: Number(port) };
    },
    connect: (port) =>
      connected(
        new Client({ host: '127.0.0.1', port, user: 'trailhound', password: PASSWORD, database: 'trailhound' }),
      ),
    engine: () => connected(new Client({ connectionString: engineUrl.replace(/postgres$/, 'trailhound') })),
    close: async () => {
      for (const close of closers.reverse()) await close();
    },
  };
}
