import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { temporaryDirectory } from '../engine/support/temporary-directory.ts';
import { generatedPredicates } from './support/generated-predicates.ts';
import { readRecords, recordFiles, type TrailRecord } from './support/records.ts';
import { API_KEY, openRoad, type Road } from './support/road.ts';

const FILES = recordFiles();
/** A tenth of what is generated for log groups: here each is a scan. */
const COUNT = Math.ceil(Number(process.env.TRAILHOUND_TEST_PREDICATES ?? 300) / 10);
const SEED = Number(process.env.TRAILHOUND_TEST_SEED ?? 1);
const AT_ONCE = 10;

if (FILES.length === 0) {
  test.skip('filtered files: TRAILHOUND_TEST_DATA names no folder of records', () => undefined);
}

describe.skipIf(FILES.length === 0)(`${COUNT} generated conditions, seed ${SEED}, over real records in files`, () => {
  let road: Road;
  let client: Client;
  let records: readonly TrailRecord[];

  beforeAll(async () => {
    const folder = await temporaryDirectory();
    records = readRecords(FILES).filter(fitsColumns);
    const texts = records.map((record) => JSON.stringify(record));
    await writeFile(join(folder, 'records.json.gz'), gzipSync(`{"Records":[${texts.join(',')}]}`));
    await writeFile(join(folder, 'lines.jsonl'), texts.join('\n'));
    road = await openRoad({
      simulator: { world: { accounts: [], abuseipdb: { apiKeys: [API_KEY] } } },
      yaml: () => `connections: { evidence: { kind: files, paths: [${JSON.stringify(folder)}] } }`,
    });
    client = await road.connect();
    await client.query('create temp table read_whole as select * from cloudtrail_file_event');
  });

  afterAll(async () => {
    await road.close();
  });

  test(
    'a file of which records are passed over gives the rows that the whole file does',
    { timeout: 600_000 },
    async () => {
      const predicates = generatedPredicates(records, COUNT, SEED);
      for (let from = 0; from < predicates.length; from += AT_ONCE) {
        const some = predicates.slice(from, from + AT_ONCE);
        const [filtered, whole] = [
          await found(client, 'cloudtrail_file_event', some),
          await found(client, 'read_whole', some),
        ];
        expect(filtered.map((row, index) => ({ where: some[index], ...row }))).toEqual(
          whole.map((row, index) => ({ where: some[index], ...row })),
        );
      }
    },
  );
});

/** Some of what nobody here wrote has times and booleans that are none: no statement could read those columns. */
function fitsColumns({ eventTime, userIdentity }: TrailRecord): boolean {
  const { sessionContext } = (userIdentity ?? {}) as {
    readonly sessionContext?: { readonly attributes?: { readonly mfaAuthenticated?: unknown } };
  };
  const mfa = sessionContext?.attributes?.mfaAuthenticated ?? false;
  return (
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(eventTime ?? '') &&
    [true, false, 'true', 'false'].some((one) => one === mfa)
  );
}

async function found(client: Client, table: string, predicates: readonly string[]) {
  const branches = predicates.map(
    (predicate, index) =>
      `select ${index} as branch, count(*)::int as count, md5(string_agg(path || file_line || cloudtrail_event, ' ' order by path, file_line, cloudtrail_event::text)) as rows
       from ${table} where ${predicate}`,
  );
  const { rows } = await client.query<{ branch: number; count: number; rows: string | null }>(
    `${branches.join(' union all ')} order by branch`,
  );
  return rows;
}
