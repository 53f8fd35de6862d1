import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import type { Account } from '../../src/simulator/world.ts';
import { cloudwatchLogsSource } from '../../src/sources/aws/cloudwatch-logs/source.ts';
import type { AwsConnectionConfig } from '../../src/sources/aws/connection-config.ts';
import { type AwsConnection, createAwsConnection } from '../../src/sources/aws/connection.ts';
import { guarddutyDetectorSource } from '../../src/sources/aws/guardduty/detector-source.ts';
import type { ScanSource } from '../../src/sources/source.ts';
import { allRecords, column, failure, predicate, scanRequest, testContext } from '../support/source-harness.ts';

/** Several accounts and regions, seen by one statement. */

const AUDIT = '111122223333';
const WORKLOAD = '444455556666';
const REGIONS = ['us-east-1', 'eu-west-1', 'eu-central-1'];

function account(accountId: string, more: Partial<Account>): Account {
  return {
    accountId,
    regions: REGIONS.map((name) => ({
      name,
      detectors: [{ detectorId: `${accountId}-${name}`, findings: { records: [] } }],
      logGroups: [
        {
          name: 'trail',
          events: {
            records: [{ eventID: `${accountId} ${name}`, eventTime: '2026-11-01T00:00:00Z', awsRegion: 'ap-south-1' }],
          },
        },
      ],
    })),
    trails: [
      {
        name: 'home',
        homeRegion: 'us-east-1',
        logGroupName: 'trail',
        isMultiRegionTrail: true,
        isOrganizationTrail: true,
      },
      { name: 'regional', homeRegion: 'eu-west-1', logGroupName: 'trail' },
    ],
    ...more,
  };
}

let simulator: Simulator;
let opened: AwsConnection[];

beforeEach(async () => {
  opened = [];
  simulator = await startSimulator({
    world: {
      accounts: [
        account(AUDIT, { accessKeyIds: ['AKIAAUDIT'] }),
        account(WORKLOAD, { accessKeyIds: ['AKIAWORKLOAD'], externalId: 'agreed' }),
      ],
    },
  });
});

afterEach(async () => {
  for (const connection of opened) connection.close();
  await simulator.close();
});

const KEY = { accessKeyId: 'AKIAAUDIT', secretAccessKey: 'made-up' };

function open(config: Partial<AwsConnectionConfig> & { readonly name: string }): AwsConnection {
  const connection = createAwsConnection({
    endpointUrl: simulator.url,
    credentials: KEY,
    region: 'us-east-1',
    ...config,
  });
  opened.push(connection);
  return connection;
}

/** What AssumeRole gives for the other account, as the simulator names it. */
async function workload(config: Partial<AwsConnectionConfig> = {}): Promise<AwsConnection> {
  const form = new URLSearchParams({
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: `arn:aws:iam::${WORKLOAD}:role/hunt`,
    RoleSessionName: 'made-up',
    ExternalId: 'agreed',
  });
  const answer = await fetch(simulator.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIAAUDIT/20261101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: form.toString(),
  });
  const [, accessKeyId = ''] = /<AccessKeyId>([^<]+)/.exec(await answer.text()) ?? [];
  return open({ name: 'workload', credentials: { ...KEY, accessKeyId }, ...config });
}

const events = (...connections: AwsConnection[]) => cloudwatchLogsSource(connections);
const detectors = (...connections: AwsConnection[]) => guarddutyDetectorSource(connections);

async function placesOf(source: ScanSource, request = scanRequest([]), context = testContext()) {
  const records = await allRecords(source, request, context);
  return records.map(({ added }) => `${String(added['account_id'])} ${String(added['region'])}`).sort();
}

const fail = (region: string, operation: string, key?: string) =>
  simulator.fault({
    service: operation === 'DescribeTrails' ? 'cloudtrail' : operation === 'ListDetectors' ? 'guardduty' : 'logs',
    operation,
    region,
    times: Infinity,
    effect: { kind: 'error', status: 403, code: 'AccessDeniedException', message: `Not in ${region}.` },
    ...(key !== undefined && { key }),
  });

test('every account is asked by its own identity, for the log groups of its own trails', async () => {
  expect(await placesOf(events(open({ name: 'audit' }), await workload()))).toEqual([
    `${AUDIT} eu-west-1`,
    `${AUDIT} us-east-1`,
    `${WORKLOAD} eu-west-1`,
    `${WORKLOAD} us-east-1`,
  ]);
});

test('patterns of regions choose among those that each account has enabled', async () => {
  const audit = open({ name: 'audit', regions: ['eu-*'] });
  expect(await placesOf(detectors(audit, await workload({ regions: ['us-east-1'] })))).toEqual([
    `${AUDIT} eu-central-1`,
    `${AUDIT} eu-west-1`,
    `${WORKLOAD} us-east-1`,
  ]);
});

test('a region that the account has not enabled is named, with what to do', async () => {
  const error = await failure(placesOf(detectors(open({ name: 'audit', regions: ['us-east-1', 'ap-south-1'] }))));
  expect(error.kind).toBe('credentials');
  expect(error.message).toContain('ap-south-1');
  expect(error.hint).toContain('enabled the region');
});

