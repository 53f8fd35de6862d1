import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { generatedPredicates } from './support/generated-predicates.ts';
import { expectNoneLost, storeRecords } from './support/lost-records.ts';
import type { TrailRecord } from './support/records.ts';
import { API_KEY, LOG_GROUP, openRoad, type Road } from './support/road.ts';

/** Log groups may hold what CloudTrail never wrote: any JSON in the fields that it has texts in. */

const COUNT = Number(process.env.TRAILHOUND_TEST_PREDICATES ?? 400);
const SEED = Number(process.env.TRAILHOUND_TEST_SEED ?? 1);

const VALUES = [
  ...['', 'CreateUser', 'AccessDenied', 'true', '404', '1.5', '-', '{"a":1}', 'a"b', 'x*y', 'İstanbul'],
  ...[0, 404, -1, 1.5, 1e21, 123456789012, 9007199254740991],
  ...[true, false, null, undefined],
  ...[{}, { a: 1 }, { userName: 'CreateUser' }, [], ['CreateUser'], [404, null], [{ a: 'AccessDenied' }]],
];
const TEXTS = VALUES.filter((value) => typeof value === 'string' || value === null || value === undefined);

/** Each value in each field, in turns: of records of another kind, and texts alone in those of CloudTrail. */
function madeRecords(): readonly TrailRecord[] {
  return Array.from({ length: 240 }, (_, index): TrailRecord => {
    const isOther = index % 3 > 0;
    const values = isOther ? VALUES : TEXTS;
    let next = index * 7;
    const value = () => values[(next += 5) % values.length];
    const any = () => VALUES[(next += 3) % VALUES.length];
    const record = {
      ...(!isOther && { eventVersion: '1.11' }),
      eventTime: new Date(Date.UTC(2026, 10, 20) + index * 60_000).toISOString(),
      eventID: value(),
      eventName: value(),
      eventSource: value(),
      errorCode: value(),
      errorMessage: value(),
      userAgent: value(),
      sourceIPAddress: index % 2 === 0 ? '192.0.2.1' : value(),
      recipientAccountId: value(),
      userIdentity: index % 5 === 0 ? value() : { userName: value(), arn: value(), accountId: value(), any: any() },
      requestParameters: index % 7 === 0 ? any() : { bucketName: any(), inner: { name: any() }, list: [any(), any()] },
    };
    return JSON.parse(JSON.stringify(record)) as TrailRecord;
  });
}

let road: Road;
let client: Client;
const records = madeRecords();

beforeAll(async () => {
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

test('no record is lost, whatever stands in the fields that conditions are on', { timeout: 3_600_000 }, async () => {
  const told = await expectNoneLost(client, records, generatedPredicates(records, COUNT, SEED));
  expect(told.length / COUNT).toBeGreaterThan(0.4);
});
