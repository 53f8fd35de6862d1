import { pino } from 'pino';
import { loadCatalog } from '../../src/catalog/load.ts';
import { Client } from '../../src/engine/client.ts';
import { openEngine } from '../../src/engine/open.ts';
import { setUpSchema } from '../../src/engine/schema.ts';
import { createHydrator } from '../../src/hydrate/create-hydrator.ts';
import { createPipeline } from '../../src/query/create-pipeline.ts';
import { BackendError, type Description } from '../../src/query/backend.ts';
import type { Source } from '../../src/sources/source.ts';
import { removeTemporaryDirectories, temporaryDirectory } from '../engine/support/temporary-directory.ts';
import { declared, DirectBackend, sent } from '../query/support/direct-backend.ts';
import { withoutKeptScans } from '../support/without-kept-scans.ts';
import { openEndpoint } from './endpoint.ts';
import type { Generated } from './grammar/generated.ts';
import { OracleLookup, OracleScan, type Pushdown } from './memory-sources.ts';
import {
  DECLARATIONS,
  eventRecords,
  findingRecords,
  isPrivate,
  peopleOf,
  PLAIN,
  reputationsOf,
  reputationsSince,
  SESSION,
} from './world.ts';

/** Under what a statement is run; none of it may change its rows. */
export interface Mode {
  readonly name: string;
  readonly pushdown: Pushdown;
  /** Set for the statement, reset after it. */
  readonly settings: Readonly<Record<string, string>>;
  /** What earlier statements have asked for is known still. */
  readonly warm: boolean;
  /** `pipeline`: its own text is run over a connection to the engine; `endpoint`: as any client's is. */
  readonly road: 'pipeline' | 'endpoint';
}

export interface Answer {
  readonly rows: readonly unknown[][];
  readonly columns: readonly string[];
  /** By table; a key that was asked for twice is there twice. */
  readonly asked: ReadonlyMap<string, readonly string[]>;
}

/** A product of many tables says nothing more than a small one. */
const PATIENCE = "set statement_timeout = '1s'";

/** Statements without parameters need no description here: that saves half of the round trips. */
class OracleBackend extends DirectBackend {
  override describe(text: string, parameterTypes: readonly number[]): Promise<Description> {
    if (text.includes('$')) return super.describe(text, parameterTypes);
    return Promise.resolve({ parameterTypes, fields: undefined });
  }

  /** For what PostgreSQL does not understand: a session would have described it before anything else. */
  async refuseNonsense(text: string, error: unknown): Promise<void> {
    if (error instanceof BackendError && error.fields.get('C')?.startsWith('42') === true)
      await super.describe(text, []);
  }
}

/** A statement with what stands around it. */
type Asked = Pick<Generated, 'text' | 'values' | 'after' | 'stage' | 'copies'>;

/** Runs a statement on its stage, and in a transaction that is rolled back where it changes anything. */
async function staged<T>(client: Client, { stage, after }: Asked, run: () => Promise<T>): Promise<T> {
  const before = [...(after === undefined ? [] : ['begin']), ...(stage?.before ?? [])];
  const afterwards = [...(after === undefined ? [] : ['rollback']), ...(stage?.afterwards ?? [])];
  try {
    for (const text of before) await client.query(text);
    return await run();
  } finally {
    for (const text of afterwards) await client.query(text).catch(() => undefined);
  }
}

/** pg reads no rows of COPY: they are heard as they come. */
async function answered(client: Client, { text, values, copies }: Asked): Promise<Omit<Answer, 'asked'>> {
  const lines: string[][] = [];
  const hear = ({ chunk }: { readonly chunk: Buffer }): void => {
    lines.push([chunk.toString()]);
  };
  const { connection } = client as unknown as { readonly connection: NodeJS.EventEmitter };
  if (copies === true) connection.on('copyData', hear);
  try {
    const { rows, fields } = await client.query({
      text,
      values: values.map(sent),
      types: declared(values.map(({ type }) => type)),
      rowMode: 'array',
    });
    if (copies === true) return { rows: lines, columns: [] };
    return { rows: rows as unknown[][], columns: fields.map(({ name }) => name) };
  } finally {
    connection.off('copyData', hear);
  }
}

async function changed(client: Client, after: string | undefined): Promise<unknown[][]> {
  if (after === undefined) return [];
  const { rows } = await client.query({ text: after, rowMode: 'array' });
  return rows.map((row) => ['afterwards', ...(row as unknown[])]);
}

