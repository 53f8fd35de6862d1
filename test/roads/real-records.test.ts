import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { PSQL_VERSION, psqlRows } from './support/psql.ts';
import {
  distinct,
  isPublic,
  readAddress,
  readRecords,
  recordFiles,
  scoreOf,
  type TrailRecord,
} from './support/records.ts';
import { AWS, API_KEY, failure, LOG_GROUP, openRoad, sorted, textRows, type Road } from './support/road.ts';

const FILES = recordFiles();
const FIRST = 'CloudTrail/first';
const SECOND = 'CloudTrail/second';

if (FILES.length === 0) {
  test.skip('real records: TRAILHOUND_TEST_DATA names no folder of them', () => undefined);
}

/** Rows computed from the files alone: nothing of the server reads them. */
describe.skipIf(FILES.length === 0)('over real CloudTrail records', () => {
  let road: Road;
  let client: Client;
  let records: readonly TrailRecord[];

  beforeAll(async () => {
    records = readRecords(FILES);
    const half = Math.ceil(FILES.length / 2);
    const logGroups = [
      { name: LOG_GROUP, events: { files: FILES } },
      { name: FIRST, events: { files: FILES.slice(0, half) } },
      { name: SECOND, events: { files: FILES.slice(half) } },
    ];
    road = await openRoad({
      simulator: {
        world: {
          accounts: [{ accountId: '111122223333', regions: [{ name: 'us-east-1', logGroups }] }],
          abuseipdb: { apiKeys: [API_KEY], check: (address) => ({ abuseConfidenceScore: scoreOf(address) }) },
        },
      },
      aws: AWS,
      yaml: ({ url, abuseipdbUrl }) => `
        connections:
          aws: { endpoint_url: "${url}", requests_per_second: 50, regions: [us-east-1], log_groups: ["${FIRST}", "${SECOND}"] }
          abuseipdb: { url: "${abuseipdbUrl}", api_key: ${API_KEY} }`,
    });
    client = await road.connect();
  });

  afterAll(async () => {
    await road.close();
  });

  const named = (name: string) => records.filter((record) => record.eventName === name);
  const joined = (some: readonly TrailRecord[]) =>
    some.flatMap((record) => {
      const address = readAddress(record.sourceIPAddress);
      if (address === undefined) return [];
      return [[record.eventID ?? '', record.sourceIPAddress ?? '', address, String(scoreOf(address))]];
    });
  const publicAddresses = (some: readonly TrailRecord[]) =>
    distinct(some.map((record) => readAddress(record.sourceIPAddress)))
      .filter((address) => address !== undefined && isPublic(address))
      .sort();
  const asked = () => [...road.simulator.calls.byKey({ service: 'abuseipdb' })].sort(([a], [b]) => (a < b ? -1 : 1));
  const once = (addresses: readonly (string | undefined)[]) => addresses.map((address) => [address, 1]);

  /** The statement's rows are the expected ones through both clients. */
  const expectRows = async (statement: string, expected: readonly (readonly string[])[]) => {
    expect(sorted(await textRows(client, statement))).toEqual(sorted(expected));
    if (PSQL_VERSION !== undefined) expect(sorted(await psqlRows(road, statement))).toEqual(sorted(expected));
  };

  const COLUMNS = 'e.event_id, e.source_ip_address, a.ip_address, a.abuse_confidence_score';
  const E = 'cloudtrail_trail_event e';
  const A = 'abuseipdb_check_ip a';

  // First in the file: nothing is cached yet.
  test('a join asks once for each public address that survives its filters, and for nothing else', async () => {
    const listed = named('ListBuckets');
    const expected = publicAddresses(listed);
    expect(expected).not.toEqual([]);
    const statement = `select ${COLUMNS} from ${E} join ${A} on a.ip_address = e.source_ip_address where e.event_name = 'ListBuckets'`;
    await expectRows(statement, joined(listed));
    expect(asked()).toEqual(once(expected));
  });

  test.each([
    ['the address as text', `${E} join ${A} on a.ip_address = e.source_ip_address`],
    ['the address as inet', `${E} join ${A} on a.ip_address = e.source_ip`],
    ['the lookup first', `${A} join ${E} on a.ip_address = e.source_ip_address`],
    ['the lookup first, the equality turned around', `${A} join ${E} on e.source_ip = a.ip_address`],
    ['a comma, the condition in WHERE', `${A}, ${E} where e.source_ip_address = a.ip_address`],
    [
      'a right join that WHERE makes an inner one',
      `${A} right join ${E} on a.ip_address = e.source_ip where a.ip_address is not null`,
    ],
  ])('without a filter every joined row comes: %s', async (_, from) => {
    road.simulator.calls.reset();
    await expectRows(`select ${COLUMNS} from ${from}`, joined(records));
    const known = new Set(publicAddresses(records));
    for (const [address, calls] of asked()) {
      expect(known).toContain(address);
      expect(calls).toBe(1);
    }
  });

  test('every public address of the files has been asked for once by now, and is not asked for again', async () => {
    road.simulator.calls.reset();
    await expectRows(`select ${COLUMNS} from ${E} join ${A} on a.ip_address = e.source_ip`, joined(records));
    expect(asked()).toEqual([]);
  });

  test("the article's saved query runs as it stands", async () => {
    const some = named('GetBucketLocation');
    const sources = distinct(some.map((record) => record.sourceIPAddress));
    expect(sources).toContain('AWS Internal');
    const addresses = distinct(sources.map(readAddress)).filter((address) => address !== undefined);
    expect(addresses.length).toBe(sources.length - 1);
    const article = (columns: string) => `select ${columns} from abuseipdb_check_ip where ip_address in (
      select distinct(inet(source_ip_address)) from aws_cloudtrail_trail_event
      where log_group_name = '${LOG_GROUP}' and event_name = 'GetBucketLocation' and source_ip_address != 'AWS Internal')`;
    await expectRows(
      article('ip_address, abuse_confidence_score'),
      addresses.map((address) => [address, String(scoreOf(address))]),
    );
    const all = await client.query(article('*'));
    expect(all.rows).toHaveLength(addresses.length);
    expect(all.fields.map((field) => field.name)).toContain('is_whitelisted');
  });

  test("the article's saved query fails as PostgreSQL does where a service called, says what to write, and asks nobody", async () => {
    expect(named('AssumeRole').map((record) => record.sourceIPAddress)).toContain('ec2.amazonaws.com');
    road.simulator.calls.reset();
    const failed = await failure(
      client.query(`select * from abuseipdb_check_ip where ip_address in (
        select distinct(inet(source_ip_address)) from aws_cloudtrail_trail_event
        where log_group_name = '${LOG_GROUP}' and event_name = 'AssumeRole' and source_ip_address != 'AWS Internal')`),
    );
    expect(failed).toMatchObject({ code: '22P02', hint: expect.stringContaining('source_ip') });
    expect(failed.message).toMatch(/^invalid input syntax for type inet: ".*amazonaws\.com"$/);
    expect(asked()).toEqual([]);
    expect(await textRows(client, 'select 1')).toEqual([['1']]);
  });

  test.each([
    ['source_ip', 'cloudtrail_trail_event'],
    ['try_inet(source_ip_address)', 'aws_cloudtrail_trail_event'],
  ])('what the hint of that failure names gives the rows: %s', async (key, table) => {
    const addresses = distinct(named('AssumeRole').map((record) => readAddress(record.sourceIPAddress)));
    await expectRows(
      `select ip_address from abuseipdb_check_ip where ip_address in (
         select ${key} from ${table}
         where log_group_name = '${LOG_GROUP}' and event_name = 'AssumeRole' and source_ip_address != 'AWS Internal')`,
      addresses.flatMap((address) => (address === undefined ? [] : [[address]])),
    );
  });

  test('LEFT JOIN keeps every event, those of services too', async () => {
    const some = named('AssumeRole');
    await expectRows(
      `select e.event_id, a.ip_address from ${E} left join ${A} on a.ip_address = e.source_ip_address where e.event_name = 'AssumeRole'`,
      some.map((record) => [record.eventID ?? '', readAddress(record.sourceIPAddress) ?? '']),
    );
  });

  test('an address with leading zeros is the decimal one, in both spellings', async () => {
    const odd = records.filter((record) => /(^|\.)0\d/.test(record.sourceIPAddress ?? ''));
    expect(odd.map((record) => readAddress(record.sourceIPAddress))).toContain('75.50.255.67');
    for (const column of ['source_ip_address', 'source_ip']) {
      await expectRows(
        `select ${COLUMNS} from ${E} join ${A} on a.ip_address = e.${column} where e.source_ip_address ~ '(^|[.])0[0-9]'`,
        joined(odd),
      );
    }
  });

  test('the twenty most frequent callers cost twenty look-ups at most', async () => {
    const counts = new Map<string, number>();
    for (const record of records) {
      const address = readAddress(record.sourceIPAddress);
      if (address !== undefined) counts.set(address, (counts.get(address) ?? 0) + 1);
    }
    const top = [...counts].sort(([a, n], [b, m]) => m - n || Number(a > b) - Number(a < b)).slice(0, 20);
    road.simulator.calls.reset();
    await client.query('set trailhound.cache = off');
    const statement = `select t.ip, t.n, a.abuse_confidence_score from (
        select source_ip as ip, count(*) as n from cloudtrail_trail_event where source_ip is not null
        group by source_ip order by count(*) desc, host(source_ip) collate "C" limit 20) t
      join ${A} on a.ip_address = t.ip`;
    expect(sorted(await textRows(client, statement))).toEqual(
      sorted(top.map(([address, n]) => [address, String(n), String(scoreOf(address))])),
    );
    await client.query('reset trailhound.cache');
    const expected = top.map(([address]) => address).filter(isPublic);
    expect(asked()).toEqual(once(expected.sort()));
  });

  test('after a restart on the same data directory still no address is asked for', async () => {
    await road.restart();
    client = await road.connect();
    road.simulator.calls.reset();
    await expectRows(`select ${COLUMNS} from ${E} join ${A} on a.ip_address = e.source_ip_address`, joined(records));
    expect(asked()).toEqual([]);
  });
});
