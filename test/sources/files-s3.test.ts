import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import type { FaultEffect } from '../../src/simulator/control/fault.ts';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.ts';
import type { Bucket } from '../../src/simulator/world.ts';
import { createAwsConnection } from '../../src/sources/aws/connection.ts';
import { s3ObjectStore } from '../../src/sources/aws/s3/object-store.ts';
import { filesSource } from '../../src/sources/files/source.ts';
import type { Predicate } from '../../src/sources/source.ts';
import { allRecords, column, failure, predicate, scanRequest, testContext } from '../support/source-harness.ts';

const EVENT_ID = column('event_id', 'eventID');
const PATH = column('path', '@path');
const REGION = column('region', '@region');
const ACCOUNT_ID = column('account_id', '@account_id');
const EVENT_TIME = column('event_time', 'eventTime', 'timestamp with time zone');

const HUB = '111122223333';
const SPOKE = '444455556666';

let closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing) await close();
  closing = [];
});

interface Setting {
  readonly buckets: readonly Bucket[];
  readonly paths: readonly string[];
  readonly pageSize?: number;
}

const event = (eventID: string, more: object = {}) => ({ eventID, eventTime: '2026-11-20T10:00:00Z', ...more });
const records = (...ids: readonly string[]) => JSON.stringify({ Records: ids.map((id) => event(id)) });
const gzipped = (text: string) => gzipSync(text).toString('base64');

/** A bucket of these objects, `evidence` in us-east-1. */
function bucket(objects: Readonly<Record<string, string>>): Bucket {
  return {
    name: 'evidence',
    region: 'us-east-1',
    objects: Object.entries(objects).map(([key, text]) => ({ key, text })),
  };
}

async function setUp({ buckets, paths, pageSize }: Setting) {
  const simulator = await startSimulator({
    s3: { pageSize },
    world: { accounts: [{ accountId: HUB, regions: [{ name: 'us-east-1' }, { name: 'eu-west-1' }], buckets }] },
  });
  const connection = createAwsConnection({
    name: 'evidence',
    endpointUrl: simulator.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example' },
  });
  closing.push(
    () => connection.close(),
    () => simulator.close(),
  );
  const source = filesSource([{ name: 'evidence', paths, deliverySlackMs: 86_400_000 }], () =>
    s3ObjectStore(connection),
  );
  return { simulator, source };
}

/** Ids of the events, and what it took. */
async function read(
  { simulator, source }: Awaited<ReturnType<typeof setUp>>,
  predicates: readonly Predicate[] = [],
  context = testContext(),
) {
  simulator.calls.reset();
  const found = await allRecords(
    source,
    scanRequest(predicates, { table: 'cloudtrail_file_event', columns: [EVENT_ID] }),
    context,
  );
  return {
    ids: found.map(({ value }) => (value as { eventID: string }).eventID).sort(),
    found,
    notices: context.notices.map(({ severity, message }) => `${severity}: ${message}`),
    got: keysOf(simulator, 'GetObject'),
    listed: keysOf(simulator, 'ListObjectsV2'),
  };
}

function keysOf(simulator: Simulator, operation: string): readonly string[] {
  return simulator.calls.all.flatMap((call) => (call.operation === operation ? [call.key ?? ''] : [])).sort();
}

