import { link, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { atMost, mebibytes, type Figure, type Scenario } from '../figure.ts';
import { sampleMemory } from '../processes.ts';
import { withDirectory, withServer } from '../server-process.ts';
import { RARE_EVENT, RARE_IN, writeTrailFiles } from '../trail-files.ts';

const FEW = 100_000;
const MANY = 5_000_000;
const RECORDS_A_FILE = 2_000;
const LIMIT_MIB = 250;
/** Flat: fifty times the records need no more than this. */
const FLAT = 1.2;

const STATEMENTS = [
  {
    name: `one event in ${RARE_IN}`,
    text: `select count(*)::int as n from (select event_time, user_arn, source_ip_address from cloudtrail_file_event where event_name = '${RARE_EVENT}') as e`,
    share: 1 / RARE_IN,
  },
  {
    name: 'three columns of every record',
    text: 'select count(event_name)::int as n from (select event_time, event_name, user_arn from cloudtrail_file_event) as e where event_time is not null and user_arn is not null',
    share: 1,
  },
] as const;

/** The server's process, in which its threads are, while it reads files: fifty times as many are the same ones again. */
export const evidenceMemory: Scenario = {
  name: 'evidence-memory',
  run: () =>
    withDirectory(async (directory) => {
      const folder = path.join(directory, 'few');
      await writeTrailFiles(folder, FEW, RECORDS_A_FILE);
      const many = path.join(directory, 'many');
      for (let copy = 0; copy < MANY / FEW; copy += 1) await linkFiles(folder, path.join(many, String(copy)));
      const figures: Figure[] = [];
      for (const { name, text, share } of STATEMENTS) {
        const few = await peak(folder, text, FEW * share);
        const peaked = await peak(many, text, MANY * share);
        figures.push(
          {
            name: `evidence-memory: ${name} of ${MANY} records`,
            measured: `${mebibytes(peaked)} peak`,
            baseline: '',
            result: mebibytes(peaked),
            bound: atMost(peaked / 2 ** 20, LIMIT_MIB, ' MiB'),
          },
          {
            name: `evidence-memory: flat, ${name}`,
            measured: `${mebibytes(peaked)} with ${MANY} records`,
            baseline: `${mebibytes(few)} with ${FEW}`,
            result: (peaked / few).toFixed(2),
            bound: atMost(peaked / few, FLAT),
          },
        );
      }
      return figures;
    }),
};

async function linkFiles(from: string, to: string): Promise<void> {
  for (const name of await readdir(from, { recursive: true })) {
    if (!name.endsWith('.gz')) continue;
    await mkdir(path.dirname(path.join(to, name)), { recursive: true });
    await link(path.join(from, name), path.join(to, name));
  }
}

/** Of a server that does nothing else before, in bytes. */
function peak(folder: string, text: string, rows: number): Promise<number> {
  return withServer({ files: [folder] }, async (server) => {
    const client = await server.connect();
    try {
      const work = client.query<{ readonly n: number }>(text).then(({ rows: [row] }) => {
        if (row?.n !== rows) throw new Error(`${row?.n} records were counted, not ${rows}`);
      });
      return Math.max(...(await sampleMemory(server.pid, work)).own);
    } finally {
      await client.end();
    }
  });
}
