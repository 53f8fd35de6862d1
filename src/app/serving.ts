import { LiveCatalog } from '../catalog/live-catalog.ts';
import { loadCatalog } from '../catalog/load.ts';
import type { Engine } from '../engine/engine.ts';
import { ProcessLock } from '../engine/process-lock.ts';
import { createHttpServer } from '../http/http-server.ts';
import { createPrometheusMetrics, type PrometheusMetrics } from '../http/prometheus-metrics.ts';
import { createHydrator } from '../hydrate/create-hydrator.ts';
import type { Logger } from '../kernel/log.ts';
import { createPipeline } from '../query/create-pipeline.ts';
import { DefinitionNews } from '../query/definition-news.ts';
import { CancelBoard } from '../session/cancel-board.ts';
import { createSessionServer, type SessionServer } from '../session/server.ts';
import type { Closers } from './closers.ts';
import type { Config } from './config/load.ts';
import { countedPipeline } from './counted-pipeline.ts';
import { describeAws } from './describe-aws.ts';
import { listenError } from './listen-error.ts';
import { listenForDefinitions } from './listen-for-definitions.ts';
import { serveLoopback } from './loopback.ts';
import { LookupTables } from './lookup-tables.ts';
import { OWNER } from './password.ts';
import { publishConfiguration } from './publish.ts';
import type { RunningServer } from './server-file.ts';
import { createSources, type AwsOverrides } from './sources.ts';
import { tlsFor } from './tls.ts';
import { withTtls } from './table-ttls.ts';

export interface ServingOptions {
  readonly config: Config;
  /** Its schema is set up. */
  readonly engine: Engine;
  /** Gets what is opened here. */
  readonly closers: Closers;
  readonly password: string;
  readonly greeting: string | undefined;
  readonly aws: AwsOverrides | undefined;
  readonly log: Logger;
  readonly isStopping: () => boolean;
}

export interface Serving extends Pick<RunningServer, 'port' | 'httpPort' | 'tls'> {
  /** By calls: each connection's name with what it can see, as soon as that is known. */
  readonly describeConnections: (told: (name: string, text: string) => void) => void;
  /** Reads certificate and key anew. Rejects where they cannot be used. */
  readonly renewTls: () => Promise<void>;
}

/** For statements that run when the server is told to stop. */
const GRACE_MS = 10_000;

/** Everything above the engine, in the order of the layers: where concrete sources, pipeline and endpoints meet. */
export async function startServing(options: ServingOptions): Promise<Serving> {
  const { config, engine, closers, greeting, aws, log } = options;
  const { host, port } = config.listen;
  const metrics = createPrometheusMetrics();
  await setTimezone(engine, config.timezone ?? 'UTC');
  const catalog = new LiveCatalog(withTtls(await loadCatalog(engine.pool), config, log));

  await publishConfiguration(engine.pool, config).catch((error: unknown) =>
    log.warn({ err: error }, 'what the configuration names could not be written down'),
  );
  const sources = createSources(config, aws);
  closers.push(() => sources.close());
  const lock = new ProcessLock(engine.pool);
  const lookups = new LookupTables({
    pool: engine.pool,
    catalog,
    sources: sources.byName,
    clients: sources.http,
    ttlMsByTable: config.cache.ttlMsByTable,
    log,
  });
  closers.push(() => lookups.close());
  const news = new DefinitionNews();
  const listener = listenForDefinitions(engine.pool, lookups, news);
  closers.push(() => listener.close());
  await listener.open();
  await lookups.start();
  const hydrator = createHydrator({
    pool: engine.pool,
    lock,
    sources: sources.byName,
    tables: () => catalog.tables,
    shared: engine.kind === 'external',
    cacheMaxBytes: config.cache.maxBytes,
    log,
    metrics,
  });
  closers.push(() => hydrator.close());
  hydrator.sweep().catch((error: unknown) => log.warn({ err: error }, 'cannot drop relations of a dead process'));

  const pipeline = countedPipeline(
    createPipeline({
      catalog,
      hydrator,
      sources: sources.byName,
      pool: engine.pool,
      refreshCatalog: () => lookups.refresh(),
      news,
    }),
    metrics,
  );
  const tls = await tlsFor(config);
  let tellOwned: (pid: number, is: boolean) => void = () => undefined;
  const sessions: SessionServer = createSessionServer({
    engine,
    pipeline,
    tls,
    limits: {
      maxConnections: config.listen.maxConnections,
      maxConnectionsPerAddress: config.listen.maxConnectionsPerAddress,
      authenticationTimeoutMs: config.listen.logInTimeoutMs,
    },
    notices: greeting === undefined ? [] : [greeting],
    cancelElsewhere: async (request) => board?.post(request),
    serving: (pid, is) => tellOwned(pid, is),
    log,
  });
  const board =
    engine.kind === 'external'
      ? new CancelBoard({ engine, cancelOwn: (request) => sessions.cancel(request), log })
      : undefined;
  closers.push(async () => board?.close());
  await board?.open();
  await serveLoopback({
    engine,
    pipeline,
    lock,
    isOwn: (pid) => sessions.serves(pid),
    owned: (told) => (tellOwned = told),
    closers,
    log,
  });
  closers.push((how) => sessions.close(how === 'gracefully' ? GRACE_MS : 0));
  const bound = await sessions.listen({ host, port }).catch((error: unknown) => {
    throw listenError(error, host, port, '--port');
  });
  metrics.measure({ connections: () => sessions.connections, quotaRemaining: () => hydrator.quotas() });
  const describing = new AbortController();
  closers.push(async () => describing.abort());
  return {
    port: bound.port,
    httpPort: await startHttp(options, metrics),
    tls: tls?.required === true,
    renewTls: async () => {
      const renewed = await tlsFor(config);
      if (renewed !== undefined) sessions.renewTls(renewed);
    },
    describeConnections: (told) => {
      for (const connection of sources.aws) {
        describeAws(connection, metrics, describing.signal).then(
          (text) => told(connection.name, text),
          () => undefined,
        );
      }
    },
  };
}

async function startHttp(options: ServingOptions, metrics: PrometheusMetrics): Promise<number | undefined> {
  const { config, engine, closers, password, isStopping } = options;
  const { host, httpPort } = config.listen;
  if (httpPort === 'off') return undefined;
  const http = createHttpServer({
    notReady: async () => {
      if (isStopping()) return 'stopping';
      const answer = await engine.pool.query('select 1').catch(() => undefined);
      return answer === undefined ? 'the engine does not answer' : undefined;
    },
    metrics: () => metrics.text(),
    user: OWNER,
    password,
  });
  closers.push(() => http.close());
  await http.listen({ host, port: httpPort }).catch((error: unknown) => {
    throw listenError(error, host, httpPort, '--http-port');
  });
  const [address] = http.addresses();
  return typeof address === 'object' ? address.port : undefined;
}

/** Of sessions that set none. */
async function setTimezone({ pool, database }: Engine, timezone: string): Promise<void> {
  const { rows } = await pool.query<{ text: string }>(
    `select format('alter database %I set timezone to %L', $1::text, $2::text) as text`,
    [database, timezone],
  );
  for (const { text } of rows) await pool.query(text);
}