describe('which objects are read', () => {
  const objects = {
    'a.json': records('a'),
    'b/b.json': records('b'),
    'b/c/': '',
    'b/c/c d+é.jsonl': records('c'),
    'b/c/readme.txt': 'no evidence',
    'bb.json': records('bb'),
    'empty.json': '',
  };

  test.each<[readonly string[], readonly string[]]>([
    [['s3://evidence'], ['a', 'b', 'bb', 'c']],
    [['s3://evidence/'], ['a', 'b', 'bb', 'c']],
    [['s3://evidence/b/'], ['b', 'c']],
    [['s3://evidence/b'], ['b', 'bb', 'c']],
    [['s3://evidence/a.json'], ['a']],
    [['s3://evidence/*.json'], ['a', 'bb']],
    [['s3://evidence/b/*/c*'], ['c']],
    [['s3://evidence/**/b.json'], ['b']],
    [['s3://evidence/{a,bb}.json'], ['a', 'bb']],
    [
      ['s3://evidence/b/c/', 's3://evidence/b', 's3://evidence/**/*.jsonl', 's3://evidence/b'],
      ['b', 'bb', 'c'],
    ],
  ])('%j leads to %j, each object once', async (paths, expected) => {
    expect((await read(await setUp({ buckets: [bucket(objects)], paths, pageSize: 2 }))).ids).toEqual(expected);
  });

  test('objects that do not look like evidence are counted, and those without a byte not asked for', async () => {
    const { notices, got } = await read(await setUp({ buckets: [bucket(objects)], paths: ['s3://evidence'] }));
    expect(notices).toEqual([
      'NOTICE: 1 files were not read, as their names end in none of .json, .jsonl, .ndjson, .gz, .zst; the first: s3://evidence/b/c/readme.txt',
    ]);
    expect(got).toEqual([
      's3://evidence/a.json',
      's3://evidence/b/b.json',
      's3://evidence/b/c/c d+é.jsonl',
      's3://evidence/bb.json',
    ]);
  });

  test('a prefix that no key has fails, a glob without an object is told', async () => {
    const none = await setUp({ buckets: [bucket(objects)], paths: ['s3://evidence/a.json', 's3://evidence/none/'] });
    expect(await failure(read(none))).toMatchObject({
      kind: 'not_found',
      message: 'no key begins with s3://evidence/none/',
    });
    const glob = await setUp({ buckets: [bucket(objects)], paths: ['s3://evidence/*.gz', 's3://evidence/b/c/r'] });
    expect((await read(glob)).notices).toContain('NOTICE: no file matches s3://evidence/*.gz, s3://evidence/b/c/r');
  });

  test('an object that has changed is read again', async () => {
    const first = await setUp({ buckets: [bucket({ 'a.json': records('a') })], paths: ['s3://evidence'] });
    expect((await read(first)).ids).toEqual(['a']);
    expect((await read(first)).got).toHaveLength(1);
  });
});

