import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../../src/app/config/load.ts';
import { buildServer, type Endpoint, type Server } from '../../../src/app/server.ts';
import type { AwsOverrides } from '../../../src/app/sources.ts';
import { Client } from '../../../src/engine/client.ts';
import type { SimulatorOptions } from '../../../src/simulator/options.ts';
import { startSimulator, type Simulator } from '../../../src/simulator/simulator.ts';
import { temporaryDirectory } from '../../engine/support/temporary-directory.ts';

export const AWS: AwsOverrides = {
  credentials: { accessKeyId: 'AKIAMADEUPMADEUPMADE', secretAccessKey: 'made-up-secret' },
  region: 'us-east-1',
};
export const API_KEY = 'made-up-api-key';
export const LOG_GROUP = 'CloudTrail/GlobalServiceEvents';

export interface RoadOptions {
  readonly simulator: SimulatorOptions;
  /** The user's configuration file; by default one that leads both connections to the simulator. */
  readonly yaml?: (simulator: Simulator) => string;
  readonly aws?: AwsOverrides;
}

export interface Login {
  readonly user?: string;
  readonly password?: string;
  readonly application_name?: string;
  /** `-c name=value`, as PGOPTIONS has them. */
  readonly options?: string;
}

/** A whole Trailhound: simulator, server with its engine, and the clients that a test opens. */
export interface Road {
  readonly simulator: Simulator;
  readonly server: Server;
  readonly endpoint: Endpoint;
  readonly dataDir: string;
  /** A client of `pg`, logged in as the owner unless said otherwise. */
  connect(login?: Login): Promise<Client>;
  /** One connection for one piece of work. */
  with<T>(work: (client: Client) => Promise<T>, login?: Login): Promise<T>;
  /** The server alone, on the same data directory. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export function simulatedConnections(simulator: Simulator): string {
  return [
    'connections:',
    `  aws: { endpoint_url: "${simulator.url}", requests_per_second: 50, regions: [us-east-1], log_groups: ["${LOG_GROUP}"] }`,
    `  abuseipdb: { url: "${simulator.abuseipdbUrl}", api_key: ${API_KEY} }`,
  ].join('\n');
}

export async function openRoad(options: RoadOptions): Promise<Road> {
  const simulator = await startSimulator(options.simulator);
  const dataDir = await temporaryDirectory();
  const directory = await temporaryDirectory();
  const yaml = options.yaml ?? simulatedConnections;
  await writeFile(join(directory, 'trailhound.yaml'), yaml(simulator));
  const clients = new Set<Client>();

  const start = async () => {
    const config = loadConfig({
      directory,
      environment: {},
      options: { port: '0', httpPort: '0', dataDir, logLevel: 'error' },
    });
    const server = buildServer(config, { aws: options.aws ?? AWS });
    return { server, endpoint: await server.start() };
  };
  let running: { server: Server; endpoint: Endpoint };
  try {
    running = await start();
  } catch (error) {
    await simulator.close();
    throw error;
  }

  const connect = async ({ user = 'trailhound', password, ...more }: Login = {}) => {
    const { host, port, database, password: own } = running.endpoint;
    const client = new Client({ host, port, database, user, password: password ?? own, ...more });
    // Ends with the server, or by a test's own doing.
    client.on('error', () => undefined);
    await client.connect();
    clients.add(client);
    return client;
  };
  const stop = async () => {
    for (const client of clients) await client.end().catch(() => undefined);
    clients.clear();
    await running.server.stop('gracefully');
  };
  return {
    simulator,
    dataDir,
    get server() {
      return running.server;
    },
    get endpoint() {
      return running.endpoint;
    },
    connect,
    with: async (work, login) => {
      const client = await connect(login);
      try {
        return await work(client);
      } finally {
        clients.delete(client);
        await client.end();
      }
    },
    restart: async () => {
      await stop();
      running = await start();
    },
    close: async () => {
      await stop();
      await simulator.close();
      // Its own alone: another road of the same file may still run.
      for (const path of [dataDir, directory]) await rm(path, { recursive: true, force: true });
    },
  };
}

/** Every value as PostgreSQL's text, so that what two clients show can be compared. */
export async function textRows(client: Client, text: string, values: readonly unknown[] = []): Promise<string[][]> {
  const { rows } = await client.query({
    text,
    values: [...values],
    rowMode: 'array',
    types: { getTypeParser: () => (value: string) => value },
  });
  return (rows as (string | null)[][]).map((row) => row.map((value) => value ?? ''));
}

/** A statement's failure as the client sees it; fails where the statement does not. */
export async function failure(work: Promise<unknown>): Promise<Failure> {
  try {
    await work;
  } catch (error) {
    const { code, message, detail, hint, position } = error as Failure;
    return { code, message, detail, hint, position };
  }
  throw new Error('the statement did not fail');
}

export interface Failure {
  readonly code: string | undefined;
  readonly message: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly position: string | undefined;
}

/** Rows as a multiset. */
export function sorted(rows: readonly (readonly string[])[]): string[] {
  return rows.map((row) => row.join('\t')).sort();
}
