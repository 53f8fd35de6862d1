import { mkdir } from 'node:fs/promises';
import { loadCatalog } from '../catalog/load.ts';
import type { Catalog } from '../catalog/table.ts';
import type { Engine } from '../engine/engine.ts';
import { openEngine } from '../engine/open.ts';
import { setUpSchema } from '../engine/schema.ts';
import { createHttpServer } from '../http/http-server.ts';
import { createPrometheusMetrics } from '../http/prometheus-metrics.ts';
import { createHydrator } from '../hydrate/create-hydrator.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { createLogger } from '../kernel/log.ts';
import { nearest } from '../kernel/nearest.ts';
import { createPipeline } from '../query/create-pipeline.ts';
import { createSessionServer } from '../session/server.ts';
import type { Config } from './config/load.ts';
import { countedPipeline } from './counted-pipeline.ts';
import { listenError } from './listen-error.ts';
import { ensurePassword, OWNER, writePgpass } from './password.ts';
import { reachableHost, removeServerFile, writeServerFile, type RunningServer } from './server-file.ts';
import { createSources, type AwsOverrides } from './sources.ts';
import { tlsFor } from './tls.ts';

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
}

export interface Server {
  /** Resolves once connections are accepted. Rejects with everything that had been started stopped again. */
  start(): Promise<Endpoint>;
  /** `gracefully`: running statements get ten seconds. Idempotent; `immediately` hurries one that is under way. */
  stop(how: 'gracefully' | 'immediately'): Promise<void>;
  /** Resolves when the engine ends without being asked to. */
  readonly failed: Promise<string>;
}

const DATABASE = 'trailhound';
const MAX_CLIENTS = 100;
/** Half of them copy rows into relations at once. */
const POOL_SIZE = 8;
const GRACE_MS = 10_000;

/** Constructs; nothing is opened before `start`. */
export function buildServer(config: Config, options: ServerOptions = {}): Server {
  const { announce = true, database = DATABASE, greeting, aws } = options;
  const { listen, dataDir } = config;
  const log = createLogger(config.logLevel);
  const metrics = createPrometheusMetrics();
  /** In the order of opening. */
  const opened: ((how: 'gracefully' | 'immediately') => Promise<unknown>)[] = [];
  let reportFailure: (reason: string) => void = () => {};
  const failed = new Promise<string>((resolve) => (reportFailure = resolve));
  let stopping: Promise<void> | undefined;
  let hurry: () => Promise<unknown> = () => Promise.resolve();

  async function start(): Promise<Endpoint> {
    const sources = createSources(config, aws);
    opened.push(() => sources.close());
    const engine = await openEngine({
      dataDir,
      engineUrl: config.engineUrl,
      database,
      maxClients: MAX_CLIENTS,
      poolSize: POOL_SIZE,
    });
    opened.push(() => engine.close());
    // Its end is the end of every session: whoever waits for statements waits no longer.
    hurry = () => engine.close();
    void engine.ended.then(reportFailure);

    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const password = await ensurePassword(dataDir, config.password);
    await setUpSchema(engine, { password });
    await setTimezone(engine, config.timezone ?? 'UTC');
    const catalog = withTtls(await loadCatalog(engine.pool), config);

    const hydrator = createHydrator({ pool: engine.pool, sources: sources.byName, log, metrics });
    opened.push(() => hydrator.close());
    hydrator.sweep().catch((error: unknown) => log.warn({ err: error }, 'cannot drop relations of a dead process'));

    const pipeline = countedPipeline(createPipeline({ catalog, hydrator, sources: sources.byName }), metrics);
    const tls = await tlsFor(config);
    const sessions = createSessionServer({
      engine,
      pipeline,
      tls,
      limits: { maxConnections: MAX_CLIENTS },
      notices: greeting === undefined ? [] : [greeting],
      log,
    });
    opened.push((how) => sessions.close(how === 'gracefully' ? GRACE_MS : 0));
    const { port } = await sessions.listen({ host: listen.host, port: listen.port }).catch((error: unknown) => {
      throw listenError(error, listen.host, listen.port, '--port');
    });
    metrics.measure({ connections: () => sessions.connections, quotaRemaining: () => sources.quotas() });

    const httpPort = await startHttp(engine, password);
    const endpoint = {
      pid: process.pid,
      host: reachableHost(listen.host),
      port,
      httpPort,
      database,
      tls: tls?.required === true,
    };
    if (announce) {
      await writePgpass(dataDir, port, password);
      await writeServerFile(dataDir, endpoint);
      opened.push(() => removeServerFile(dataDir));
    }
    for (const [name, connection] of Object.entries(config.connections)) {
      if (connection.kind === 'files') log.warn(`connection ${name}: kind files is not served yet`);
    }
    return { ...endpoint, password };
  }

  async function startHttp(engine: Engine, password: string): Promise<number | undefined> {
    const { host, httpPort } = listen;
    if (httpPort === 'off') return undefined;
    const http = createHttpServer({
      notReady: async () => {
        if (stopping !== undefined) return 'stopping';
        const answer = await engine.pool.query('select 1').catch(() => undefined);
        return answer === undefined ? 'the engine does not answer' : undefined;
      },
      metrics: () => metrics.text(),
      user: OWNER,
      password,
    });
    opened.push(() => http.close());
    await http.listen({ host, port: httpPort }).catch((error: unknown) => {
      throw listenError(error, host, httpPort, '--http-port');
    });
    const [address] = http.addresses();
    return typeof address === 'object' ? address.port : undefined;
  }

  async function stopAll(how: 'gracefully' | 'immediately'): Promise<void> {
    const errors: unknown[] = [];
    for (const close of opened.splice(0).reverse()) await close(how).catch((error: unknown) => errors.push(error));
    for (const error of errors) log.error({ err: error }, 'cannot stop cleanly');
  }

  return {
    failed,
    start: () =>
      start().catch(async (error: unknown) => {
        await stopAll('immediately');
        throw error;
      }),
    stop: async (how) => {
      if (stopping !== undefined && how === 'immediately') await hurry();
      stopping ??= stopAll(how);
      await stopping;
    },
  };
}

/** Of sessions that set none. */
async function setTimezone({ pool, database }: Engine, timezone: string): Promise<void> {
  const { rows } = await pool.query<{ text: string }>(
    `select format('alter database %I set timezone to %L', $1::text, $2::text) as text`,
    [database, timezone],
  );
  for (const { text } of rows) await pool.query(text);
}

function withTtls(catalog: Catalog, config: Config): Catalog {
  const { ttlMsByTable } = config.cache;
  const names = catalog.tables.map((table) => table.name);
  for (const name of Object.keys(ttlMsByTable)) {
    if (names.includes(name)) continue;
    const guess = nearest(name, names);
    throw new TrailhoundError(
      'configuration',
      `${config.origin(['cache', 'tables', name])}: cache.tables.${name}: there is no such table`,
      { hint: guess === undefined ? `There are ${names.join(', ')}.` : `Did you mean ${guess}?` },
    );
  }
  const tables = catalog.tables.map((table) => ({ ...table, ttlMs: ttlMsByTable[table.name] ?? table.ttlMs }));
  const byOid = new Map(tables.map((table) => [table.oid, table]));
  const views = catalog.views.map((view) => ({ ...view, table: byOid.get(view.table.oid) ?? view.table }));
  const viewByOid = new Map(views.map((view) => [view.oid, view]));
  return { tables, views, tableByOid: (oid) => byOid.get(oid), viewByOid: (oid) => viewByOid.get(oid) };
}
