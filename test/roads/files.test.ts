import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { removeTemporaryDirectories, temporaryDirectory } from '../engine/support/temporary-directory.ts';
import { recordFiles } from './support/records.ts';
import { API_KEY, failure, LOG_GROUP, openRoad, type Road, textRows } from './support/road.ts';

/** What a record itself says, and so is the same whichever way it came. */
const SHARED = `event_id, event_name, event_source, event_type, event_category, event_version, aws_region, error_code,
  error_message, request_id, shared_event_id, recipient_account_id, user_agent, vpc_endpoint_id, source_ip_address, source_ip,
  read_only, management_event, access_key_id, user_type, username, user_arn, principal_id, user_account_id, invoked_by,
  user_identifier, session_issuer_arn, session_issuer_name, user_identity, request_parameters,
  response_elements, additional_event_data, resources, tls_details, service_event_details, cloudtrail_event`;

/** What some of the records that nobody here wrote hold in a form that is no time or no boolean. */
const TYPED = 'event_time, mfa_authenticated';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 21, 12);
const MADE_UP = Array.from({ length: 300 }, (_, index) => ({
  eventVersion: '1.11',
  eventID: `event-${index}`,
  eventName: index % 3 === 0 ? 'CreateUser' : 'ListBuckets',
  eventTime: new Date(NOW - index * (DAY_MS / 50)).toISOString().replace('.000', ''),
  awsRegion: index % 2 === 0 ? 'us-east-1' : 'eu-west-1',
  sourceIPAddress: index % 7 === 0 ? 'cloudtrail.amazonaws.com' : `075.050.255.${index % 200}`,
  userIdentity: { type: 'IAMUser', arn: `arn:aws:iam::111122223333:user/${index % 5}`, accessKeyId: 'AKIA' },
  ...(index % 4 === 0 && { requestParameters: { userName: `\\u0000"é漢${index}` } }),
}));
/** CloudTrail delivers at least once: the second time with what came later. */
const TWICE = MADE_UP.slice(0, 3);
const REAL = recordFiles();
/** None of them is what a double prints. */
const NUMBERS = '{"n":12345678901234567,"list":[1.50,-0.0,1e3,1E-7],"inner":{"small":0.00000001}}';

let folder: string;
let road: Road;
let client: Client;

/** As CloudTrail lays them out: a file a region and day. */
async function writeTrail(): Promise<void> {
  for (const record of MADE_UP) {
    const [year = '', month = '', day = ''] = record.eventTime.slice(0, 10).split('-');
    const directory = join(folder, 'AWSLogs/111122223333/CloudTrail', record.awsRegion, year, month, day);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, `${record.eventID}.json.gz`), gzipSync(JSON.stringify({ Records: [record] })));
  }
}

beforeAll(async () => {
  folder = await temporaryDirectory();
  await writeTrail();
  await mkdir(join(folder, 'numbers'));
  const numbered = `{"eventVersion":"1.11","eventID":"numbers","requestParameters":${NUMBERS}}`;
  await writeFile(join(folder, 'numbers/a.json'), numbered);
  await writeFile(join(folder, 'numbers/b.json'), `{"detail-type":"AWS API Call via CloudTrail","detail":${numbered}}`);
  await mkdir(join(folder, 'broken'));
  await writeFile(join(folder, 'broken/a.jsonl'), `${JSON.stringify(MADE_UP[0])}\n{"eventID":\n`);
  await mkdir(join(folder, 'deep'));
  const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
  const lines = ['{"x":[]}', deep, '{"x":[1]}'].map(
    (x, index) => `{"eventID":"${index}","eventName":"A","requestParameters":${x}}\n`,
  );
  await writeFile(join(folder, 'deep/a.jsonl'), lines.join(''));
  road = await openRoad({
    simulator: {
      world: {
        accounts: [
          {
            accountId: '111122223333',
            buckets: [
              {
                name: 'trail-bucket',
                region: 'eu-west-1',
                trails: [{ records: MADE_UP }, { prefix: 'again', records: TWICE }],
              },
            ],
            regions: [
              { name: 'eu-west-1' },
              {
                name: 'us-east-1',
                logGroups: [
                  { name: LOG_GROUP, events: { records: MADE_UP, delivery: { maxDelayMs: 0 } } },
                  ...(REAL.length > 0 ? [{ name: 'real', events: { files: REAL } }] : []),
                ],
              },
            ],
          },
        ],
        abuseipdb: { apiKeys: [API_KEY] },
      },
    },
    yaml: ({ url, abuseipdbUrl }) => `
      connections:
        aws: { endpoint_url: "${url}", requests_per_second: 50, regions: [us-east-1], log_groups: ["${LOG_GROUP}"] }
        abuseipdb: { url: "${abuseipdbUrl}", api_key: ${API_KEY} }
        trail: { kind: files, paths: ["${folder}/AWSLogs"] }
        bucket: { kind: files, paths: ["s3://trail-bucket/"], endpoint_url: "${url}" }
        broken: { kind: files, paths: ["${folder}/broken/*"] }
        deep: { kind: files, paths: ["${folder}/deep"] }
        numbers: { kind: files, paths: ["${folder}/numbers"] }
        gone: { kind: files, paths: ["${folder}/gone"] }${
          REAL.length === 0
            ? ''
            : `
        real: { kind: files, paths: ${JSON.stringify(REAL)} }`
        }`,
  });
  client = await road.connect();
});

