import { pino } from 'pino';
import { loadCatalog } from '../../../src/catalog/load.ts';
import { Client } from '../../../src/engine/client.ts';
import { openEngine } from '../../../src/engine/open.ts';
import { setUpSchema } from '../../../src/engine/schema.ts';
import { createHydrator } from '../../../src/hydrate/create-hydrator.ts';
import { createPipeline } from '../../../src/query/create-pipeline.ts';
import { PlanCache } from '../../../src/query/plan-cache.ts';
import type { Exactness, Source } from '../../../src/sources/source.ts';
import { removeTemporaryDirectories, temporaryDirectory } from '../../engine/support/temporary-directory.ts';
import { withoutKeptScans } from '../../support/without-kept-scans.ts';
import { declared, DirectBackend, sent } from './direct-backend.ts';
import { MemoryLookup, MemoryScan } from './fake-sources.ts';
import { eventRecords, findingRecords, isPrivate, plainTables, reputation } from './incident.ts';

export interface Answer {
  readonly rows: readonly unknown[][];
  readonly asked: readonly string[];
  readonly scans: number;
}

/** The pipeline over a real engine, and the same tables as plain ones: what PostgreSQL says is right. */
export async function openBench({
  events: count = 60,
  exactness = 'inexact',
  aggregation = 'none',
}: { events?: number; exactness?: Exactness; aggregation?: 'exact' | 'none' } = {}) {
  const engine = await openEngine({
    dataDir: await temporaryDirectory(),
    database: 'bench',
    maxClients: 10,
    poolSize: 4,
  });
  await setUpSchema(engine, { password: 'bench' });
  await engine.pool.query(plainTables(count));
  const events = new MemoryScan(eventRecords(count), exactness, aggregation);
  const findings = new MemoryScan(findingRecords);
  const checks = new MemoryLookup((key) => reputation(key.key), isPrivate);
  const sources = new Map<string, Source>([
    ['cloudwatch_logs', events],
    ['guardduty_finding', findings],
    ['abuseipdb_check', checks],
  ]);
  const catalog = withoutKeptScans(await loadCatalog(engine.pool));
  const hydrator = createHydrator({ pool: engine.pool, sources, log: pino({ level: 'silent' }) });
  const plans = new PlanCache();
  const pipeline = createPipeline({ catalog, hydrator, sources, plans, pool: engine.pool });
  const { host, port } = engine.pool.options;
  const clients: Client[] = [];

  async function connect(): Promise<{ client: Client; backend: DirectBackend }> {
    const connected = new Client({
      user: 'trailhound',
      password: 'bench',
      database: 'bench',
      ...(host === undefined ? {} : { host }),
      ...(port === undefined ? {} : { port }),
    });
    clients.push(connected);
    await connected.connect();
    return { client: connected, backend: new DirectBackend(connected) };
  }

  const own = await connect();

  async function ask(
    text: string,
    values: readonly (string | null)[] = [],
    types: readonly number[] = [],
    { client, backend } = own,
  ): Promise<Answer> {
    await engine.pool.query('truncate trailhound.key_cache');
    checks.asked.length = 0;
    const before = events.requests.length + findings.requests.length;
    const rewrite = await pipeline.rewrite(
      {
        text,
        parameterTypes: types,
        parameters: values.map((value) => ({ format: 0, value: value === null ? null : Buffer.from(value) })),
        signal: new AbortController().signal,
        user: 'trailhound',
        session: backend,
        notice: () => undefined,
      },
      backend,
    );
    try {
      const result = await client.query({
        text: rewrite?.text ?? text,
        values: (rewrite?.parameters ?? []).map(sent),
        types: declared(rewrite?.parameterTypes ?? []),
        rowMode: 'array',
      });
      const scans = events.requests.length + findings.requests.length - before;
      const rows = explained(result.rows as unknown[][], rewrite?.explain);
      return { rows, asked: checks.asked.map(({ key }) => key).sort(), scans };
    } finally {
      await rewrite?.release();
    }
  }

  /** The same text where the names mean plain tables that hold everything. */
  async function oracle(text: string): Promise<readonly unknown[][]> {
    const { client } = own;
    await client.query('set search_path = plain, public');
    try {
      return (await client.query({ text, rowMode: 'array' })).rows as unknown[][];
    } finally {
      await client.query('reset search_path');
    }
  }

  return {
    events,
    checks,
    ask,
    oracle,
    ...own,
    /** Another session, to be given to `ask`. */
    connect,
    plans,
    /** Of a superuser. */
    pool: engine.pool,
    close: async () => {
      for (const client of clients) await client.end();
      await hydrator.close();
      await engine.close();
      await removeTemporaryDirectories();
    },
  };
}

/** EXPLAIN's rows as the session sends them. */
function explained(
  rows: readonly unknown[][],
  explain: ((lines: readonly string[]) => readonly string[]) | undefined,
): readonly unknown[][] {
  if (explain === undefined) return rows;
  return explain(rows.map(([line]) => (typeof line === 'string' ? line : JSON.stringify(line)))).map((line) => [line]);
}

export type Bench = Awaited<ReturnType<typeof openBench>>;

/** Rows as a multiset. */
export function sorted(rows: readonly unknown[][]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}
