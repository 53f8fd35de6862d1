import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { API_KEY, LOG_GROUP, openRoad, type Road, textRows } from './support/road.ts';

/** What all three tables have; whom LookupEvents calls the user of an event is its own column. */
const SHARED = `event_time, event_id, event_name, event_source, event_type, event_category, event_version, aws_region, error_code,
  error_message, request_id, recipient_account_id, user_agent, source_ip_address, source_ip, read_only, management_event,
  access_key_id, user_type, user_arn, principal_id, user_account_id, user_identifier, user_identity, request_parameters,
  response_elements, additional_event_data, resources, tls_details, cloudtrail_event`;

const HOUR_MS = 3_600_000;
const SINCE = Date.now() - 20 * HOUR_MS;
const MANAGEMENT = Array.from({ length: 60 }, (_, index) => ({
  eventVersion: '1.11',
  eventID: `management-${index}`,
  eventName: index % 3 === 0 ? 'CreateUser' : 'ListUsers',
  eventSource: 'iam.amazonaws.com',
  eventTime: new Date(SINCE + index * (HOUR_MS / 4)).toISOString().replace(/\.\d+/, ''),
  eventCategory: 'Management',
  managementEvent: true,
  readOnly: index % 3 !== 0,
  awsRegion: index % 2 === 0 ? 'us-east-1' : 'eu-west-1',
  sourceIPAddress: index % 7 === 0 ? 'cloudtrail.amazonaws.com' : `75.50.255.${index}`,
  userIdentity: {
    type: 'IAMUser',
    userName: 'alice',
    arn: 'arn:aws:iam::111122223333:user/alice',
    accessKeyId: 'AKIA',
  },
  requestParameters: { userName: `"é漢${index}` },
}));
/** LookupEvents has no events of data. */
const DATA = {
  ...MANAGEMENT[0],
  eventID: 'data',
  eventName: 'GetObject',
  eventCategory: 'Data',
  managementEvent: false,
};
/** CloudTrail delivers at least once. */
const TWICE = MANAGEMENT.slice(0, 3);

let road: Road;
let client: Client;

beforeAll(async () => {
  const records = [...MANAGEMENT, DATA];
  const group = { name: LOG_GROUP, events: { records: [...records, ...TWICE], delivery: { maxDelayMs: 0 } } };
  road = await openRoad({
    simulator: {
      world: {
        accounts: [
          {
            accountId: '111122223333',
            buckets: [
              { name: 'trail', region: 'us-east-1', trails: [{ records }, { prefix: 'again', records: TWICE }] },
            ],
            regions: [{ name: 'eu-west-1' }, { name: 'us-east-1', logGroups: [group] }],
          },
        ],
        abuseipdb: { apiKeys: [API_KEY] },
      },
    },
    yaml: ({ url }) => `
      connections:
        logs: { kind: aws, endpoint_url: "${url}", regions: [us-east-1], log_groups: ["${LOG_GROUP}"] }
        history: { kind: aws, endpoint_url: "${url}", regions: [us-east-1, eu-west-1], log_groups: ["${LOG_GROUP}"] }
        bucket: { kind: files, paths: ["s3://trail/"], endpoint_url: "${url}" }`,
  });
  client = await road.connect();
});

afterAll(async () => {
  await road.close();
});

const EVENTS = {
  'log groups': `from cloudtrail_trail_event where connection_name = 'logs' and event_time > now() - interval '1 day'`,
  buckets: `from cloudtrail_file_event where event_time > now() - interval '1 day'`,
  'event history': `from cloudtrail_lookup_event where connection_name = 'history' and event_time > now() - interval '1 day'`,
};

const once = (events: string) => `select distinct on (event_id) ${SHARED} ${events} and event_category = 'Management'`;

test.each(Object.entries(EVENTS))('%s have the events that all have', async (_name, events) => {
  const one = once(events);
  const other = once(EVENTS['log groups']);
  expect(await textRows(client, `select count(*) from (${one}) e`)).toEqual([[String(MANAGEMENT.length)]]);
  expect(await textRows(client, `((${one}) except all (${other})) union all ((${other}) except all (${one}))`)).toEqual(
    [],
  );
});

test('what is delivered twice has one event_id; the history has it once, and no events of data', async () => {
  const all = MANAGEMENT.length + 1;
  const counts: unknown[] = [];
  for (const events of Object.values(EVENTS)) {
    const data = `count(*) filter (where event_id = 'data')`;
    counts.push(...(await textRows(client, `select count(*), count(distinct event_id), ${data} ${events}`)));
  }
  expect(counts).toEqual([
    [`${all + TWICE.length}`, `${all}`, '1'],
    [`${all + TWICE.length}`, `${all}`, '1'],
    [`${MANAGEMENT.length}`, `${MANAGEMENT.length}`, '0'],
  ]);
});
