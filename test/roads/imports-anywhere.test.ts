import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { CALL_TABLES, type CallTable } from '../../src/hunts/import/call-table.ts';
import { eventBridge } from '../../src/hunts/import/eventbridge.ts';
import type { Importer } from '../../src/hunts/import/importer.ts';
import { sigma } from '../../src/hunts/import/sigma/sigma.ts';
import { LOG_GROUP, openRoad, type Road } from './support/road.ts';

const HOUR_MS = 3_600_000;
const SINCE = Date.now() - 20 * HOUR_MS;
/** Whom LookupEvents calls the user of a role's session is not what a record has as userIdentity.userName. */
const CALLERS = [
  { type: 'IAMUser', userName: 'Alice', arn: 'arn:aws:iam::111122223333:user/Alice' },
  {
    type: 'AssumedRole',
    arn: 'arn:aws:sts::111122223333:assumed-role/deploy/alice',
    sessionContext: { sessionIssuer: { userName: 'deploy', arn: 'arn:aws:iam::111122223333:role/deploy' } },
  },
  { type: 'Root', arn: 'arn:aws:iam::111122223333:root' },
];
const RECORDS = Array.from({ length: 48 }, (_, index) => ({
  eventVersion: '1.11',
  eventID: `event-${index}`,
  eventName: ['CreateUser', 'ListUsers', 'createaccesskey', 'AttachUserPolicy'][index % 4],
  eventSource: 'iam.amazonaws.com',
  eventType: 'AwsApiCall',
  eventTime: new Date(SINCE + index * (HOUR_MS / 4)).toISOString().replace(/\.\d+/, ''),
  eventCategory: 'Management',
  managementEvent: true,
  readOnly: index % 4 === 1,
  awsRegion: 'us-east-1',
  recipientAccountId: '111122223333',
  sourceIPAddress: index % 5 === 0 ? 'cloudformation.amazonaws.com' : `198.51.100.${index}`,
  userAgent: 'aws-cli/2.31.4',
  userIdentity: CALLERS[index % 3],
  requestParameters: {
    userName: `user-${index % 6}`,
    tags: [{ key: 'Team', value: index % 2 === 0 ? 'Red' : 'Blue' }],
  },
  ...(index % 7 === 0 ? { errorCode: 'AccessDenied' } : {}),
}));

let road: Road;
let client: Client;

beforeAll(async () => {
  const events = { records: RECORDS, delivery: { maxDelayMs: 0 } };
  road = await openRoad({
    simulator: {
      world: {
        accounts: [
          {
            accountId: '111122223333',
            buckets: [{ name: 'trail', region: 'us-east-1', trails: [{ records: RECORDS }] }],
            regions: [{ name: 'us-east-1', logGroups: [{ name: LOG_GROUP, events }] }],
          },
        ],
      },
    },
    yaml: ({ url }) => `
      connections:
        aws: { kind: aws, endpoint_url: "${url}", regions: [us-east-1], log_groups: ["${LOG_GROUP}"] }
        bucket: { kind: files, paths: ["s3://trail/"], endpoint_url: "${url}" }`,
  });
  client = await road.connect();
});

afterAll(() => road.close());

async function found(importer: Importer, text: string, table: CallTable): Promise<readonly string[]> {
  const { hunts, refused } = importer.read([{ path: 'rule.yml', text }], table);
  expect(refused).toEqual([]);
  expect(hunts.map(({ tables }) => tables)).toEqual([[table]]);
  const { rows } = await client.query<{ event_id: string }>(hunts.map(({ statement }) => statement).join(''));
  return rows.map((row) => row.event_id).sort();
}

const idsOf = (wanted: (record: (typeof RECORDS)[number], index: number) => boolean) =>
  RECORDS.filter(wanted)
    .map(({ eventID }) => eventID)
    .sort();

const HEAD = 'title: made up\nlogsource: { product: aws, service: cloudtrail }\ndetection:\n';

test.each<readonly [what: string, importer: Importer, text: string, ids: readonly string[]]>([
  [
    'an event pattern',
    eventBridge,
    JSON.stringify({
      source: ['aws.iam'],
      detail: {
        eventName: [{ prefix: 'Create' }, { 'equals-ignore-case': 'CREATEACCESSKEY' }],
        requestParameters: { tags: { value: ['Red'] } },
        errorCode: [{ exists: false }],
      },
    }),
    idsOf((_, index) => index % 2 === 0 && index % 7 !== 0),
  ],
  [
    'a Sigma rule',
    sigma,
    `${HEAD}  s: { eventName|startswith: create, requestParameters.tags.value: red }\n  f: { errorCode: '*' }\n  condition: s and not f`,
    idsOf((_, index) => index % 2 === 0 && index % 7 !== 0),
  ],
  [
    'a Sigma rule about callers’ names',
    sigma,
    `${HEAD}  s: { userIdentity.userName: alice }\n  condition: s`,
    idsOf((_, index) => index % 3 === 0),
  ],
  [
    'a Sigma rule about callers without a name',
    sigma,
    `${HEAD}  s: { userIdentity.userName: null, userIdentity.sessionContext.sessionIssuer.userName: deploy }\n  condition: s`,
    idsOf((_, index) => index % 3 === 1),
  ],
  [
    'a correlation',
    sigma,
    `name: denied\n${HEAD}  s: { errorCode: AccessDenied }\n  condition: s
---
title: twice
correlation: { type: event_count, rules: [denied], group-by: [userIdentity.type], timespan: 6h, condition: { gte: 2 } }`,
    // Every 21st event is a denied one of the same caller, five hours and a quarter later.
    idsOf((_, index) => index % 7 === 0 && [21, 28, 35].includes(index)),
  ],
])('%s finds the same in log groups, the event history and files', async (_, importer, text, ids) => {
  for (const table of CALL_TABLES) expect({ table, ids: await found(importer, text, table) }).toEqual({ table, ids });
});

test('a row of an event pattern says which fields matched, by which rules', async () => {
  const pattern = { detail: { eventName: [{ prefix: 'Create' }], requestParameters: { tags: { value: ['Red'] } } } };
  const { hunts } = eventBridge.read([{ path: 'x.json', text: JSON.stringify(pattern) }], 'cloudtrail_trail_event');
  const { rows } = await client.query<{ detail: { matched: unknown } }>(hunts[0]?.statement ?? '');
  expect(rows[0]?.detail.matched).toEqual([
    { field: 'detail.eventName', rule: { prefix: 'Create' }, value: 'CreateUser' },
    { field: 'detail.requestParameters.tags.value', rule: 'Red', value: 'Red' },
  ]);
});
