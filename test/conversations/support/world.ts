import type { Duplex } from 'node:stream';
import { Closers } from '../../../src/app/closers.ts';
import { serveLoopback } from '../../../src/app/loopback.ts';
import { ProcessLock } from '../../../src/engine/process-lock.ts';
import { loadCatalog } from '../../../src/catalog/load.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { openEngine } from '../../../src/engine/open.ts';
import { setUpSchema } from '../../../src/engine/schema.ts';
import { createHydrator } from '../../../src/hydrate/create-hydrator.ts';
import { abortable } from '../../../src/kernel/abort.ts';
import { createLogger } from '../../../src/kernel/log.ts';
import { createPipeline } from '../../../src/query/create-pipeline.ts';
import { createSessionServer } from '../../../src/session/server.ts';
import { abuseipdbCategorySource } from '../../../src/sources/abuseipdb/category-source.ts';
import type { LookupSource, Source } from '../../../src/sources/source.ts';
import { encodeQuery } from '../../../src/wire/frontend/query.ts';
import { removeTemporaryDirectories, temporaryDirectory } from '../../engine/support/temporary-directory.ts';
import { recordOf } from '../../query/support/fake-sources.ts';
import { isPrivate, plainTables, reputation } from '../../query/support/incident.ts';
import { connectTcp, logIn, proveIdentity, WireClient, type WireMessage } from '../../session/support/wire-client.ts';
import type { Side } from './script.ts';

const DATABASE = 'trailhound';
const USER = 'trailhound';
const PASSWORD = 'made-up';

/** Of which nobody ever says anything. */
const SILENT = '34.1.1.66';

/** The real pipeline over sources in memory, and the same tables as plain ones for who connects past us. */
export interface World {
  readonly engine: Engine;
  /** A stream before its start-up packet. */
  open(side: Side): Promise<Duplex>;
  /** Start-up and SCRAM; all messages since. */
  logIn(client: WireClient, side: Side): Promise<readonly WireMessage[]>;
  /** SCRAM alone, after AuthenticationSASL. */
  proveIdentity(client: WireClient): Promise<void>;
  /** Statements that run now, or wait for a source. */
  running(): Promise<number>;
  close(): Promise<void>;
}

export async function openWorld(): Promise<World> {
  const engine = await openEngine({
    dataDir: await temporaryDirectory(),
    database: DATABASE,
    maxClients: 20,
    poolSize: 4,
  });
  await setUpSchema(engine, { password: PASSWORD });
  await engine.pool.query(plainTables(60));
  let waiting = 0;
  const checks: LookupSource = {
    kind: 'lookup',
    limit: { key: 'checks', concurrency: 16 },
    answerLocally: ({ key }) => (isPrivate(key) ? [recordOf(reputation(key))] : undefined),
    lookup: (key, _columns, context) =>
      context.call({ key: 'checks', concurrency: 16 }, async (signal) => {
        if (key.key !== SILENT) return [recordOf(reputation(key.key))];
        waiting += 1;
        return abortable(new Promise<never>(() => undefined), signal).finally(() => (waiting -= 1));
      }),
    close: () => Promise.resolve(),
  };
  const sources = new Map<string, Source>([
    ['abuseipdb_category', abuseipdbCategorySource()],
    ['abuseipdb_check', checks],
  ]);
  const log = createLogger('error');
  const catalog = await loadCatalog(engine.pool);
  const hydrator = createHydrator({ pool: engine.pool, sources, tables: () => catalog.tables, log });
  const pipeline = createPipeline({ catalog, hydrator, sources, pool: engine.pool });
  const closers = new Closers();
  const lock = new ProcessLock(engine.pool);
  closers.push(() => lock.release());
  await serveLoopback({ engine, pipeline, lock, isOwn: () => true, closers, log });
  const server = createSessionServer({ engine, pipeline, limits: { maxConnections: 20 }, log });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const login = { user: USER, password: PASSWORD, database: DATABASE };
  const through = new WireClient(await connectTcp(port));
  await logIn(through, login);
  await copyCategories(through, engine);
  through.close();
  return {
    engine,
    open: async (side) => (side === 'through' ? connectTcp(port) : engine.connectBackend()),
    logIn: (client, side) =>
      logIn(client, {
        ...login,
        parameters: side === 'through' ? [] : [['options', '-c search_path=plain,"$user",public']],
      }),
    proveIdentity: async (client) => {
      if ((await proveIdentity(client, login)) !== undefined) throw new Error('no log-in');
    },
    running: async () => {
      const sleeping = `select from pg_stat_activity where wait_event = 'PgSleep' and usename = $1`;
      return waiting + ((await engine.pool.query(sleeping, [USER])).rowCount ?? 0);
    },
    close: async () => {
      await server.close(0);
      await closers.close('immediately');
      await hydrator.close();
      await engine.close();
      await removeTemporaryDirectories();
    },
  };
}

/** What the source says itself, as a table. */
async function copyCategories(client: WireClient, { pool }: Engine): Promise<void> {
  client.send(encodeQuery({ text: 'create table public.categories as select * from public.abuseipdb_category' }));
  await client.until('Z');
  await pool.query(`
    alter table public.categories set schema plain;
    alter table plain.categories rename to abuseipdb_category;
    grant select on plain.abuseipdb_category to public`);
}
