import { pino } from 'pino';
import { loadCatalog } from '../../src/catalog/load.ts';
import { Client } from '../../src/engine/client.ts';
import { openEngine } from '../../src/engine/open.ts';
import { setUpSchema } from '../../src/engine/schema.ts';
import { createHydrator } from '../../src/hydrate/create-hydrator.ts';
import { createPipeline } from '../../src/query/create-pipeline.ts';
import type { Description } from '../../src/query/backend.ts';
import type { Source } from '../../src/sources/source.ts';
import { removeTemporaryDirectories, temporaryDirectory } from '../engine/support/temporary-directory.ts';
import { declared, DirectBackend, sent } from '../query/support/direct-backend.ts';
import type { Argument, Generated } from './grammar/generated.ts';
import { OracleLookup, OracleScan, type Pushdown } from './memory-sources.ts';
import {
  DECLARATIONS,
  eventRecords,
  findingRecords,
  isPrivate,
  peopleOf,
  PLAIN,
  reputationsOf,
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
}

/** A statement, and what reads what it has changed. */
type Asked = Pick<Generated, 'text' | 'values' | 'after'>;

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
    ['user_directory', new OracleLookup('user_directory', peopleOf, () => false)],
  ]);
  const sources = new Map<string, Source>([
    ...Object.entries(scans),
    ...[...lookups.values()].map((lookup) => [lookup.limit.key, lookup] as const),
  ]);
  const catalog = await loadCatalog(engine.pool);
  const hydrator = createHydrator({ pool: engine.pool, sources, log: pino({ level: 'silent' }) });
  const pipeline = createPipeline({ catalog, hydrator, sources });
  const { host, port } = engine.pool.options;
  const connect = async (): Promise<Client> => {
    const client = new Client({
      user: 'trailhound',
      password: database,
      database,
      ...(host === undefined ? {} : { host }),
      ...(port === undefined ? {} : { port }),
    });
    await client.connect();
    await client.query(`${PATIENCE}; ${SESSION}`);
    return client;
  };
  const [client, plain] = [await connect(), await connect()];
  await plain.query('set search_path = plain, public');
  const backend = new OracleBackend(client);

  async function ask({ text, values, after }: Asked, mode: Mode): Promise<Answer> {
    for (const scan of Object.values(scans)) scan.pushdown = mode.pushdown;
    if (!mode.warm) await engine.pool.query('delete from trailhound.key_cache');
    for (const { asked } of lookups.values()) asked.length = 0;
    const settings = Object.entries(mode.settings);
    if (settings.length > 0) await client.query(settings.map(([name, to]) => `set ${name} = '${to}'`).join('; '));
    let release: (() => Promise<void>) | undefined;
    if (after !== undefined) await client.query('begin');
    try {
      const rewrite = await pipeline.rewrite(
        {
          text,
          parameterTypes: values.map(({ type }) => type),
          parameters: values.map(({ format, value }) => ({ format, value })),
          signal: new AbortController().signal,
          user: 'trailhound',
          session: backend,
          notice: () => undefined,
        },
        backend,
      );
      release = () => rewrite?.release() ?? Promise.resolve();
      const parameters = rewrite?.parameters ?? values;
      const { rows, fields } = await client.query({
        text: rewrite?.text ?? text,
        values: parameters.map(sent),
        types: declared(rewrite?.parameterTypes ?? values.map(({ type }) => type)),
        rowMode: 'array',
      });
      return {
        rows: [...(rows as unknown[][]), ...(await changed(client, after))],
        columns: fields.map(({ name }) => name),
        asked: new Map([...lookups].map(([name, { asked }]) => [name, [...asked]])),
      };
    } finally {
      await release?.();
      if (after !== undefined) await client.query('rollback');
      if (settings.length > 0) await client.query(settings.map(([name]) => `reset ${name}`).join('; '));
    }
  }

  /** The same text where the names mean plain tables. */
  async function oracle({ text, values, after }: Asked): Promise<Omit<Answer, 'asked'>> {
    if (after === undefined) return answered(text, values);
    await plain.query('begin');
    try {
      const { rows, columns } = await answered(text, values);
      return { rows: [...rows, ...(await changed(plain, after))], columns };
    } finally {
      await plain.query('rollback');
    }
  }

  async function answered(text: string, values: readonly Argument[]): Promise<Omit<Answer, 'asked'>> {
    const { rows, fields } = await plain.query({
      text,
      values: values.map(sent),
      types: declared(values.map(({ type }) => type)),
      rowMode: 'array',
    });
    return { rows: rows as unknown[][], columns: fields.map(({ name }) => name) };
  }

  return {
    ask,
    oracle,
    /** Both sessions, for what a statement of the user's own would do to them. */
    both: async (text: string) => {
      await Promise.all([client.query(text), plain.query(text)]);
    },
    close: async () => {
      await client.end();
      await plain.end();
      await hydrator.close();
      await engine.close();
      await removeTemporaryDirectories();
    },
  };
}

export type OracleBench = Awaited<ReturnType<typeof openOracle>>;
