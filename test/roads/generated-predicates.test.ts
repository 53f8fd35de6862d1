import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { generatedPredicates } from './support/generated-predicates.ts';
import { expectNoneLost, storable, storeRecords } from './support/lost-records.ts';
import { readRecords, recordFiles, type TrailRecord } from './support/records.ts';
import { API_KEY, LOG_GROUP, openRoad, type Road } from './support/road.ts';

const FILES = recordFiles();
/** `TRAILHOUND_TEST_PREDICATES=10000 TRAILHOUND_TEST_SEED=7` for more than the suite's, or for others. */
const COUNT = Number(process.env.TRAILHOUND_TEST_PREDICATES ?? 300);
const SEED = Number(process.env.TRAILHOUND_TEST_SEED ?? 1);

if (FILES.length === 0) {
  test.skip('generated predicates: TRAILHOUND_TEST_DATA names no folder of records', () => undefined);
}

describe.skipIf(FILES.length === 0)(`${COUNT} generated conditions, seed ${SEED}, over real records`, () => {
  let road: Road;
  let client: Client;
  let records: readonly TrailRecord[];

  beforeAll(async () => {
    records = readRecords(FILES).map((record) => JSON.parse(storable(JSON.stringify(record))) as TrailRecord);
    const logGroups = [{ name: LOG_GROUP, events: { records: [] } }];
    road = await openRoad({
      simulator: {
        world: {
          accounts: [{ accountId: '111122223333', regions: [{ name: 'us-east-1', logGroups }] }],
          abuseipdb: { apiKeys: [API_KEY] },
        },
      },
    });
    client = await road.connect();
    await storeRecords(client, records);
  });

  afterAll(async () => {
    await road.close();
  });

  test(
    'what is asked for finds every record of which PostgreSQL says that it satisfies them',
    { timeout: 3_600_000 },
    async () => {
      const predicates = generatedPredicates(records, COUNT, SEED);
      // Of a text in any case only some can be told: its letters must have two cases alone, and a pattern has one such text.
      const inOneCase = predicates.filter((predicate) => !predicate.includes('ilike'));
      const told = await expectNoneLost(client, records, predicates);
      const pushed = told.filter((predicate) => !predicate.includes('ilike')).length;
      // Most can be told to the service, at least in part.
      expect(pushed / inOneCase.length).toBeGreaterThan(0.5);
    },
  );
});
