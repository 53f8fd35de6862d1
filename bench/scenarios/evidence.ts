import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { DecompressingThreads } from '../decompressing-threads.ts';
import { DuckDb, type Rows } from '../duckdb.ts';
import { atLeast, atMost, median, seconds, spread, timed, type Figure, type Scenario } from '../figure.ts';
import { withDirectory, withServer } from '../server-process.ts';
import { RARE_EVENT, RARE_IN, writeTrailFiles } from '../trail-files.ts';

const RECORDS = 200_000;
const RECORDS_A_FILE = 2_000;
const RUNS = 5;

interface Statement {
  readonly name: string;
  readonly trailhound: string;
  /** Over the records that `read_json` gives, with no more of them than it needs. */
  readonly duckdb: { readonly fields: string; readonly select: string; readonly rest: string };
  readonly rows: number;
  readonly bounds: { readonly decompressing?: number; readonly duckdb: number };
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
export const evidence: Scenario = {
  name: 'evidence',
  run: () =>
    withDirectory(async (directory) => {
      const folder = path.join(directory, 'evidence');
      await writeTrailFiles(folder, RECORDS, RECORDS_A_FILE);
      const names = await readdir(folder, { recursive: true });
      const paths = names.filter((name) => name.endsWith('.gz')).map((name) => path.join(folder, name));
      const threads = availableParallelism();
      return withServer({ files: [folder] }, async (server) => {
        const decompressing = new DecompressingThreads(threads);
        const duckdb = await DuckDb.start(threads);
        const client = await server.connect();
        try {
          const figures: Figure[] = [];
          for (const statement of STATEMENTS) {
            const query = { text: statement.trailhound, rowMode: 'array' as const, types: TEXTS };
            const times = await inTurns({
              alone: () => decompressing.run(paths),
              ours: async () => expectRows(statement, (await client.query<unknown[]>(query)).rows),
              theirs: async () => expectRows(statement, await duckdb.query(duckDbText(statement, folder))),
            });
            figures.push(...figuresOf(statement, times));
          }
          return figures;
        } finally {
          duckdb.close();
          await client.end();
          await decompressing.close();
        }
      });
    }),
};

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

interface Times {
  readonly alone: number[];
  readonly ours: number[];
  readonly theirs: number[];
}

/** The first round warms all of them up. */
async function inTurns(work: Readonly<Record<keyof Times, () => Promise<unknown>>>): Promise<Times> {
  const times: Times = { alone: [], ours: [], theirs: [] };
  for (let run = 0; run <= RUNS; run += 1) {
    for (const who of ['alone', 'ours', 'theirs'] as const) {
      const ms = await timed(work[who]);
      if (run > 0) times[who].push(ms);
    }
  }
  return times;
}

function figuresOf({ name, bounds }: Statement, { alone, ours, theirs }: Times): readonly Figure[] {
  const measured = spread(ours, seconds);
  const toAlone = median(ours) / median(alone);
  const ahead = median(theirs) / median(ours);
  return [
    {
      name: `evidence: ${name}`,
      measured,
      baseline: `${spread(alone, seconds)} decompressing`,
      result: toAlone.toFixed(2),
      ...(bounds.decompressing !== undefined && { bound: atMost(toAlone, bounds.decompressing) }),
    },
    {
      name: `evidence: ${name}`,
      measured,
      baseline: `${spread(theirs, seconds)} DuckDB`,
      result: `${ahead.toFixed(2)} x as fast`,
      bound: atLeast(ahead, bounds.duckdb),
    },
  ];
}