describe('pruning', () => {
  const conditions = (name: string, path: string, value: string) =>
    scanRequest([predicate(column(name, path), '=', value)]);

  test('conditions on where the log group is leave accounts and regions out', async () => {
    const source = events(open({ name: 'audit' }), await workload());
    expect(await placesOf(source, conditions('account_id', '@account_id', WORKLOAD))).toEqual([
      `${WORKLOAD} eu-west-1`,
      `${WORKLOAD} us-east-1`,
    ]);
    expect(await placesOf(source, conditions('region', '@region', 'eu-west-1'))).toEqual([
      `${AUDIT} eu-west-1`,
      `${WORKLOAD} eu-west-1`,
    ]);
  });

  test("the event's own region and account leave out none: trails of other regions and of the organisation hold them", async () => {
    const source = events(open({ name: 'audit' }));
    expect(await placesOf(source, conditions('aws_region', 'awsRegion', 'ap-south-1'))).toHaveLength(2);
    simulator.calls.reset();
    await placesOf(source, conditions('recipient_account_id', 'recipientAccountId', WORKLOAD));
    expect(simulator.calls.count({ operation: 'FilterLogEvents' })).toBe(2);
  });

  test('a region without log groups is told', async () => {
    const context = testContext();
    await placesOf(events(open({ name: 'audit' })), conditions('region', '@region', 'ap-northeast-1'), context);
    expect(context.notices).toEqual([
      { severity: 'NOTICE', message: 'no log group is in ap-northeast-1; for events of that region use aws_region' },
    ]);
  });
});

describe('what fails', () => {
  const partial = () => testContext({ partial: true });

  test('in several regions is told of all of them', async () => {
    fail('eu-west-1', 'ListDetectors');
    fail('eu-central-1', 'ListDetectors');
    const error = await failure(placesOf(detectors(open({ name: 'audit' }))));
    expect(error.message).toMatch(/in eu-.*, and 1 more failure$/);
    expect(error.detail).toContain('in eu-west-1');
    expect(error.detail).toContain('in eu-central-1');
  });

  test('while trails are looked for, as well', async () => {
    fail('eu-west-1', 'DescribeTrails');
    fail('eu-central-1', 'DescribeTrails');
    const error = await failure(placesOf(events(open({ name: 'audit' }))));
    expect(error.detail).toContain('cloudtrail:DescribeTrails in eu-west-1');
    expect(error.detail).toContain('cloudtrail:DescribeTrails in eu-central-1');
  });

  test('in whole accounts is told of all of them', async () => {
    const refused = (name: string) => open({ name, credentials: { ...KEY, accessKeyId: `AKIA${name}` } });
    const error = await failure(placesOf(detectors(refused('one'), refused('two'), open({ name: 'audit' }))));
    expect(error.kind).toBe('credentials');
    expect(error.detail).toContain('connection one');
    expect(error.detail).toContain('connection two');
  });

  test('is one WARNING that counts it where missing rows are allowed', async () => {
    fail('eu-west-1', 'ListDetectors');
    fail('eu-central-1', 'ListDetectors');
    const context = partial();
    expect(await placesOf(detectors(open({ name: 'audit' })), undefined, context)).toEqual([`${AUDIT} us-east-1`]);
    expect(context.notices).toHaveLength(1);
    expect(context.notices[0]).toMatchObject({
      severity: 'WARNING',
      message: expect.stringMatching(
        /^2 of 3 regions could not be read, their rows are missing: .*eu-west-1.*; .*eu-central-1|^2 of 3 regions could not be read, their rows are missing: .*eu-central-1.*; .*eu-west-1/,
      ) as string,
    });
  });

  test('of an account that refuses everything, too, and the others are read', async () => {
    const context = partial();
    const refused = open({ name: 'gone', credentials: { ...KEY, accessKeyId: 'AKIAGONE' } });
    expect(await placesOf(events(open({ name: 'audit' }), refused), undefined, context)).toHaveLength(2);
    expect(context.notices).toMatchObject([
      {
        severity: 'WARNING',
        message: expect.stringMatching(
          /^1 of 2 connections could not be read, their rows are missing: .*gone/,
        ) as string,
      },
    ]);
  });

  test('while trails are looked for is asked again by the next statement', async () => {
    const audit = open({ name: 'audit' });
    fail('eu-central-1', 'DescribeTrails');
    const context = partial();
    expect(await placesOf(events(audit), undefined, context)).toHaveLength(2);
    expect(context.notices).toMatchObject([
      { message: expect.stringMatching(/^1 of 3 lists of trails could not be read/) as string },
    ]);
    simulator.clearFaults();
    const again = partial();
    expect(await placesOf(events(audit), undefined, again)).toHaveLength(2);
    expect(again.notices).toEqual([]);
    expect(simulator.calls.count({ operation: 'DescribeTrails' })).toBe(6);
  });
});
