import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Operator } from '../../src/catalog/table.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import type { World } from '../../src/simulator/world.ts';
import { cloudtrailLookupSource } from '../../src/sources/aws/cloudtrail/lookup-source.ts';
import { cloudwatchLogsSource } from '../../src/sources/aws/cloudwatch-logs/source.ts';
import { type AwsConnection, createAwsConnection } from '../../src/sources/aws/connection.ts';
import type { Predicate, ScanSource, SourceRecord } from '../../src/sources/source.ts';
import { connectTo } from '../support/connect-to.ts';
import {
  allPages,
  allRecords,
  column,
  failure,
  predicate,
  scanRequest,
  testContext,
} from '../support/source-harness.ts';

const NOW = Date.UTC(2026, 10, 21);
const DAY_MS = 86_400_000;

const EVENT_ID = column('event_id', 'eventID');
const EVENT_NAME = column('event_name', 'eventName');
const EVENT_SOURCE = column('event_source', 'eventSource');
const EVENT_TIME = column('event_time', 'eventTime', 'timestamp with time zone');
const ACCESS_KEY_ID = column('access_key_id', 'userIdentity.accessKeyId');
const USERNAME = column('username', '@username');
const READ_ONLY = column('read_only', 'readOnly', 'boolean');
const RESOURCE_NAME = column('resource_name', '@resource_name');
const RESOURCE_TYPE = column('resource_type', '@resource_type');
const START_TIME = column('start_time', '@start_time', 'timestamp with time zone');
const REGION = column('region', '@region');

function event(id: string, eventName: string, daysAgo: number, more: object = {}) {
  return {
    eventID: id,
    eventName,
    eventSource: 'iam.amazonaws.com',
    eventTime: new Date(NOW - daysAgo * DAY_MS).toISOString().replace('.000', ''),
    awsRegion: 'us-east-1',
    readOnly: eventName.startsWith('List'),
    userIdentity: { type: 'IAMUser', userName: 'alice', accessKeyId: 'AKIAALICE' },
    requestParameters: { userName: 'mallory' },
    ...more,
  };
}

const SESSION = { type: 'AssumedRole', arn: 'arn:aws:sts::111122223333:assumed-role/deploy/pipeline' };

const WORLD: World = {
  accounts: [
    {
      accountId: '111122223333',
      regions: [
        {
          name: 'us-east-1',
          logGroups: [
            {
              name: 'trail/all',
              events: {
                records: [
                  event('a', 'CreateUser', 1),
                  event('a', 'CreateUser', 1),
                  event('b', 'ListUsers', 2, { userIdentity: SESSION, requestParameters: null }),
                  event('c', 'DeleteUser', 80, { awsRegion: 'eu-west-1' }),
                  event('d', 'CreateUser', 100),
                  event('e', 'GetObject', 1, { managementEvent: false, eventCategory: 'Data' }),
                  event('f', 'CreateRole', 3, { requestParameters: { roleName: 'mallory' } }),
                ],
              },
            },
          ],
        },
        { name: 'eu-west-1' },
      ],
    },
  ],
};

let simulator: Simulator;
let source: ScanSource;

beforeEach(async () => {
  simulator = await startSimulator({ world: WORLD, now: () => NOW });
  source = cloudtrailLookupSource([connect({ regions: ['us-east-1', 'eu-west-1'] })], () => NOW);
});
afterEach(async () => {
  await simulator.close();
});
const connect = connectTo(() => simulator);

function request(...predicates: Predicate[]) {
  return scanRequest(predicates, { table: 'cloudtrail_lookup_event' });
}

function ids(records: readonly SourceRecord[]): string[] {
  return records.map(({ value }) => (value as { eventID: string }).eventID).sort();
}

const lookups = () => simulator.calls.count({ operation: 'LookupEvents' });

