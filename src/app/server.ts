import { makeDataDirectory } from '../engine/data-directory.ts';
import { openEngine } from '../engine/open.ts';
import { setUpSchema } from '../engine/schema.ts';
import { createLogger } from '../kernel/log.ts';
import { boundHeap } from './bound-heap.ts';
import { Closers, type Urgency } from './closers.ts';
import type { Config } from './config/load.ts';
import { ensurePassword, writePgpass } from './password.ts';
import { reachableHost, removeServerFile, writeServerFile, type RunningServer } from './server-file.ts';
import type { AwsOverrides } from './sources.ts';

export interface ServerOptions {
  /** Tells others by files in the data directory how to connect. Default: true. */
  readonly announce?: boolean;
  readonly database?: string;
  /** A NOTICE to every connection. */
  readonly greeting?: string;
  readonly aws?: AwsOverrides;
}

export interface Endpoint extends RunningServer {
  readonly password: string;
  /** By calls: each connection's name with what it can see, as soon as that is known. */
  readonly describeConnections: (told: (name: string, text: string) => void) => void;
}

export interface Server {
  /** Resolves once connections are accepted. Rejects with everything that had been started stopped again. */
  start(): Promise<Endpoint>;
  /** Reads the certificate and its key anew, for connections that come from then on; one that cannot be used is logged. */
  reload(): Promise<void>;
  /** `gracefully`: running statements get ten seconds. Idempotent; `immediately` hurries one that is under way. */
  stop(how: Urgency): Promise<void>;
  /** Resolves when the engine ends without being asked to. */
  readonly failed: Promise<string>;
}

const DATABASE = 'trailhound';
/** Half of them copy rows into relations at once. */
const POOL_SIZE = 32;

/** Constructs; nothing is opened before `start`. */
export function buildServer(config: Config, options: ServerOptions = {}): Server {
  const { announce = true, database = DATABASE, greeting, aws } = options;
  const { dataDir, listen } = config;
  const log = createLogger(config.logLevel);
  const closers = new Closers();
  let reportFailure: (reason: string) => void = () => {};
  const failed = new Promise<string>((resolve) => (reportFailure = resolve));
  let stopping: Promise<void> | undefined;
  let renew: () => Promise<void> = () => Promise.resolve();
  let hurry: () => Promise<unknown> = () => Promise.resolve();

  async function start(): Promise<Endpoint> {
    boundHeap();
    const opening = openEngine({
      dataDir,
      engineUrl: config.engineUrl,
      database,
      maxClients: listen.maxConnections,
      poolSize: POOL_SIZE,
    });
    opening.catch(() => undefined);
    // Clients of AWS and the like take as long to load as PostgreSQL to start: both at once.
    const { startServing } = await import('./serving.ts');
    const engine = await opening;
    closers.push(() => engine.close());
    // Its end is the end of every session: whoever waits for statements waits no longer.
    hurry = () => engine.close();
    void engine.ended.then(reportFailure);

    await makeDataDirectory(dataDir);
    const password = await ensurePassword(dataDir, config.password);
    await setUpSchema(engine, { password });
    const { describeConnections, renewTls, ...bound } = await startServing({
      config,
      engine,
      closers,
      password,
      greeting,
      aws,
      log,
      isStopping: () => stopping !== undefined,
    });
    renew = renewTls;
    const endpoint = { pid: process.pid, host: reachableHost(listen.host), database, ...bound };
    if (announce) {
      await writePgpass(dataDir, endpoint.port, password);
      await writeServerFile(dataDir, endpoint);
      closers.push(() => removeServerFile(dataDir));
    }
    return { ...endpoint, password, describeConnections };
  }

  async function stopAll(how: Urgency): Promise<void> {
    for (const error of await closers.close(how)) log.error({ err: error }, 'cannot stop cleanly');
  }

  return {
    failed,
    start: () =>
      start().catch(async (error: unknown) => {
        await stopAll('immediately');
        throw error;
      }),
    reload: () =>
      renew().then(
        () => log.info('reloaded: certificate and key'),
        (error: unknown) => log.error({ err: error }, 'cannot reload: certificate and key stay as they were'),
      ),
    stop: async (how) => {
      if (stopping !== undefined && how === 'immediately') await hurry();
      stopping ??= stopAll(how);
      await stopping;
    },
  };
}
