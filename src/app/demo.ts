import path from 'node:path';
import { makeDataDirectory } from '../engine/data-directory.ts';
import { TRAIL_BUCKET, demoWorld } from '../simulator/demo/demo-world.ts';
import { startSimulator } from '../simulator/simulator.ts';
import type { CommonOptions } from './config/layers.ts';
import { loadDemoConfig, type Config } from './config/load.ts';
import { freePort } from './free-port.ts';
import { buildServer, type Server } from './server.ts';

export interface Demo {
  readonly config: Config;
  readonly server: Server;
  /** After the server. */
  readonly closeSimulator: () => Promise<void>;
}

/** What the simulator lets in: nobody's. */
const MADE_UP = { accessKeyId: 'AKIADEMODEMODEMODEMO', secretAccessKey: 'made-up-for-the-demo' };

/**
 * The server over a simulated account with a made-up intrusion that ends now. Connections lead to the simulator and
 * nowhere else, with credentials that are nobody's.
 */
export async function buildDemo(options: CommonOptions, how: 'once' | 'serving'): Promise<Demo> {
  const given = loadDemoConfig(options);
  const world = demoWorld(new Date());
  const simulator = await startSimulator({ world });
  try {
    const dataDir = path.join(given.dataDir, 'demo');
    const config: Config = {
      ...given,
      dataDir,
      // Later commands find the demo by this option alone: without it they mean the real server.
      origin: (keys) => (keys[0] === 'data_dir' ? '--data-dir' : given.origin(keys)),
      listen: { ...given.listen, ...(await ports(given, options, how)) },
      connections: {
        aws: { ...awsDefaults, endpointUrl: simulator.url },
        abuseipdb: { kind: 'abuseipdb', apiKey: 'made-up-for-the-demo', url: simulator.abuseipdbUrl },
        evidence: {
          ...identity,
          kind: 'files',
          paths: [`s3://${TRAIL_BUCKET}/`],
          deliverySlackMs: DELIVERY_SLACK_MS,
          region: undefined,
          endpointUrl: simulator.url,
        },
      },
    };
    // The engine's user, who is another one where we are root, has to pass through it to the demo's own directory.
    await makeDataDirectory(given.dataDir, 0o711);
    await makeDataDirectory(dataDir);
    const server = buildServer(config, {
      database: 'trailhound_demo',
      greeting: 'demo data: nothing here is real',
      aws: { credentials: MADE_UP, region: 'us-east-1' },
    });
    return { config, server, closeSimulator: () => simulator.close() };
  } catch (error) {
    await simulator.close();
    throw error;
  }
}

const DELIVERY_SLACK_MS = 86_400_000;

const identity = { profile: undefined, roleArn: undefined, externalId: undefined } as const;

const awsDefaults = {
  ...identity,
  kind: 'aws',
  regions: undefined,
  logGroups: undefined,
  deliverySlackMs: DELIVERY_SLACK_MS,
  requestsPerSecond: undefined,
  lookupRequestsPerSecond: undefined,
} as const;

/** The ports that were asked for; else those next to a real server's, so that both may run. */
async function ports(
  given: Config,
  options: CommonOptions,
  how: 'once' | 'serving',
): Promise<Partial<Config['listen']>> {
  if (how === 'once') return { port: 0, httpPort: 'off' };
  const { host, port, httpPort } = given.listen;
  const free = options.port === undefined ? await freePort(host, port) : port;
  if (options.httpPort !== undefined || httpPort === 'off') return { port: free, httpPort };
  return { port: free, httpPort: await freePort(host, httpPort, [free]) };
}