describe('the history', () => {
  test('of every region holds management events of 90 days', async () => {
    const records = await allRecords(source, request());
    expect(ids(records)).toEqual(['a', 'b', 'c', 'f']);
    expect(records.map(({ added }) => added['region']).sort()).toEqual([
      'eu-west-1',
      'us-east-1',
      'us-east-1',
      'us-east-1',
    ]);
    expect(lookups()).toBe(2);
  });

  test('says what the service calls a user', async () => {
    const records = await allRecords(source, request(predicate(EVENT_NAME, '=', 'ListUsers')));
    expect(records.map(({ added }) => added['username'])).toEqual(['pipeline']);
  });

  test('comes in pages', async () => {
    const records = Array.from({ length: 120 }, (_, index) => event(`e${index}`, 'CreateUser', 1 + index / 1000));
    const logGroups = [{ name: 'trail/all', events: { records } }];
    const many = await startSimulator({
      world: { accounts: [{ accountId: '111122223333', regions: [{ name: 'us-east-1', logGroups }] }] },
      now: () => NOW,
    });
    const of = createAwsConnection({
      name: 'aws',
      endpointUrl: many.url,
      credentials: { accessKeyId: 'AKIAAUDIT', secretAccessKey: 'x' },
      regions: ['us-east-1'],
    });
    try {
      const found = await allRecords(
        cloudtrailLookupSource([of], () => NOW),
        request(),
      );
      expect(new Set(ids(found)).size).toBe(120);
      expect(many.calls.count({ operation: 'LookupEvents' })).toBe(3);
    } finally {
      of.close();
      await many.close();
    }
  });
});

describe('one attribute is asked for, the one that leaves the fewest events', () => {
  test.each<[asked: string, found: readonly string[], predicates: readonly Predicate[]]>([
    ['EventId=a', ['a'], [predicate(EVENT_NAME, '=', 'CreateUser'), predicate(EVENT_ID, '=', 'a')]],
    [
      'AccessKeyId=AKIAALICE',
      ['a', 'c', 'f'],
      [predicate(USERNAME, '=', 'alice'), predicate(ACCESS_KEY_ID, '=', 'AKIAALICE')],
    ],
    ['Username=pipeline', ['b'], [predicate(USERNAME, '=', 'pipeline'), predicate(EVENT_NAME, '=', 'ListUsers')]],
    [
      'ResourceName=mallory',
      ['a', 'c', 'f'],
      [predicate(RESOURCE_NAME, '=', 'mallory'), predicate(EVENT_SOURCE, '=', 'iam.amazonaws.com')],
    ],
    [
      'ResourceName=mallory',
      ['f'],
      [predicate(RESOURCE_TYPE, '=', 'AWS::IAM::Role'), predicate(RESOURCE_NAME, '=', 'mallory')],
    ],
    [
      'EventName=CreateUser',
      ['a'],
      [predicate(EVENT_SOURCE, '=', 'iam.amazonaws.com'), predicate(EVENT_NAME, '=', 'CreateUser')],
    ],
    [
      'ResourceType=AWS::IAM::Role',
      ['f'],
      [predicate(RESOURCE_TYPE, '=', 'AWS::IAM::Role'), predicate(READ_ONLY, 'is false')],
    ],
    ['ReadOnly=true', ['b'], [predicate(READ_ONLY, 'is true')]],
  ])('%s', async (asked, found, predicates) => {
    const wanted = request(...predicates);
    expect(source.plan(wanted).parts).toEqual([`connection aws, us-east-1, eu-west-1: ${asked}`]);
    const records = await allRecords(source, wanted);
    expect(ids(records)).toEqual(found);
    expect(lookups()).toBe(2);
  });

  test('of a list each value by itself', async () => {
    const records = await allRecords(
      source,
      request(predicate(EVENT_NAME, '=', 'CreateUser', 'ListUsers', 'Nothing'), predicate(REGION, '=', 'us-east-1')),
    );
    expect(ids(records)).toEqual(['a', 'b']);
    expect(lookups()).toBe(3);
  });

  test('of a list too long for that another one', () => {
    const many = Array.from({ length: 51 }, (_, index) => `id${index}`);
    const plan = source.plan(request(predicate(EVENT_ID, '=', ...many), predicate(EVENT_NAME, '=', 'CreateUser')));
    expect(plan.parts).toEqual(['connection aws, us-east-1, eu-west-1: EventName=CreateUser']);
    expect(plan.pushed.map(({ exactness }) => exactness)).toEqual(['none', 'exact']);
  });

  test.each<[Operator, readonly string[]]>([
    ['=', ['']],
    ['<>', ['CreateUser']],
    ['like', ['Create%']],
  ])('none for event_name %s %o', (operator, values) => {
    expect(source.plan(request(predicate(EVENT_NAME, operator, ...values))).parts).toEqual([
      'connection aws, us-east-1, eu-west-1',
    ]);
  });

  test('an input is echoed, each of several values by itself', async () => {
    const records = await allRecords(
      source,
      request(predicate(RESOURCE_NAME, '=', 'mallory', 'nobody'), predicate(REGION, '=', 'eu-west-1')),
    );
    expect(records.map(({ added }) => [added['resource_name'], added['resource_type']])).toEqual([
      ['mallory', undefined],
    ]);
    expect(lookups()).toBe(2);
  });
});