/** The pipeline over a real engine, and beside it plain tables that hold everything. */
export async function openOracle() {
  const database = 'oracle';
  const engine = await openEngine({ dataDir: await temporaryDirectory(), database, maxClients: 10, poolSize: 4 });
  await setUpSchema(engine, { password: database });
  await engine.pool.query(DECLARATIONS);
  await engine.pool.query(PLAIN);
  const scans = {
    cloudwatch_logs: new OracleScan(eventRecords),
    guardduty_finding: new OracleScan(findingRecords),
  };
  const lookups = new Map([
    ['abuseipdb_check_ip', new OracleLookup('abuseipdb_check', reputationsOf, isPrivate)],
    ['reputation_since', new OracleLookup('reputation_since', reputationsSince, isPrivate)],
    ['user_directory', new OracleLookup('user_directory', peopleOf, () => false)],
  ]);
  const sources = new Map<string, Source>([
    ...Object.entries(scans),
    ...[...lookups.values()].map((lookup) => [lookup.limit.key, lookup] as const),
  ]);
  const catalog = withoutKeptScans(await loadCatalog(engine.pool));
  const hydrator = createHydrator({ pool: engine.pool, sources, log: pino({ level: 'silent' }) });
  const pipeline = createPipeline({ catalog, hydrator, sources, pool: engine.pool });
  const { host, port } = engine.pool.options;
  const connect = async (): Promise<Client> => {
    const client = new Client({
      user: 'trailhound',
      password: database,
      database,
      ...(host === undefined ? {} : { host }),
      ...(port === undefined ? {} : { port }),
    });
    // A backend that ends between two statements is found out by the next one.
    client.on('error', () => undefined);
    await client.connect();
    await client.query(`${PATIENCE}; ${SESSION}`);
    return client;
  };
  const [client, plain] = [await connect(), await connect()];
  const endpoint = await openEndpoint(engine, pipeline, { user: 'trailhound', password: database, database });
  endpoint.client.on('error', () => undefined);
  await endpoint.client.query(`${PATIENCE}; ${SESSION}`);
  await plain.query('set search_path = plain, public');
  const backend = new OracleBackend(client);

  async function ask(asked: Asked, mode: Mode): Promise<Answer> {
    const session = mode.road === 'endpoint' ? endpoint.client : client;
    for (const scan of Object.values(scans)) scan.pushdown = mode.pushdown;
    if (!mode.warm) await engine.pool.query('delete from trailhound.key_cache');
    for (const lookup of lookups.values()) lookup.asked.length = 0;
    const settings = Object.entries(mode.settings);
    if (settings.length > 0) await session.query(settings.map(([name, to]) => `set ${name} = '${to}'`).join('; '));
    try {
      return await staged(session, asked, async () => {
        const { rows, columns } =
          mode.road === 'endpoint' ? await answered(session, asked) : await throughPipeline(asked);
        return {
          rows: [...rows, ...(await changed(session, asked.after))],
          columns,
          asked: new Map([...lookups].map(([name, lookup]) => [name, [...lookup.asked]])),
        };
      });
    } finally {
      if (settings.length > 0) await session.query(settings.map(([name]) => `reset ${name}`).join('; '));
    }
  }

  async function throughPipeline({ text, values }: Asked): Promise<Omit<Answer, 'asked'>> {
    const types = values.map(({ type }) => type);
    const request = {
      text,
      parameterTypes: types,
      parameters: values.map(({ format, value }) => ({ format, value })),
      signal: new AbortController().signal,
      user: 'trailhound',
      session: backend,
      notice: () => undefined,
    };
    const rewrite = await pipeline.rewrite(request, backend).catch(async (error: unknown) => {
      await backend.refuseNonsense(text, error);
      throw error;
    });
    try {
      const { rows, fields } = await client.query({
        text: rewrite?.text ?? text,
        values: (rewrite?.parameters ?? values).map(sent),
        types: declared(rewrite?.parameterTypes ?? types),
        rowMode: 'array',
      });
      return { rows: rows as unknown[][], columns: fields.map(({ name }) => name) };
    } finally {
      await rewrite?.release();
    }
  }

  /** The same text where the names mean plain tables. */
  async function oracle(asked: Asked): Promise<Omit<Answer, 'asked'>> {
    return staged(plain, asked, async () => {
      const { rows, columns } = await answered(plain, asked);
      return { rows: [...rows, ...(await changed(plain, asked.after))], columns };
    });
  }

  return {
    ask,
    oracle,
    /** Both sessions, for what a statement of the user's own would do to them. */
    both: async (text: string) => {
      await Promise.all([client.query(text), plain.query(text), endpoint.client.query(text)]);
    },
    close: async () => {
      await endpoint.close();
      await client.end();
      await plain.end();
      await hydrator.close();
      await engine.close();
      await removeTemporaryDirectories();
    },
  };
}

export type OracleBench = Awaited<ReturnType<typeof openOracle>>;