afterAll(async () => {
  await road.close();
  await removeTemporaryDirectories();
});

async function rows(statement: string): Promise<readonly (readonly string[])[]> {
  return textRows(client, statement);
}

/** Rows that only one of two relations has, as many times as it has them more often. */
function difference(one: string, other: string): string {
  return `(${one} except all ${other}) union all (${other} except all ${one})`;
}

describe('the same events', () => {
  const files = `select ${TYPED}, ${SHARED} from cloudtrail_file_event where connection_name = 'trail'`;
  const group = `select ${TYPED}, ${SHARED} from cloudtrail_trail_event where event_time > '2026-01-01'`;

  test('come from files as from a log group', async () => {
    expect(await rows(`select count(*) from (${files}) f`)).toEqual([['300']]);
    expect(await rows(difference(files, group))).toEqual([]);
  });

  test('come from the bucket that the trail delivers to, those delivered twice with one id', async () => {
    const bucket = `select ${TYPED}, ${SHARED} from cloudtrail_file_event where connection_name = 'bucket'`;
    expect(await rows(`select count(*), count(distinct event_id) from (${bucket}) f`)).toEqual([['303', '300']]);
    expect(await rows(difference(`select distinct on (event_id) * from (${bucket}) f`, group))).toEqual([]);
    const twice = `select event_id, count(*), count(distinct path) from cloudtrail_file_event
      where connection_name = 'bucket' group by event_id having count(*) > 1 order by event_id`;
    expect(await rows(twice)).toEqual(TWICE.map(({ eventID }) => [eventID, '2', '2']));
  });

  test('of a bucket only the folders of the days and the region are listed', async () => {
    const before = road.simulator.calls.count({ operation: 'GetObject' });
    const statement = `select count(*) from cloudtrail_file_event where connection_name = 'bucket' and region = 'us-east-1'
      and path like 's3://trail-bucket/AWSLogs/%' and event_time >= '2026-11-21 00:10'`;
    const filtered = MADE_UP.filter((one) => one.awsRegion === 'us-east-1' && one.eventTime >= '2026-11-21T00:10');
    expect(await rows(statement)).toEqual([[String(filtered.length)]]);
    const got = road.simulator.calls.count({ operation: 'GetObject' }) - before;
    expect(got).toBeGreaterThan(0);
    expect(got).toBeLessThanOrEqual(filtered.length + 1);
  });

  test.skipIf(REAL.length === 0)('also where nobody here wrote them', async () => {
    const real = `select ${SHARED} from cloudtrail_file_event where connection_name = 'real'`;
    const same = `select ${SHARED} from cloudtrail_trail_event where log_group_name = 'real'`;
    expect(Number((await rows(`select count(*) from (${real}) f`))[0]?.[0])).toBeGreaterThan(1000);
    expect(await rows(difference(real, same))).toEqual([]);
  });

  test('whatever of the conditions is pushed', async () => {
    const since = new Date(NOW - 2 * DAY_MS).toISOString();
    for (const condition of [
      `event_time > '${since}'`,
      `event_time between '${since}' and '${new Date(NOW - DAY_MS).toISOString()}'`,
      `"timestamp" <= '${since}'`,
      `timestamp_ms >= ${Date.parse(since)}`,
      `event_name = 'CreateUser' and event_time >= '${since}'`,
      `event_name ~ '^(Create|Delete)[A-Z]ser$' and request_parameters ->> 'userName' ~* 'É漢\\d'`,
      `event_id in (${Array.from({ length: 100 }, (_, index) => `'event-${index * 3}'`).join(', ')})`,
    ]) {
      const pushed = `${files} and ${condition}`;
      const filtered = `select ${TYPED}, ${SHARED} from cloudtrail_trail_event where "timestamp" > '2026-01-01' and ${condition}`;
      expect(await rows(difference(pushed, filtered)), condition).toEqual([]);
    }
  });
});