describe('time', () => {
  test('is rounded outwards to whole seconds', async () => {
    const at = NOW - DAY_MS;
    const between = (from: number, to: number) =>
      allRecords(source, request(predicate(EVENT_TIME, '>=', `${from}`), predicate(EVENT_TIME, '<=', `${to}`)));
    expect(ids(await between(at, at))).toEqual(['a']);
    expect(ids(await between(at - 3000, at - 2000))).toEqual([]);
    expect(ids(await between(at + 0.5, at + 900))).toEqual(['a']);
  });

  test('of an input is echoed to the microsecond', async () => {
    const records = await allRecords(source, request(predicate(START_TIME, '=', `${NOW - 2 * DAY_MS}.125`)));
    expect(ids(records)).toEqual(['a', 'b']);
    expect(records.map(({ added }) => added['start_time'])).toEqual([
      NOW - 2 * DAY_MS + 0.125,
      NOW - 2 * DAY_MS + 0.125,
    ]);
  });

  test('before what is kept is told, and nothing is asked where all of it is', async () => {
    const partly = request(predicate(EVENT_TIME, '>', `${NOW - 120 * DAY_MS}`));
    expect(source.plan(partly).notices).toEqual([
      'cloudtrail_lookup_event has the last 90 days only: events before them are not there',
    ]);
    expect(ids(await allRecords(source, partly))).toEqual(['a', 'b', 'c', 'f']);
    const asked = lookups();
    const wholly = request(predicate(EVENT_TIME, '<', `${NOW - 91 * DAY_MS}`));
    expect(source.plan(wholly).empty).toBe(true);
    expect(await allRecords(source, wholly)).toEqual([]);
    expect(lookups()).toBe(asked);
  });

  test('without a bound or an attribute costs what a NOTICE says', () => {
    expect(source.plan(request()).notices[0]).toMatch(/2 requests a second/);
    expect(source.plan(request(predicate(EVENT_TIME, '>', String(NOW - DAY_MS)))).notices).toEqual([]);
    expect(source.plan(request(predicate(EVENT_NAME, '=', 'CreateUser'))).notices).toEqual([]);
  });
});

test('the same account through CloudWatch Logs and through its history: the same records, where both keep them', async () => {
  const logs = await allRecords(cloudwatchLogsSource([connect({ regions: ['us-east-1', 'eu-west-1'] })]), {
    ...scanRequest([predicate(column('log_group_name', '@log_group_name'), '=', 'trail/all')]),
  });
  const history = await allRecords(source, request());
  const kept = new Set(ids(history));
  const delivered = logs.filter(({ value }) => kept.has((value as { eventID: string }).eventID));
  // One that was delivered twice is told by its id alone.
  expect(ids(delivered)).toEqual(['a', 'a', 'b', 'c', 'f']);
  const byId = new Map(delivered.map(({ value }) => [(value as { eventID: string }).eventID, value]));
  expect(history.map(({ value }) => value)).toEqual(
    history.map(({ value }) => byId.get((value as { eventID: string }).eventID)),
  );
});

test('the requests of an account and region share two a second', async () => {
  const context = testContext();
  await allRecords(source, request(predicate(REGION, '=', 'us-east-1')), context);
  expect(context.limits.filter(({ key }) => key.includes('LookupEvents'))).toEqual([
    { connection: 'aws', key: 'cloudtrail:LookupEvents:111122223333:us-east-1', concurrency: 4, requestsPerSecond: 2 },
  ]);
});