describe('the folders of trails', () => {
  const at = (text: string) => String(Date.parse(text));
  const days = ['2026-11-18', '2026-11-19', '2026-11-20', '2026-11-21'];
  const trail = (organizationId?: string): Bucket => ({
    name: 'trail',
    region: 'eu-west-1',
    trails: [
      {
        prefix: 'logs',
        organizationId,
        delivery: { maxDelayMs: 0 },
        records: [HUB, SPOKE].flatMap((recipientAccountId) =>
          ['us-east-1', 'eu-west-1'].flatMap((awsRegion) =>
            days.map((day) => ({
              eventID: `${recipientAccountId.slice(0, 1)}-${awsRegion}-${day.slice(8)}`,
              eventTime: `${day}T10:00:00Z`,
              awsRegion,
              recipientAccountId,
            })),
          ),
        ),
      },
    ],
  });

  test('without conditions all keys are listed, a thousand a call, and digests passed over', async () => {
    const { ids, listed, got } = await read(await setUp({ buckets: [trail()], paths: ['s3://trail/logs/'] }));
    expect([ids.length, got.length]).toEqual([16, 16]);
    expect(listed).toEqual(['s3://trail/logs/', 's3://trail/logs/']);
  });

  test.each([undefined, 'o-abcdefghij'])(
    'account, region and days choose the folders (organisation %s)',
    async (id) => {
      const root = `s3://trail/logs/AWSLogs/${id === undefined ? '' : `${id}/`}`;
      const { ids, got, listed } = await read(await setUp({ buckets: [trail(id)], paths: ['s3://trail/logs/'] }), [
        predicate(ACCOUNT_ID, '=', SPOKE),
        predicate(REGION, '=', 'us-east-1'),
        predicate(EVENT_TIME, '>=', at('2026-11-20T00:10:00Z')),
      ]);
      expect(ids).toEqual(['4-us-east-1-20', '4-us-east-1-21']);
      expect(got.length).toBe(2);
      const below = `${root}${SPOKE}/`;
      expect([...new Set(listed)]).toEqual(
        [
          's3://trail/logs/',
          's3://trail/logs/AWSLogs/',
          ...(id === undefined ? [] : [root]),
          below,
          `${below}CloudTrail/`,
          `${below}CloudTrail/us-east-1/`,
          `${below}CloudTrail/us-east-1/2026/`,
          `${below}CloudTrail/us-east-1/2026/11/`,
          `${below}CloudTrail/us-east-1/2026/11/20/`,
          `${below}CloudTrail/us-east-1/2026/11/21/`,
        ].sort(),
      );
    },
  );

  test('an upper bound leaves a day for late delivery', async () => {
    const { ids } = await read(await setUp({ buckets: [trail()], paths: ['s3://trail'] }), [
      predicate(ACCOUNT_ID, '=', HUB),
      predicate(REGION, '=', 'eu-west-1'),
      predicate(EVENT_TIME, '<', at('2026-11-18T12:00:00Z')),
    ]);
    expect(ids).toEqual(['1-eu-west-1-18', '1-eu-west-1-19']);
  });

  test('a path that is asked for is found without listing others', async () => {
    const set = await setUp({ buckets: [trail()], paths: ['s3://trail'] });
    const like = 's3://trail/logs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/20/%';
    const { ids, got, found } = await read(set, [predicate(PATH, 'like', like)]);
    expect(ids).toEqual(['1-eu-west-1-20']);
    expect(found[0]?.added).toMatchObject({ path: got[0], region: 'eu-west-1', account_id: HUB, file_line: 1 });
    expect((await read(set, [predicate(PATH, '=', got[0] ?? '')])).ids).toEqual(['1-eu-west-1-20']);
    expect((await read(set, [predicate(PATH, 'like', '/elsewhere/%')])).listed).toEqual([]);
  });

  test('the plan says what it costs', async () => {
    const { source } = await setUp({ buckets: [], paths: ['s3://trail/'] });
    expect(source.plan(scanRequest([], { table: 'cloudtrail_file_event', columns: [EVENT_ID] }))).toMatchObject({
      parts: ['connection evidence, s3://trail/'],
      calls: expect.stringContaining('one for each 1,000 keys') as string,
    });
  });

  test('a bucket is asked in its own region, which is found out once', async () => {
    const set = await setUp({ buckets: [trail()], paths: ['s3://trail/logs/'] });
    await read(set);
    expect(set.simulator.calls.all.map(({ region, status }) => `${region} ${status}`).slice(0, 2)).toEqual([
      'us-east-1 301',
      'eu-west-1 200',
    ]);
    await read(set);
    expect(set.simulator.calls.count({ region: 'us-east-1' })).toBe(0);
  });
});

