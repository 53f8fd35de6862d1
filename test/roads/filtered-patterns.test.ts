import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { temporaryDirectory } from '../engine/support/temporary-directory.ts';
import { generatedPatterns } from './support/generated-patterns.ts';
import { readRecords, recordFiles } from './support/records.ts';
import { API_KEY, openRoad, type Road, textRows } from './support/road.ts';

/** The largest file holds one lab's daily business, and costs the most time. */
const FILES = recordFiles().filter((file) => !file.includes('invictus'));
const RECORDS = FILES.length === 0 ? madeUpRecords() : readRecords(FILES);
const SEED = Number(process.env.TRAILHOUND_TEST_SEED ?? 1);
const PATTERNS = [...realPatterns(), ...generatedPatterns(RECORDS, FILES.length === 0 ? 30 : 60, SEED)];

/** What writes texts otherwise than most: `\u212a` is the Kelvin sign, a K; `İ` is an i in some collations. */
const HOSTILE = [
  '{"eventVersion":"1","eventID":"escaped","requestParameters":{"name":"\\u0041lice\\/Smith","kind":"\\u212Aey"}}',
  '{"eventVersion":"1","eventID":"kelvin","requestParameters":{"name":"ALICE/smith","kind":"\u212Aey"}}',
  '{"eventVersion":"1","eventID":"dotted","requestParameters":{"name":["x","al\u0130ce/smith"],"kind":"KEY"}}',
  '{"detail-type":"AWS API Call via CloudTrail","detail":{"eventID":"envelope","requestParameters":{"name":"Alice/Smith","kind":"key"}}}',
  '{"CloudTrailEvent":"{\\"eventID\\":\\"looked up\\",\\"requestParameters\\":{\\"name\\":\\"Alice\\\\/Smith\\",\\"kind\\":\\"\\\\u004bEY\\"}}"}',
  '{"eventVersion":"1","eventID":"deep","requestParameters":{"items":[{"name":"\\"quoted\\" \\\\ text"},{"na\\u006de":"tab\\there"}]}}',
  '{"eventVersion":"1","eventID":"numbers","requestParameters":{"count":3e2,"flag":true,"name":null}}',
];
const HOSTILE_DETAILS = [
  { name: ['Alice/Smith'] },
  { name: [{ 'equals-ignore-case': 'alice/smith' }] },
  { name: [{ prefix: 'Alice' }, { suffix: { 'equals-ignore-case': '/SMITH' } }] },
  { name: [{ wildcard: 'Al*e/Smi*' }] },
  { kind: ['Key', 'key'] },
  { kind: [{ 'equals-ignore-case': 'key' }] },
  { kind: [{ 'equals-ignore-case': '\u212Aey' }] },
  { kind: [{ prefix: { 'equals-ignore-case': 'KEY' } }] },
  { items: { name: ['"quoted" \\ text'] } },
  { items: { name: [{ wildcard: '*"quoted"*text' }, { suffix: '\\ text' }] } },
  { items: { name: ['tab\there', { prefix: 'tab\t' }] } },
  { count: [300] },
  { count: [{ numeric: ['>', 299] }] },
  { flag: [true] },
  { name: [null] },
  { name: [{ 'anything-but': 'Alice/Smith' }] },
  { name: [{ exists: true }] },
  { name: [{ exists: false }] },
  { kind: [{ exists: false }], count: [{ exists: true }] },
].map((requestParameters) => JSON.stringify({ detail: { requestParameters } }));

let road: Road;
let client: Client;

