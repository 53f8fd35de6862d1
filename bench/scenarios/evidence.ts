import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { DecompressingThreads } from '../decompressing-threads.ts';
import { DuckDb, type Rows } from '../duckdb.ts';
import { atLeast, atMost, median, seconds, spread, timed, type Figure, type Scenario } from '../figure.ts';
import { processorMs, processorMsOfAll } from '../processes.ts';
import { withDirectory, withServer } from '../server-process.ts';
import { RARE_EVENT, RARE_IN, writeTrailFiles } from '../trail-files.ts';

const RECORDS = 200_000;
const RUNS = 5;

interface Statement {
  readonly name: string;
  readonly trailhound: string;
  /** Over the records that `read_json` gives, with no more of them than it needs. */
  readonly duckdb: { readonly fields: string; readonly select: string; readonly rest: string };
  readonly rows: number;
  readonly bounds: { readonly decompressing?: number; readonly duckdb?: number };
}

const STATEMENTS: readonly Statement[] = [
  {
    name: `one event in ${RARE_IN}`,
    trailhound: `select event_time, event_name, user_arn, source_ip_address, aws_region from cloudtrail_file_event where event_name = '${RARE_EVENT}'`,
    duckdb: {
      fields:
        'eventTime VARCHAR, eventName VARCHAR, userIdentity STRUCT(arn VARCHAR), sourceIPAddress VARCHAR, awsRegion VARCHAR',
      select: 'r.eventTime, r.eventName, r.userIdentity.arn, r.sourceIPAddress, r.awsRegion',
      rest: `where r.eventName = '${RARE_EVENT}'`,
    },
    rows: RECORDS / RARE_IN,
    bounds: { decompressing: 1.3, duckdb: 2.5 },
  },
  {
    name: 'count by event_name',
    trailhound: 'select event_name, count(*) from cloudtrail_file_event group by event_name order by event_name',
    duckdb: { fields: 'eventName VARCHAR', select: 'r.eventName, count(*)', rest: 'group by 1 order by 1' },
    rows: 9,
    bounds: { duckdb: 1 },
  },
  {
    name: 'five columns of every record',
    trailhound:
      'select event_source, count(distinct event_name), count(distinct user_arn), count(distinct source_ip_address), max(event_time) from cloudtrail_file_event group by event_source order by event_source',
    duckdb: {
      fields:
        'eventTime TIMESTAMP, eventName VARCHAR, userIdentity STRUCT(arn VARCHAR), sourceIPAddress VARCHAR, eventSource VARCHAR',
      select:
        'r.eventSource, count(distinct r.eventName), count(distinct r.userIdentity.arn), count(distinct r.sourceIPAddress), max(r.eventTime)',
      rest: 'group by 1 order by 1',
    },
    rows: 5,
    bounds: { duckdb: 1 },
  },
];

/**
 * Statements over gzipped files, against DuckDB's read_json over the same ones and against decompressing them, each on one
 * thread a processor; in turns, as the machine may be slower at one time than at another.
 */
export const evidence: Scenario = { name: 'evidence', run: () => measured('evidence', 2_000, STATEMENTS) };

/** The same records in ten thousand files: of quiet accounts and regions, CloudTrail's are as small. */
export const evidenceSmall: Scenario = {
  name: 'evidence-small',
  run: () => measured('evidence, small files', 20, STATEMENTS.slice(0, 2).map(unbound)),
};

function unbound(statement: Statement): Statement {
  return { ...statement, bounds: {} };
}

