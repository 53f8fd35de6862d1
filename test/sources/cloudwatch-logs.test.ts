import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { singleLogGroup, type World } from '../../src/simulator/world.ts';
import type { Column } from '../../src/catalog/table.ts';
import { cloudwatchLogsSource } from '../../src/sources/aws/cloudwatch-logs/source.ts';
import { type AwsConnection, createAwsConnection } from '../../src/sources/aws/connection.ts';
import type { Predicate, ScanRequest, SourceRecord } from '../../src/sources/source.ts';
import { connectTo, SECRET } from '../support/connect-to.ts';
import {
  allPages,
  allRecords,
  column,
  failure,
  predicate,
  scanRequest,
  testContext,
} from '../support/source-harness.ts';

const EVENT_NAME = column('event_name', 'eventName');
const EVENT_TIME = column('event_time', 'eventTime', 'timestamp with time zone');
const TIMESTAMP = column('timestamp', '@timestamp', 'timestamp with time zone');
const LOG_GROUP_NAME = column('log_group_name', '@log_group_name');
const LOG_STREAM_NAME = column('log_stream_name', '@log_stream_name');
const REGION = column('region', '@region');
const ACCOUNT_ID = column('account_id', '@account_id');
const CONNECTION_NAME = column('connection_name', '@connection_name');
const FILTER = column('filter', '@filter');

const START = Date.UTC(2026, 10, 1);

function event(id: string, eventName: string, minute: number) {
  return {
    eventID: id,
    eventName,
    eventSource: 'iam.amazonaws.com',
    eventTime: new Date(START + minute * 60_000).toISOString().replace('.000', ''),
    awsRegion: 'us-east-1',
    sourceIPAddress: '198.51.100.7',
  };
}

function envelope(detail: { eventID: string; eventTime: string }) {
  return {
    version: '0',
    id: detail.eventID,
    'detail-type': 'AWS API Call via CloudTrail',
    source: 'aws.iam',
    account: '111122223333',
    time: detail.eventTime,
    region: 'us-east-1',
    resources: [],
    detail,
  };
}

const WORLD: World = {
  accounts: [
    {
      accountId: '111122223333',
      accessKeyIds: ['AKIAAUDIT'],
      regions: [
        {
          name: 'us-east-1',
          logGroups: [
            {
              name: 'trail/all',
              events: {
                records: [
                  event('a', 'CreateUser', 0),
                  event('b', 'ListBuckets', 1),
                  envelope(event('c', 'CreateUser', 2)),
                  event('d', 'DeleteUser', 3),
                ],
                delivery: { maxDelayMs: 0 },
              },
            },
            {
              name: 'app/text',
              events: { records: [event('t', 'X', 0), 'plain text'], delivery: { fallbackTime: START } },
            },
            { name: 'app/json', events: { records: [{ level: 'info' }], delivery: { fallbackTime: START } } },
          ],
        },
        {
          name: 'eu-west-1',
          logGroups: [
            { name: 'trail/eu', events: { records: [event('e', 'CreateUser', 4)], delivery: { maxDelayMs: 0 } } },
          ],
        },
        { name: 'eu-central-1' },
      ],
      trails: [
        { name: 'all', homeRegion: 'us-east-1', logGroupName: 'trail/all', isMultiRegionTrail: true },
        { name: 'eu', homeRegion: 'eu-west-1', logGroupName: 'trail/eu' },
      ],
    },
    {
      accountId: '444455556666',
      accessKeyIds: ['AKIAOTHER'],
      regions: [
        {
          name: 'us-east-1',
          logGroups: [
            { name: 'other/trail', events: { records: [event('o', 'CreateUser', 5)], delivery: { maxDelayMs: 0 } } },
          ],
        },
      ],
    },
  ],
};

let simulator: Simulator;

beforeEach(async () => {
  simulator = await startSimulator({ world: WORLD });
});