test('numbers within JSON are what PostgreSQL makes of them, digit by digit', async () => {
  const asked = `select path, cloudtrail_event -> 'requestParameters', request_parameters, request_parameters ->> 'n', event_id
    from cloudtrail_file_event where connection_name = 'numbers' and request_parameters ->> 'n' = '12345678901234567'
    order by path`;
  const found = await rows(asked);
  const [[whole = '', number = ''] = []] = await rows(`select j, j ->> 'n' from (select '${NUMBERS}'::jsonb j) made`);
  expect(found.map(([path = '', ...others]) => [path.slice(-6), ...others])).toEqual(
    ['a.json', 'b.json'].map((path) => [path, whole, whole, number, 'numbers']),
  );
});

test('region and account come from the path, and leave out the other folders', async () => {
  const statement = `from cloudtrail_file_event where region = 'eu-west-1' and connection_name = 'trail'`;
  expect(await rows(`select count(*), min(account_id), min(partition), count(distinct path) ${statement}`)).toEqual([
    ['150', '111122223333', 'aws', '150'],
  ]);
  const explained = (
    await rows(`explain analyze select event_id ${statement} and event_time > '2026-11-21 00:10'`)
  ).flat();
  expect(explained.join('\n')).toMatch(/\bcalls=13\b/);
});

test('a join asks for each address of the files once', async () => {
  const before = road.simulator.calls.count({ service: 'abuseipdb' });
  const joined = await rows(`
    select e.event_id, a.ip_address
    from cloudtrail_file_event e join abuseipdb_check_ip a on a.ip_address = e.source_ip_address
    where e.connection_name = 'trail' and e.event_id in ('event-1', 'event-2', 'event-201', 'event-7')`);
  expect(joined.toSorted()).toEqual([
    ['event-1', '75.50.255.1'],
    ['event-2', '75.50.255.2'],
    ['event-201', '75.50.255.1'],
  ]);
  expect(road.simulator.calls.count({ service: 'abuseipdb' }) - before).toBe(2);
});

test('an unreadable record fails the statement with file and line, or is counted', async () => {
  const statement = `select event_id, file_line from cloudtrail_file_event where connection_name = 'broken'`;
  expect(await failure(rows(statement))).toMatchObject({
    code: 'HV000',
    message: `${folder}/broken/a.jsonl, line 2: the line ends within a record`,
  });
  const warnings: string[] = [];
  const partial = await road.connect({ options: '-c trailhound.partial=on' });
  partial.on('notice', ({ message }) => warnings.push(message ?? ''));
  expect(await textRows(partial, statement)).toEqual([['event-0', '1']]);
  expect(warnings).toEqual([expect.stringMatching(/^1 records of cloudtrail_file_event could not be read/)]);
});

test.each(['cloudtrail_event', 'request_parameters'])(
  'a record that PostgreSQL holds as no %s is named, or counted',
  async (column) => {
    const statement = `select event_id, ${column} is null from cloudtrail_file_event where connection_name = 'deep' order by 1`;
    const message = `column ${column} of cloudtrail_file_event cannot hold JSON of more than 2000 levels`;
    const detail = `The record is record 2 of ${folder}/deep/a.jsonl, line 2.`;
    expect(await failure(rows(statement))).toMatchObject({ code: 'HV000', message, detail });
    const warnings: string[] = [];
    const partial = await road.connect({ options: '-c trailhound.partial=on' });
    partial.on('notice', (notice) => warnings.push(notice.message ?? ''));
    expect(await textRows(partial, statement)).toEqual([
      ['0', 'f'],
      ['2', 'f'],
    ]);
    expect(warnings).toEqual([
      `1 records of cloudtrail_file_event could not be read and were left out: ${message}. ${detail}`,
    ]);
  },
);

test('a path that is gone fails the statement and names it', async () => {
  const error = await failure(rows(`select count(*) from cloudtrail_file_event where connection_name = 'gone'`));
  expect(error).toMatchObject({ code: 'HV00N', message: `${folder}/gone does not exist` });
});