describe('newest first', () => {
  const NEWEST_FIRST = { column: EVENT_TIME, direction: 'desc', nulls: 'last' } as const;
  /** So many an hour of each region, back from now. */
  const history = (eventsAnHour: Readonly<Record<string, number>>) =>
    Object.entries(eventsAnHour).map(([name, rate]) => ({
      name,
      logGroups: [
        {
          name: `trail/${name}`,
          events: {
            records: Array.from({ length: 1_000 }, (_, index) =>
              event(`${name}-${String(index)}`, 'CreateUser', (index + 1) / rate / 24, { awsRegion: name }),
            ),
          },
        },
      ],
    }));
  let many: Simulator;
  let of: AwsConnection;
  const open = async (eventsAnHour: Readonly<Record<string, number>>) => {
    const regions = history(eventsAnHour);
    many = await startSimulator({ world: { accounts: [{ accountId: '111122223333', regions }] }, now: () => NOW });
    of = createAwsConnection({
      name: 'aws',
      endpointUrl: many.url,
      credentials: { accessKeyId: 'AKIAAUDIT', secretAccessKey: 'x' },
      regions: Object.keys(eventsAnHour),
    });
    return cloudtrailLookupSource([of], () => NOW);
  };
  afterEach(async () => {
    of.close();
    await many.close();
  });
  const calls = (region: string) => many.calls.count({ operation: 'LookupEvents', region });

  test('is the only order that it has', async () => {
    const by = (direction: 'asc' | 'desc', nulls: 'first' | 'last', ...predicates: Predicate[]) =>
      source.plan(scanRequest(predicates, { order: { column: EVENT_TIME, direction, nulls } })).order;
    expect(by('desc', 'last')).toBe('exact');
    expect(by('desc', 'first')).toBe('none');
    expect(by('desc', 'first', predicate(EVENT_TIME, '>', String(NOW - DAY_MS)))).toBe('exact');
    expect(by('asc', 'last')).toBe('none');
    await open({ 'us-east-1': 1 });
  });

  test('each page says how far it has come, and nothing newer follows', async () => {
    const ordered = await open({ 'us-east-1': 100, 'eu-west-1': 7 });
    const found: SourceRecord[] = [];
    let reached = Number.POSITIVE_INFINITY;
    for await (const page of ordered.scan(scanRequest([], { order: NEWEST_FIRST }), testContext())) {
      for (const { value } of page.records) {
        expect(Date.parse((value as { eventTime: string }).eventTime)).toBeLessThanOrEqual(reached);
      }
      found.push(...page.records);
      reached = page.reached ?? reached;
    }
    expect(new Set(ids(found)).size).toBe(2_000);
    expect(reached).toBeLessThan(NOW - 5 * DAY_MS);
  });

  test('what is older than enough is not asked for, in a region of many events or of few', async () => {
    const ordered = await open({ 'us-east-1': 1_000, 'eu-west-1': 10, 'eu-central-1': 1 });
    for await (const { reached } of ordered.scan(scanRequest([], { order: NEWEST_FIRST }), testContext())) {
      if (reached !== undefined && reached < NOW - 0.25 * 3_600_000) break;
    }
    expect(calls('us-east-1')).toBe(6);
    expect(calls('eu-west-1')).toBeLessThanOrEqual(2);
    expect(calls('eu-central-1')).toBe(1);
  });

  test('what fails in several regions is all told', async () => {
    const ordered = await open({ 'us-east-1': 1, 'eu-west-1': 1 });
    for (const region of ['us-east-1', 'eu-west-1']) {
      many.fault({
        service: 'cloudtrail',
        region,
        effect: { kind: 'error', status: 400, code: 'AccessDeniedException' },
      });
    }
    const error = await failure(allRecords(ordered, scanRequest([], { order: NEWEST_FIRST })));
    expect(error.detail).toContain('us-east-1');
    expect(error.detail).toContain('eu-west-1');
  });

  test('with trailhound.partial the whole range is read, and what fails left out', async () => {
    const ordered = await open({ 'us-east-1': 1, 'eu-west-1': 1 });
    many.fault({
      service: 'cloudtrail',
      region: 'eu-west-1',
      effect: { kind: 'error', status: 400, code: 'AccessDeniedException' },
    });
    const context = testContext({ partial: true });
    expect(await allRecords(ordered, scanRequest([], { order: NEWEST_FIRST }), context)).toHaveLength(1_000);
    expect(context.notices.map(({ severity }) => severity)).toEqual(['WARNING']);
  });
});

test('pages say when their newest event happened', async () => {
  const pages = await allPages(source, request(), testContext());
  expect(Math.max(...pages.map(({ newest }) => newest ?? 0))).toBe(NOW - DAY_MS);
});