beforeAll(async () => {
  const folder = await temporaryDirectory();
  const texts = RECORDS.map((record) => JSON.stringify(record));
  await writeFile(join(folder, 'records.json.gz'), gzipSync(`{"Records":[${texts.join(',')}]}`));
  await writeFile(join(folder, 'lines.jsonl'), [...texts.slice(0, 500), ...HOSTILE, ...texts.slice(0, 20)].join('\n'));
  road = await openRoad({
    simulator: { world: { accounts: [], abuseipdb: { apiKeys: [API_KEY] } } },
    yaml: () => `connections: { evidence: { kind: files, paths: [${JSON.stringify(folder)}] } }`,
  });
  client = await road.connect();
  await client.query(
    'create temp table read_whole as select path, file_line, cloudtrail_event from cloudtrail_file_event',
  );
});

afterAll(() => road.close());

/** How many events match, and which. */
const answers = (relation: string, pattern: string) =>
  `select count(*), md5(string_agg(path || file_line || cloudtrail_event, ',' order by path, file_line, cloudtrail_event::text)) from ${relation}
    where trailhound.event_matches(trailhound.as_event(cloudtrail_event), E'${quoted(pattern)}')`;

function quoted(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "''");
}

async function compare(patterns: readonly string[]): Promise<number> {
  let found = 0;
  for (const pattern of patterns) {
    const [filtered = []] = await textRows(client, answers('cloudtrail_file_event', pattern));
    const [whole = []] = await textRows(client, answers('read_whole', pattern));
    expect([pattern, ...filtered]).toEqual([pattern, ...whole]);
    found += Number(whole[0]);
  }
  return found;
}

test('texts that are written in other ways are found all the same', async () => {
  expect(await compare(HOSTILE_DETAILS)).toBeGreaterThan(HOSTILE_DETAILS.length);
});

test('whatever matches, something says why', { timeout: 600_000 }, async () => {
  for (const pattern of [...HOSTILE_DETAILS, ...PATTERNS]) {
    const matching = answers('read_whole', pattern).replace(/^select .* from/, 'select cloudtrail_event from');
    const [[matched, unexplained] = []] = await textRows(
      client,
      `select count(*), count(*) filter (where not exists (
         select from trailhound.event_match_reasons(trailhound.as_event(cloudtrail_event), E'${quoted(pattern)}')))
       from (${matching} limit 20) as m`,
    );
    expect([pattern, matched, unexplained]).toEqual([pattern, matched, '0']);
  }
});

test(
  `${PATTERNS.length} patterns, seed ${SEED}, find in files what they find among all of their records, and parse less`,
  { timeout: 600_000 },
  async () => {
    expect(await compare(PATTERNS)).toBeGreaterThan(0);
    const [[most, all, scans] = []] = await textRows(
      client,
      `select max(rows), sum(rows), count(*) from trailhound.scan where table_name = 'cloudtrail_file_event'`,
    );
    expect(Number(all)).toBeLessThan((Number(most) * Number(scans) * 3) / 4);
  },
);

function realPatterns(): readonly string[] {
  const file = join(process.env.TRAILHOUND_TEST_DATA ?? '', 'patterns', 'eventbridge_patterns.ndjson');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.stringify((JSON.parse(line) as { pattern: unknown }).pattern));
}

function madeUpRecords(): ReturnType<typeof readRecords> {
  return Array.from({ length: 800 }, (_, index) => ({
    eventVersion: '1.11',
    eventID: `e${index}`,
    eventTime: '2026-11-21T20:00:00Z',
    eventName: `${['Create', 'Delete', 'Describe', 'List'][index % 4]}${['User', 'Bucket', 'Key'][index % 3]}`,
    eventSource: 'iam.amazonaws.com',
    userAgent: `aws-cli/2.${index % 9}`,
    userIdentity: { type: 'IAMUser', userName: `User-${index % 20}` },
    ...(index % 6 === 0 ? { errorCode: index % 12 === 0 ? 'AccessDenied' : 'NoSuchEntity' } : {}),
    requestParameters:
      index % 5 === 0
        ? null
        : {
            bucketName: `Bucket-${index % 30}`,
            items: [{ key: `Team${index % 7}`, value: index % 3 }, { flag: true }],
          },
  }));
}
