import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { readRecords, recordFiles } from './support/records.ts';
import { API_KEY, LOG_GROUP, openRoad, textRows, type Road } from './support/road.ts';

/** The largest file holds one lab's daily business, and costs the most time. */
const FILES = recordFiles().filter((file) => !file.includes('invictus'));
const PATTERNS = FILES.length === 0 ? madeUpPatterns() : realPatterns();
const RECORDS = FILES.length === 0 ? madeUpRecords() : readRecords(FILES);

let road: Road;
let client: Client;

beforeAll(async () => {
  const events = { records: RECORDS };
  road = await openRoad({
    simulator: {
      world: {
        accounts: [
          { accountId: '111122223333', regions: [{ name: 'us-east-1', logGroups: [{ name: LOG_GROUP, events }] }] },
        ],
        abuseipdb: { apiKeys: [API_KEY] },
      },
    },
  });
  client = await road.connect();
  await client.query('create temp table event as select event_id, cloudtrail_event from cloudtrail_trail_event');
});

afterAll(() => road.close());

/** How many events match, and which. */
const answers = (relation: string, pattern: string) =>
  `select count(*), md5(string_agg(coalesce(event_id, '-'), ',' order by event_id)) from ${relation}
    where trailhound.event_matches(trailhound.as_event(cloudtrail_event), E'${pattern.replaceAll('\\', '\\\\').replaceAll("'", "''")}')`;

test(
  `${PATTERNS.length} patterns find in the log group what they find among all of its events, and fetch less`,
  { timeout: 600_000 },
  async () => {
    const found: [pattern: string, answer: unknown][] = [];
    const expected: [pattern: string, answer: unknown][] = [];
    for (const pattern of PATTERNS) {
      found.push([pattern, await textRows(client, answers('cloudtrail_trail_event', pattern))]);
      expected.push([pattern, await textRows(client, answers('event', pattern))]);
    }
    expect(found).toEqual(expected);
    // The log of scans keeps 1,000 entries; the first is the one that read all.
    const [[all, rows] = []] = await textRows(
      client,
      `select max(rows), sum(rows) - max(rows) from trailhound.scan where table_name = 'cloudtrail_trail_event'`,
    );
    expect(Number(all)).toBe(RECORDS.length);
    expect(Number(rows)).toBeLessThan((Number(all) * PATTERNS.length) / 2);
  },
);

test('what a pattern says in full is all that is fetched', async () => {
  const [event] = RECORDS.filter(({ eventName }) => typeof eventName === 'string');
  const name = String(event?.eventName);
  const pattern = JSON.stringify({ detail: { eventName: [name] } });
  const lines = await textRows(client, `explain analyze ${answers('cloudtrail_trail_event', pattern)}`);
  const fetched = lines
    .map(([line]) => / Fetched: rows=(\d+) /.exec(line ?? '')?.[1])
    .filter((rows) => rows !== undefined);
  expect(fetched).toEqual([String(RECORDS.filter(({ eventName }) => eventName === name).length)]);
});

function realPatterns(): readonly string[] {
  const file = join(process.env.TRAILHOUND_TEST_DATA ?? '', 'patterns', 'eventbridge_patterns.ndjson');
  if (!existsSync(file)) return madeUpPatterns();
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.stringify((JSON.parse(line) as { pattern: unknown }).pattern));
}

function madeUpPatterns(): readonly string[] {
  const details = [
    { eventName: ['CreateUser', "It's"] },
    { eventName: [{ prefix: 'Create' }, { suffix: 'User' }, { wildcard: '*\\*\\\\%_*' }] },
    { eventName: [{ 'anything-but': ['CreateUser', 'x'] }], errorCode: [{ exists: false }] },
    { eventName: [{ 'anything-but': { prefix: ['Create', 'It'] } }] },
    { eventName: ['CreateUser'], errorCode: [{ exists: false }] },
    { errorCode: [null, 'AccessDenied'] },
    { userIdentity: { type: ['Root'], userName: [{ exists: false }] } },
    { $or: [{ eventName: ['CreateUser'] }, { userIdentity: { type: ['Root'] } }], awsRegion: ['us-east-1'] },
    { sourceIPAddress: ['198.51.100.7', { cidr: '10.0.0.0/8' }] },
    { requestParameters: { names: ['a'] } },
  ];
  const envelopes = [
    {},
    { source: ['aws.iam'] },
    { account: ['111122223333'], region: ['us-east-1'] },
    { 'detail-type': ['AWS Console Sign In via CloudTrail'] },
  ];
  return details.flatMap((detail) => envelopes.map((envelope) => JSON.stringify({ ...envelope, detail })));
}

function madeUpRecords(): ReturnType<typeof readRecords> {
  const names = ['CreateUser', 'DeleteUser', 'ConsoleLogin', "It's", 'a*\\%_', '', null, undefined];
  const users = [
    { type: 'Root' },
    { type: 'IAMUser', userName: 'ann' },
    { type: 'IAMUser', userName: null },
    undefined,
  ];
  return Array.from({ length: 640 }, (_, index) => ({
    eventID: `e${index}`,
    eventTime: new Date(Date.now() - index * 60_000).toISOString(),
    ...(names[index % 8] === undefined ? {} : { eventName: names[index % 8] ?? null }),
    eventSource: index % 3 === 0 ? 'iam.amazonaws.com' : index % 3 === 1 ? 'iam' : 'signin.amazonaws.com',
    eventType: index % 5 === 0 ? 'AwsConsoleSignIn' : 'AwsApiCall',
    userIdentity: users[Math.floor(index / 8) % 4],
    awsRegion: index % 2 === 0 ? 'us-east-1' : 'eu-west-1',
    recipientAccountId: '111122223333',
    sourceIPAddress: index % 7 === 0 ? '198.051.100.007' : index % 7 === 1 ? '10.1.2.3' : null,
    ...(index % 4 === 0 ? { errorCode: index % 8 === 0 ? 'AccessDenied' : null } : {}),
    requestParameters: { names: index % 2 === 0 ? ['a', 'b'] : 'a' },
  })) as ReturnType<typeof readRecords>;
}