afterEach(async () => {
  await simulator.close();
});

const connect = connectTo(() => simulator);

function ids(records: readonly { readonly value: unknown }[]): string[] {
  return records.map(({ value }) => (value as { eventID: string }).eventID).sort();
}

function operations(): string[] {
  return simulator.calls.all.map(({ operation, region }) => `${operation} ${region ?? ''}`);
}

describe('what is read', () => {
  test('without a configuration: the log groups that the trails of every enabled region name, each once', async () => {
    const source = cloudwatchLogsSource([connect()]);
    const records = await allRecords(source, scanRequest([]));
    expect(ids(records)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(
      operations()
        .filter((operation) => operation.startsWith('FilterLogEvents'))
        .sort(),
    ).toEqual(expect.arrayContaining(['FilterLogEvents eu-west-1', 'FilterLogEvents us-east-1']));
  });

  test('of a list that takes several patterns each event comes once, by the value that its own record has', async () => {
    const source = cloudwatchLogsSource([connect({ regions: ['us-east-1'], logGroups: ['trail/all'] })]);
    const others = Array.from({ length: 40 }, (_, index) => `DescribeSomething${index}`);
    for (const names of [
      ['CreateUser', ...others, 'ListBuckets'],
      ['DeleteUser', ...others, 'CreateUser'],
    ]) {
      simulator.calls.reset();
      const records = await allRecords(source, scanRequest([predicate(EVENT_NAME, '=', ...names)]));
      expect(ids(records)).toEqual(names.includes('ListBuckets') ? ['a', 'b', 'c'] : ['a', 'c', 'd']);
      expect(operations().filter((operation) => operation.startsWith('FilterLogEvents'))).toHaveLength(4);
    }
  });

  test('of addresses, too, in whichever form a record has them', async () => {
    const source = cloudwatchLogsSource([connect({ regions: ['us-east-1'], logGroups: ['trail/all'] })]);
    const others = Array.from({ length: 40 }, (_, index) => `192.0.2.${index}`);
    const request = scanRequest([
      predicate(column('source_ip', undefined, 'inet'), '=', '198.51.100.70', ...others, '198.51.100.7'),
    ]);
    expect(ids(await allRecords(source, request))).toEqual(['a', 'b', 'c', 'd']);
  });

  test('nothing is called before the first scan', () => {
    cloudwatchLogsSource([connect()]).plan(scanRequest([predicate(EVENT_NAME, '=', 'CreateUser')]));
    expect(operations()).toEqual([]);
  });

  test('what the source adds says where the log group is, and a record in an envelope reads as a bare one', async () => {
    const source = cloudwatchLogsSource([connect({ regions: ['us-east-1'], logGroups: ['trail/all'] })]);
    const records = await allRecords(source, scanRequest([predicate(EVENT_NAME, '=', 'CreateUser')]));
    expect(ids(records)).toEqual(['a', 'c']);
    for (const { added } of records) {
      expect(added).toMatchObject({
        log_group_name: 'trail/all',
        partition: 'aws',
        region: 'us-east-1',
        account_id: '111122223333',
        connection_name: 'aws',
      });
    }
    const [bare, enveloped] = [...records].sort(
      (one, other) => Number(one.added['timestamp']) - Number(other.added['timestamp']),
    );
    expect(JSON.parse(bare?.text ?? '')).toMatchObject({ eventID: 'a' });
    expect(enveloped?.text).toBeUndefined();
    expect(enveloped?.added['timestamp']).toBe(START + 2 * 60_000);
    expect(enveloped?.origin()).toMatch(/^event \S+ of log group trail\/all in us-east-1/);
  });

  test('timestamp bounds are sent to the millisecond and bound what is returned', async () => {
    const source = cloudwatchLogsSource([connect({ regions: ['us-east-1'], logGroups: ['trail/all'] })]);
    const between = [
      predicate(TIMESTAMP, '>', String(START + 60_000)),
      predicate(TIMESTAMP, '<=', `${START + 3 * 60_000}.9`),
    ];
    expect(ids(await allRecords(source, scanRequest(between)))).toEqual(['c', 'd']);
  });

  test('an upper bound of event_time leaves a day for the delivery', async () => {
    const source = cloudwatchLogsSource([connect({ regions: ['us-east-1'], logGroups: ['trail/all'] })]);
    const early = [predicate(EVENT_TIME, '<', String(START - 25 * 3_600_000))];
    expect(ids(await allRecords(source, scanRequest(early)))).toEqual([]);
    const late = [predicate(EVENT_TIME, '<', String(START - 23 * 3_600_000))];
    expect(ids(await allRecords(source, scanRequest(late)))).toEqual(['a', 'b', 'c', 'd']);
  });

  test('a limit ends the scan and counts only what satisfies the conditions', async () => {
    const source = cloudwatchLogsSource([connect({ regions: ['us-east-1'], logGroups: ['trail/all'] })]);
    const request = scanRequest([predicate(EVENT_NAME, '<>', 'CreateUser')], { limit: 1 });
    expect(source.plan(request).pushed.map(({ exactness }) => exactness)).toEqual(['exact']);
    expect(await allRecords(source, request)).toHaveLength(1);
    expect(await allRecords(source, scanRequest([], { limit: 3 }))).toHaveLength(3);
  });

  test("the user's filter is and-ed with ours and echoed", async () => {
    const source = cloudwatchLogsSource([connect({ regions: ['us-east-1'], logGroups: ['trail/all'] })]);
    const filter = '{ $.eventID != "a" }';
    const records = await allRecords(
      source,
      scanRequest([predicate(FILTER, '=', filter), predicate(EVENT_NAME, 'like', '%User')]),
    );
    expect(ids(records)).toContain('d');
    expect(ids(records)).not.toContain('a');
    expect(records.map(({ added }) => added['filter'])).toEqual(records.map(() => filter));
  });

  test('a filter of terms is sent alone, and two filters are two reads', async () => {
    const source = cloudwatchLogsSource([connect({ regions: ['us-east-1'], logGroups: ['trail/all'] })]);
    const request = scanRequest([
      predicate(FILTER, '=', 'DeleteUser', 'ListBuckets'),
      predicate(EVENT_NAME, '=', 'DeleteUser'),
    ]);
    const records = await allRecords(source, request);
    // What the second one finds cannot be wanted, and is not parsed.
    expect(records.map(({ added }) => added['filter'])).toEqual(['DeleteUser']);
    expect(source.plan(request).pushed.map(({ exactness }) => exactness)).toEqual(['exact', 'inexact']);
  });

  test('a log stream is asked for by prefix, so that one that does not exist is no error', async () => {
    const source = cloudwatchLogsSource([connect({ regions: ['us-east-1'], logGroups: ['trail/all'] })]);
    const absent = scanRequest([predicate(LOG_STREAM_NAME, '=', 'no-such-stream')]);
    expect(await allRecords(source, absent)).toEqual([]);
    const [some] = await allRecords(source, scanRequest([]));
    const stream = String(some?.added['log_stream_name']);
    expect(ids(await allRecords(source, scanRequest([predicate(LOG_STREAM_NAME, '=', stream)])))).toEqual([
      'a',
      'b',
      'c',
      'd',
    ]);
  });
});

describe('pruning', () => {
  test('region, connection and account leave log groups out without a FilterLogEvents call', async () => {
    const source = cloudwatchLogsSource([
      connect(),
      connect({
        name: 'other',
        credentials: { accessKeyId: 'AKIAOTHER', secretAccessKey: 'x' },
        regions: ['us-east-1'],
        logGroups: ['other/trail'],
      }),
    ]);
    expect(ids(await allRecords(source, scanRequest([])))).toEqual(['a', 'b', 'c', 'd', 'e', 'o']);
    expect(ids(await allRecords(source, scanRequest([predicate(REGION, 'like', 'eu-%')])))).toEqual(['e']);
    expect(ids(await allRecords(source, scanRequest([predicate(CONNECTION_NAME, '<>', 'aws')])))).toEqual(['o']);
    expect(ids(await allRecords(source, scanRequest([predicate(ACCOUNT_ID, '=', '444455556666')])))).toEqual(['o']);
    expect(ids(await allRecords(source, scanRequest([predicate(LOG_GROUP_NAME, '=', 'trail/eu')])))).toEqual(['e']);
  });

  test('a region without log groups is told, with the column that was meant', async () => {
    const context = testContext();
    const source = cloudwatchLogsSource([connect()]);
    expect(await allRecords(source, scanRequest([predicate(REGION, '=', 'ap-northeast-1')]), context)).toEqual([]);
    expect(context.notices).toEqual([
      { severity: 'NOTICE', message: 'no log group is in ap-northeast-1; for events of that region use aws_region' },
    ]);
  });

  test('contradicting conditions call nothing', async () => {
    const source = cloudwatchLogsSource([connect()]);
    const request = scanRequest([predicate(EVENT_NAME, '=', 'A'), predicate(EVENT_NAME, '=', 'B')]);
    expect(source.plan(request).empty).toBe(true);
    expect(await allRecords(source, request)).toEqual([]);
    expect(operations()).toEqual([]);
  });

  test('patterns of regions are matched against those that the account has enabled', async () => {
    const source = cloudwatchLogsSource([connect({ regions: ['eu-*'] })]);
    expect(ids(await allRecords(source, scanRequest([])))).toEqual(['e']);
    const error = await failure(allRecords(cloudwatchLogsSource([connect({ regions: ['sa-*'] })]), scanRequest([])));
    expect(error.message).toContain('"sa-*"');
  });
});

describe('what goes wrong', () => {
  test('a log group that exists in none of the regions is named with them', async () => {
    const source = cloudwatchLogsSource([connect({ regions: ['us-east-1', 'eu-west-1'] })]);
    const error = await failure(allRecords(source, scanRequest([predicate(LOG_GROUP_NAME, '=', 'nope')])));
    expect(error.kind).toBe('not_found');
    expect(error.message).toBe('log group nope does not exist in us-east-1, eu-west-1');
  });

  test('a configured log group must exist in one region, not in all', async () => {
    const source = cloudwatchLogsSource([connect({ regions: ['us-east-1', 'eu-west-1'], logGroups: ['trail/all'] })]);
    expect(ids(await allRecords(source, scanRequest([])))).toEqual(['a', 'b', 'c', 'd']);
  });

  test('an unreadable event ends the scan and says which it is', async () => {
    const source = cloudwatchLogsSource([connect({ regions: ['us-east-1'], logGroups: ['app/text'] })]);
    const error = await failure(allRecords(source, scanRequest([])));
    expect(error.kind).toBe('nonsense');
    expect(error.message).toBe('log group app/text holds an event that is no JSON object');
    expect(error.detail).toMatch(/^It is event \S+ of log group app\/text in us-east-1/);
  });

  test('JSON that is no CloudTrail record is a row of NULLs', async () => {
    const source = cloudwatchLogsSource([connect({ regions: ['us-east-1'], logGroups: ['app/json'] })]);
    expect((await allRecords(source, scanRequest([]))).map(({ value }) => value)).toEqual([{ level: 'info' }]);
  });

  test('failures of several regions are all told', async () => {
    simulator.fault({
      service: 'logs',
      region: 'us-east-1',
      effect: { kind: 'error', status: 400, code: 'AccessDeniedException', message: 'not you' },
    });
    simulator.fault({ service: 'logs', region: 'eu-west-1', effect: { kind: 'error', status: 503 } });
    const error = await failure(allRecords(cloudwatchLogsSource([connect()]), scanRequest([])));
    expect(error.message).toMatch(/, and 1 more failure$/);
    expect(error.detail).toContain('us-east-1');
    expect(error.detail).toContain('eu-west-1');
  });

  test('partial: what fails is a warning, and the rest is returned', async () => {
    simulator.fault({
      service: 'logs',
      region: 'us-east-1',
      effect: { kind: 'error', status: 400, code: 'AccessDeniedException' },
    });
    const context = testContext({ partial: true });
    expect(ids(await allRecords(cloudwatchLogsSource([connect()]), scanRequest([]), context))).toEqual(['e']);
    expect(context.notices.map(({ severity }) => severity)).toEqual(['WARNING']);
  });

  test.each([
    ['AccessDeniedException', 400, 'credentials', false],
    ['ExpiredTokenException', 400, 'credentials', false],
    ['UnrecognizedClientException', 400, 'credentials', false],
    ['ThrottlingException', 400, 'throttled', true],
    ['InvalidParameterException', 400, 'invalid_request', false],
    ['ServiceUnavailableException', 503, 'unreachable', true],
  ] as const)('%s (%i) is of kind %s', async (code, status, kind, retryable) => {
    simulator.fault({ service: 'logs', effect: { kind: 'error', status, code, message: 'as the service says' } });
    const source = cloudwatchLogsSource([connect({ regions: ['us-east-1'], logGroups: ['trail/all'] })]);
    const error = await failure(allRecords(source, scanRequest([])));
    expect([error.kind, error.retryable, error.connection]).toEqual([kind, retryable, 'aws']);
    expect(`${error.message} ${error.detail ?? ''}`).toContain('us-east-1');
    expect(`${error.message} ${error.detail ?? ''} ${error.hint ?? ''}`).not.toContain(SECRET);
  });

  test.each([['html'], ['invalid_json']] as const)('an answer that is %s is nonsense', async (kind) => {
    simulator.fault({ service: 'logs', effect: { kind } });
    const source = cloudwatchLogsSource([connect({ regions: ['us-east-1'], logGroups: ['trail/all'] })]);
    expect((await failure(allRecords(source, scanRequest([])))).kind).toBe('nonsense');
  });

  test('what is asked for besides kept rows tells of all that the statement looks at', async () => {
    const source = cloudwatchLogsSource([connect({ regions: ['us-east-1'], logGroups: ['trail/all'] })]);
    const whole = scanRequest([predicate(EVENT_TIME, '>=', String(START))]);
    const rest = scanRequest([predicate(EVENT_TIME, '>=', String(START + 3 * 60_000))]);
    const told = async (request: ScanRequest): Promise<readonly string[]> => {
      const context = testContext();
      await allRecords(source, request, context);
      return context.places;
    };
    expect(await told({ ...rest, restOf: whole })).toEqual(await told(whole));
    expect(await told(rest)).not.toEqual(await told(whole));
  });

  test('a connection that breaks midway is tried again, and no event is lost or doubled', async () => {
    simulator.fault({ service: 'logs', effect: { kind: 'close_midway' } });
    simulator.fault({ service: 'logs', effect: { kind: 'close_socket' } });
    const source = cloudwatchLogsSource([connect({ regions: ['us-east-1'], logGroups: ['trail/all'] })]);
    expect(ids(await allRecords(source, scanRequest([]), testContext({ attempts: 3 })))).toEqual(['a', 'b', 'c', 'd']);
  });

  test('nobody listens: unreachable, said at once', async () => {
    const source = cloudwatchLogsSource([
      connect({ endpointUrl: 'http://127.0.0.1:1', logGroups: ['x'], regions: ['us-east-1'] }),
    ]);
    const error = await failure(allRecords(source, scanRequest([])));
    expect([error.kind, error.retryable]).toEqual(['unreachable', false]);
    expect(error.message).toContain('ECONNREFUSED');
  });

  test('a misspelt region is named before any call', async () => {
    const source = cloudwatchLogsSource([connect({ regions: ['us_east'], logGroups: ['x'], region: undefined })]);
    const error = await failure(allRecords(source, scanRequest([])));
    expect(error.message).toContain('"us_east"');
    expect(operations()).toEqual([]);
  });

  test('no trail names a log group: said, with what to configure', async () => {
    const source = cloudwatchLogsSource([
      connect({ name: 'other', credentials: { accessKeyId: 'AKIAOTHER', secretAccessKey: 'x' } }),
    ]);
    const error = await failure(allRecords(source, scanRequest([])));
    expect(error.kind).toBe('not_found');
    expect(error.hint).toContain('connections.other.log_groups');
  });

  test('a connection that may not list regions reads its own, and says so each time', async () => {
    simulator.fault({
      service: 'account',
      times: 1,
      effect: { kind: 'error', status: 403, code: 'AccessDeniedException' },
    });
    const source = cloudwatchLogsSource([connect()]);
    for (const _time of [1, 2]) {
      const context = testContext();
      expect(ids(await allRecords(source, scanRequest([]), context))).toEqual(['a', 'b', 'c', 'd']);
      expect(context.notices.filter(({ severity }) => severity === 'WARNING')).toHaveLength(1);
    }
  });
});

describe('stopping', () => {
  test('an abort ends requests in flight and starts none', async () => {
    simulator.fault({ service: 'logs', operation: 'FilterLogEvents', times: Infinity, effect: { kind: 'hang' } });
    const context = testContext();
    const reading = allRecords(cloudwatchLogsSource([connect()]), scanRequest([]), context);
    reading.catch(() => {});
    await simulator.calls.until((calls) => calls.count({ operation: 'FilterLogEvents' }) === 2);
    const reason = new Error('canceling statement due to user request');
    context.abort(reason);
    await expect(reading).rejects.toBe(reason);
    await simulator.calls.until((calls) => calls.count({ state: 'open' }) === 0);
    expect(simulator.calls.count({ operation: 'FilterLogEvents', state: 'aborted' })).toBe(2);
    expect(simulator.calls.count({ operation: 'FilterLogEvents' })).toBe(2);
  });

  test('a consumer that stops early stops the requests that its scan has in flight', async () => {
    simulator.fault({ service: 'logs', region: 'eu-west-1', operation: 'FilterLogEvents', effect: { kind: 'hang' } });
    for await (const page of cloudwatchLogsSource([connect()]).scan(scanRequest([]), testContext())) {
      if (page.records.length === 0) continue;
      await simulator.calls.until((calls) => calls.count({ operation: 'FilterLogEvents', region: 'eu-west-1' }) === 1);
      break;
    }
    await simulator.calls.until((calls) => calls.count({ state: 'open' }) === 0);
    expect(simulator.calls.count({ operation: 'FilterLogEvents', region: 'eu-west-1', state: 'aborted' })).toBe(1);
  });
});

test('pages are read until there is no token, empty ones included', async () => {
  const source = cloudwatchLogsSource([connect({ regions: ['us-east-1'], logGroups: ['trail/all'] })]);
  const pages = await allPages(source, scanRequest([predicate(EVENT_NAME, '=', 'DeleteUser')]), testContext());
  expect(pages.flatMap(({ records }) => ids(records))).toEqual(['d']);
  expect(pages.every(({ bytes }) => bytes > 0)).toBe(true);
});

test('what may be NULL is in no order in which NULLs come first', () => {
  const source = cloudwatchLogsSource([connect()]);
  const by = (of: Column, nulls: 'first' | 'last', ...known: Predicate[]) =>
    source.plan(scanRequest(known, { order: { column: of, direction: 'desc', nulls } })).order;
  expect(by(TIMESTAMP, 'first')).toBe('exact');
  expect(by(EVENT_TIME, 'last')).toBe('exact');
  expect(by(EVENT_TIME, 'first')).toBe('none');
  expect(by(EVENT_TIME, 'first', predicate(EVENT_TIME, '>=', String(START)))).toBe('exact');
  expect(by(EVENT_NAME, 'last')).toBe('none');
});

test('an event_time of the oldest is in order where the connection says how late events come', () => {
  const order = { column: EVENT_TIME, direction: 'asc', nulls: 'last' } as const;
  expect(cloudwatchLogsSource([connect()]).plan(scanRequest([], { order })).order).toBe('exact');
  const late = cloudwatchLogsSource([connect({ deliverySlackMs: 'none' })]);
  expect(late.plan(scanRequest([], { order })).order).toBe('none');
});

test('a few pages are read whole, in whatever order', async () => {
  const order = { column: TIMESTAMP, direction: 'desc', nulls: 'first' } as const;
  const source = cloudwatchLogsSource([connect({ regions: ['us-east-1'], logGroups: ['trail/all'] })]);
  const pages = await allPages(source, scanRequest([], { order }), testContext());
  expect(pages.flatMap(({ records }) => ids(records)).sort()).toEqual(['a', 'b', 'c', 'd']);
  expect(pages.map(({ reached }) => reached)).toEqual([undefined]);
});

describe('many pages', () => {
  const COUNT = 20_000;
  let many: Simulator;
  let of: AwsConnection;
  beforeEach(async () => {
    many = await startSimulator({
      world: singleLogGroup({ synthetic: { count: COUNT, from: START, to: START + 3_600_000 } }),
    });
    of = createAwsConnection({
      name: 'aws',
      endpointUrl: many.url,
      credentials: { accessKeyId: 'AKIAAUDIT', secretAccessKey: 'x' },
      regions: ['us-east-1'],
      logGroups: ['CloudTrail/GlobalServiceEvents'],
    });
  });
  afterEach(async () => {
    of.close();
    await many.close();
  });

  const bounds = (from: number, to: number) => [
    predicate(TIMESTAMP, '>=', String(from)),
    predicate(TIMESTAMP, '<=', String(to)),
  ];
  const filterCalls = () => many.calls.count({ operation: 'FilterLogEvents' });

  test('are read in shards at once, each event once', async () => {
    const records = await allRecords(cloudwatchLogsSource([of]), scanRequest(bounds(START, START + 2 * 3_600_000)));
    expect(records).toHaveLength(COUNT);
    expect(new Set(ids(records)).size).toBe(COUNT);
    // A page of each shard is not whole, and the first page is asked for again.
    expect(filterCalls()).toBeLessThanOrEqual(45);
  });

  test('are asked for at once, the more the longer they take', async () => {
    many.setLatency('logs', 300);
    const scanned = await allRecords(cloudwatchLogsSource([of]), scanRequest(bounds(START, START + 2 * 3_600_000)));
    expect(scanned).toHaveLength(COUNT);
    expect(many.calls.maxConcurrency('logs')).toBeGreaterThanOrEqual(4);
  });

  test('of a range that nothing bounds are found in a few steps, and what they cost is told', async () => {
    const context = testContext();
    const records = await allRecords(cloudwatchLogsSource([of]), scanRequest([]), context);
    expect(new Set(ids(records)).size).toBe(COUNT);
    expect(records).toHaveLength(COUNT);
    expect(context.notices.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^log group CloudTrail\/GlobalServiceEvents in us-east-1 has \d+ MB stored of \d+ days: all of it takes \d+ requests or more, 1 minutes at 5 a second/,
      ),
    ]);
    expect(many.calls.count({ operation: 'DescribeLogGroups' })).toBe(1);
  });

  test('of which a LIMIT needs one are asked for one by one', async () => {
    const request = scanRequest(bounds(START, START + 2 * 3_600_000), { limit: 1_000 });
    const records = await allRecords(cloudwatchLogsSource([of]), request);
    expect(records).toHaveLength(1_000);
    expect(filterCalls()).toBeLessThanOrEqual(2);
  });

  test('some of which fail are one log group whose rows are missing', async () => {
    const context = testContext({ partial: true });
    many.setLatency('logs', 300);
    const scanned = allRecords(cloudwatchLogsSource([of]), scanRequest(bounds(START, START + 2 * 3_600_000)), context);
    await many.calls.until((log) => log.open('logs') === 1);
    many.fault({ service: 'logs', operation: 'FilterLogEvents', times: 3, effect: { kind: 'error', status: 400 } });
    expect((await scanned).length).toBeLessThan(COUNT);
    expect(context.notices).toMatchObject([
      { message: expect.stringMatching(/^1 of 1 log groups could not be read, their rows are missing: /) as string },
    ]);
  });

  test('are read in pieces, newest first, each of which says how far they have come', async () => {
    const order = { column: TIMESTAMP, direction: 'desc', nulls: 'first' } as const;
    const request = scanRequest(bounds(START, START + 2 * 3_600_000), { order });
    const source = cloudwatchLogsSource([of]);
    expect(source.plan(request).order).toBe('exact');
    const records: SourceRecord[] = [];
    let reached = Number.POSITIVE_INFINITY;
    for await (const page of source.scan(request, testContext())) {
      for (const { added } of page.records) expect(added['timestamp']).toBeLessThanOrEqual(reached);
      records.push(...page.records);
      if (page.reached === undefined) continue;
      for (const { added } of records) expect(added['timestamp']).toBeGreaterThan(page.reached);
      reached = page.reached;
    }
    expect(new Set(ids(records)).size).toBe(COUNT);
    expect(records).toHaveLength(COUNT);
    expect(filterCalls()).toBeLessThanOrEqual(55);
  });

  test('of which the newest are enough are not read but for a few', async () => {
    const order = { column: TIMESTAMP, direction: 'desc', nulls: 'first' } as const;
    const request = scanRequest([predicate(TIMESTAMP, '<=', String(START + 3_600_000))], { order });
    for await (const { reached } of cloudwatchLogsSource([of]).scan(request, testContext())) {
      if (reached !== undefined && reached < START + 3_500_000) break;
    }
    expect(filterCalls()).toBeLessThanOrEqual(4);
  });

  test('of which the newest are enough are found where nothing has come for weeks', async () => {
    const order = { column: EVENT_TIME, direction: 'desc', nulls: 'last' } as const;
    // Clocks differ by five minutes at most.
    for await (const { reached } of cloudwatchLogsSource([of]).scan(scanRequest([], { order }), testContext())) {
      if (reached !== undefined && reached < START + 3_600_000) break;
    }
    // As many as the days since the events make it: from 23 to 47.
    expect(filterCalls()).toBeLessThanOrEqual(60);
  });

  test('of which the oldest are enough neither', async () => {
    const order = { column: TIMESTAMP, direction: 'asc', nulls: 'last' } as const;
    const source = cloudwatchLogsSource([of]);
    for await (const { reached } of source.scan(scanRequest([], { order }), testContext())) {
      if (reached === undefined) continue;
      expect(reached).toBeLessThan(START + 600_000);
      break;
    }
    expect(filterCalls()).toBeLessThanOrEqual(4);
  });

  test('one of which fails fail the scan, and nothing starts after it', async () => {
    many.fault({ service: 'logs', operation: 'FilterLogEvents', times: 1, effect: { kind: 'error', status: 400 } });
    const scanned = allRecords(cloudwatchLogsSource([of]), scanRequest(bounds(START, START + 2 * 3_600_000)));
    await failure(scanned);
    const calls = filterCalls();
    await many.calls.until((log) => log.open('logs') === 0);
    expect(filterCalls()).toBe(calls);
  });
});