function measured(title: string, recordsAFile: number, statements: readonly Statement[]): Promise<readonly Figure[]> {
  return withDirectory(async (directory) => {
    const folder = path.join(directory, 'evidence');
    await writeTrailFiles(folder, RECORDS, recordsAFile);
    const names = await readdir(folder, { recursive: true });
    const paths = names.filter((name) => name.endsWith('.gz')).map((name) => path.join(folder, name));
    const threads = availableParallelism();
    return withServer({ files: [folder] }, async (server) => {
      const decompressing = new DecompressingThreads(threads);
      const duckdb = await DuckDb.start(threads);
      const client = await server.connect();
      try {
        const figures: Figure[] = [];
        for (const statement of statements) {
          const query = { text: statement.trailhound, rowMode: 'array' as const, types: TEXTS };
          const costs = await inTurns({
            alone: { pid: process.pid, work: () => decompressing.run(paths) },
            ours: {
              pid: server.pid,
              work: async () => expectRows(statement, (await client.query<unknown[]>(query)).rows),
            },
            theirs: {
              pid: duckdb.pid,
              work: async () => expectRows(statement, await duckdb.query(duckDbText(statement, folder))),
            },
          });
          figures.push(...figuresOf(title, statement, costs));
        }
        return figures;
      } finally {
        duckdb.close();
        await client.end();
        await decompressing.close();
      }
    });
  });
}

const TEXTS = { getTypeParser: () => (text: string) => text };

function duckDbText({ duckdb: { fields, select, rest } }: Statement, folder: string): string {
  const glob = `${folder}/**/*.json.gz`;
  // A file of CloudTrail is one object; it reads no larger one than it is told.
  const options = `columns = {Records: 'STRUCT(${fields})[]'}, maximum_object_size = 134217728`;
  return `select ${select} from (select unnest(Records) as r from read_json('${glob}', ${options})) ${rest}`;
}

function expectRows({ name, rows }: Statement, found: Rows): void {
  if (found.length !== rows) throw new Error(`${name}: ${found.length} rows, not ${rows}`);
}

type Who = 'alone' | 'ours' | 'theirs';

interface Cost {
  readonly ms: number;
  /** Milliseconds of all threads and processes: as much as others use the machine, it says more than the time. */
  readonly processor: number;
}

/** The first round warms all of them up. */
async function inTurns(
  sides: Readonly<Record<Who, { readonly pid: number; readonly work: () => Promise<unknown> }>>,
): Promise<Readonly<Record<Who, readonly Cost[]>>> {
  const costs: Record<Who, Cost[]> = { alone: [], ours: [], theirs: [] };
  for (let run = 0; run <= RUNS; run += 1) {
    for (const who of ['alone', 'ours', 'theirs'] as const) {
      const { pid, work } = sides[who];
      // The engine and DuckDB descend from the process that measures.
      const used = () => (who === 'alone' ? processorMs(pid) : processorMsOfAll(pid));
      const before = await used();
      const ms = await timed(work);
      if (run > 0) costs[who].push({ ms, processor: (await used()) - before });
    }
  }
  return costs;
}

function figuresOf(
  of: string,
  { name, bounds }: Statement,
  { alone, ours, theirs }: Readonly<Record<Who, readonly Cost[]>>,
): readonly Figure[] {
  return (['ms', 'processor'] as const).flatMap((unit) => {
    const [a, o, t] = [alone, ours, theirs].map((costs) => costs.map((cost) => cost[unit])) as [
      number[],
      number[],
      number[],
    ];
    const measured = spread(o, seconds);
    const toAlone = median(o) / median(a);
    const ahead = median(t) / median(o);
    const title = `${of}: ${name}${unit === 'ms' ? '' : ', processor time'}`;
    const isBound = unit === 'ms';
    return [
      {
        name: title,
        measured,
        baseline: `${spread(a, seconds)} decompressing`,
        result: toAlone.toFixed(2),
        ...(isBound && bounds.decompressing !== undefined && { bound: atMost(toAlone, bounds.decompressing) }),
      },
      {
        name: title,
        measured,
        baseline: `${spread(t, seconds)} DuckDB`,
        result: `${ahead.toFixed(2)} x`,
        ...(isBound && bounds.duckdb !== undefined && { bound: atLeast(ahead, bounds.duckdb) }),
      },
    ];
  });
}