describe('large and many objects', () => {
  const large = JSON.stringify({
    Records: Array.from({ length: 4_000 }, (_, index) => ({ ...event(String(index)), x: 'x'.repeat(1_000) })),
  });

  test('an object is read in parts of 1 MiB, of the same object', async () => {
    const set = await setUp({ buckets: [bucket({ 'a.json': large })], paths: ['s3://evidence'] });
    const { ids, got } = await read(set);
    expect([ids.length, got.length]).toEqual([4_000, Math.ceil(large.length / 2 ** 20)]);
  });

  test('a part that breaks off midway is asked for again, and no event comes twice', async () => {
    const set = await setUp({ buckets: [bucket({ 'a.json': large })], paths: ['s3://evidence'] });
    set.simulator.fault({ service: 's3', operation: 'GetObject', times: 3, effect: { kind: 'close_midway' } });
    const { ids } = await read(set, [], testContext({ attempts: 5 }));
    expect(ids).toEqual(Array.from({ length: 4_000 }, (_, index) => String(index)).sort());
    expect(set.simulator.calls.count({ operation: 'GetObject', state: 'dropped' })).toBe(3);
  });

  test('32 objects are asked for at once', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`${index}.json`, records(String(index))]),
    );
    const set = await setUp({ buckets: [bucket(many)], paths: ['s3://evidence'] });
    const reading = read(set);
    await set.simulator.calls.until((calls) => calls.count({ operation: 'ListObjectsV2' }) > 0);
    const release = set.simulator.hold('s3');
    await set.simulator.calls.until((calls) => calls.open('s3') >= 32);
    release();
    expect((await reading).ids).toHaveLength(100);
    // Beside those that wait: the eight that are being read, and a page of keys.
    expect(set.simulator.calls.maxConcurrency('s3')).toBeLessThanOrEqual(41);
  });

  test('a limit stops the reading: no request is left, none begins', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`${index}.json`, records(String(index))]),
    );
    const { simulator, source } = await setUp({ buckets: [bucket(many)], paths: ['s3://evidence'] });
    simulator.setLatency('s3', 20);
    const request = scanRequest([], { limit: 3, table: 'cloudtrail_file_event', columns: [EVENT_ID] });
    expect(await allRecords(source, request)).toHaveLength(3);
    // What was on its way to the simulator when its client closed the connection is counted there all the same.
    await expect.poll(() => simulator.calls.count({ operation: 'GetObject', state: 'open' })).toBe(0);
    expect(simulator.calls.count({ operation: 'GetObject' })).toBeLessThan(100);
  });

  test('an abort ends what is in flight, and nothing begins after it', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`${index}.json`, records(String(index))]),
    );
    const { simulator, source } = await setUp({ buckets: [bucket(many)], paths: ['s3://evidence'] });
    simulator.fault({ service: 's3', operation: 'GetObject', times: Infinity, effect: { kind: 'hang' } });
    const context = testContext();
    const reading = failureOf(
      allRecords(source, scanRequest([], { table: 'cloudtrail_file_event', columns: [EVENT_ID] }), context),
    );
    await simulator.calls.until((calls) => calls.count({ operation: 'GetObject' }) >= 32);
    context.abort(new Error('cancelled'));
    expect(await reading).toEqual(new Error('cancelled'));
    await simulator.calls.until((calls) => calls.open('s3') === 0);
    const { length } = simulator.calls.all;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(simulator.calls.all.length).toBe(length);
  });
});

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('what fails says what to change', () => {
  const error = (status: number, code: string, message: string): FaultEffect => ({
    kind: 'error',
    status,
    code,
    message,
  });

  test.each<[string, string, FaultEffect, object]>([
    [
      'a list that is denied',
      'ListObjectsV2',
      error(403, 'AccessDenied', 'User: arn:aws:iam::111122223333:user/x is not authorized to perform: s3:ListBucket'),
      {
        kind: 'credentials',
        message: 'connection evidence may not call s3:ListBucket on s3://evidence/',
        detail: expect.stringContaining('is not authorized to perform: s3:ListBucket') as string,
        hint: "Allow s3:ListBucket on arn:aws:s3:::evidence to the connection's identity, by its policies and the bucket's.",
      },
    ],
    [
      'an object that is denied',
      'GetObject',
      error(403, 'AccessDenied', 'Access Denied'),
      {
        kind: 'credentials',
        message: 'connection evidence may not call s3:GetObject on s3://evidence/a.json',
        hint: expect.stringContaining('Allow s3:GetObject on arn:aws:s3:::evidence/*') as string,
      },
    ],
    [
      'a key that is denied',
      'GetObject',
      error(403, 'AccessDenied', 'User: x is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:y'),
      {
        kind: 'credentials',
        message: 'connection evidence may not decrypt s3://evidence/a.json',
        hint: expect.stringContaining('Allow kms:Decrypt') as string,
      },
    ],
    [
      'a key that is disabled',
      'GetObject',
      error(400, 'KMS.DisabledException', 'arn:aws:kms:y is disabled.'),
      { message: 'the key that s3://evidence/a.json is encrypted by cannot be used: KMS.DisabledException' },
    ],
    [
      'credentials that are refused',
      'ListObjectsV2',
      error(403, 'InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.'),
      { kind: 'credentials', message: 'the credentials of connection evidence are refused by s3 in us-east-1' },
    ],
    [
      'an object that was replaced',
      'GetObject',
      error(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold'),
      { message: 's3://evidence/a.json was replaced while it was read', hint: 'Run the statement again.' },
    ],
    ['a service that throttles', 'GetObject', { kind: 'throttle' }, { kind: 'throttled', retryable: true }],
    ['a page of a proxy in place of a list', 'ListObjectsV2', { kind: 'html' }, { kind: 'nonsense' }],
    ['a page of a proxy in place of an object', 'GetObject', { kind: 'html' }, { kind: 'nonsense' }],
    [
      'a service that closes its connections',
      'ListObjectsV2',
      { kind: 'close_socket' },
      { kind: 'unreachable', retryable: true },
    ],
  ])('%s', async (_name, operation, effect, expected) => {
    const set = await setUp({ buckets: [bucket({ 'a.json': records('a') })], paths: ['s3://evidence'] });
    set.simulator.fault({ service: 's3', operation, times: Infinity, effect });
    expect(await failure(read(set))).toMatchObject(expected);
  });

  test('objects that cannot be read are counted where partial answers are taken, and the others are there', async () => {
    const names = ['denied', 'encrypted', 'gone', 'emptied', 'throttled', 'broken', 'good'];
    const objects = Object.fromEntries(names.map((name) => [`${name}.json`, records(name)]));
    const set = await setUp({ buckets: [bucket(objects)], paths: ['s3://evidence'] });
    const effects: Readonly<Record<string, FaultEffect>> = {
      denied: error(403, 'AccessDenied', 'Access Denied'),
      encrypted: error(403, 'AccessDenied', 'User: x is not authorized to perform: kms:Decrypt on resource: y'),
      gone: error(404, 'NoSuchKey', 'The specified key does not exist.'),
      emptied: error(416, 'InvalidRange', 'The requested range is not satisfiable'),
      throttled: { kind: 'throttle' },
      broken: { kind: 'close_midway' },
    };
    for (const [name, effect] of Object.entries(effects)) {
      const key = `s3://evidence/${name}.json`;
      set.simulator.fault({ service: 's3', operation: 'GetObject', key, times: Infinity, effect });
    }
    const { ids, notices } = await read(set, [], testContext({ partial: true }));
    expect([ids, notices]).toEqual([
      ['good'],
      [
        expect.stringMatching(
          /^WARNING: 6 files of cloudtrail_file_event could not be read, or not to their end; the first: /,
        ),
      ],
    ]);
    const emptied = read(set, [predicate(PATH, '=', 's3://evidence/emptied.json')]);
    expect((await failure(emptied)).message).toBe('s3://evidence/emptied.json was replaced while it was read');
  });

  test('a bucket that does not exist, and an object that is archived', async () => {
    const none = await setUp({ buckets: [], paths: ['s3://evidence'] });
    expect(await failure(read(none))).toMatchObject({ kind: 'not_found', message: 'bucket evidence does not exist' });
    const archived: Bucket = {
      name: 'evidence',
      region: 'us-east-1',
      objects: [
        { key: 'a.json', text: records('a') },
        { key: 'old.json.gz', base64: gzipped(records('old')), storageClass: 'DEEP_ARCHIVE' },
      ],
    };
    const set = await setUp({ buckets: [archived], paths: ['s3://evidence'] });
    expect(await failure(read(set))).toMatchObject({
      message: 's3://evidence/old.json.gz is archived and cannot be read',
    });
    const { ids, notices } = await read(set, [], testContext({ partial: true }));
    expect([ids, notices]).toEqual([
      ['a'],
      [
        'WARNING: 1 files of cloudtrail_file_event could not be read, or not to their end; the first: s3://evidence/old.json.gz is archived and cannot be read',
      ],
    ]);
  });
});
