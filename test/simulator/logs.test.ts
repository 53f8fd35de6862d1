import {
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  paginateFilterLogEvents,
} from '@aws-sdk/client-cloudwatch-logs';
import type { FilteredLogEvent, FilterLogEventsCommandInput } from '@aws-sdk/client-cloudwatch-logs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { SYNTHETIC_DELAY_MS, SyntheticEvents, syntheticAddress } from '../../src/simulator/logs/synthetic-events.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { singleLogGroup } from '../../src/simulator/world.ts';
import type { LogEvents } from '../../src/simulator/world.ts';
import { logsClient } from './clients.ts';

const GROUP = 'CloudTrail/GlobalServiceEvents';
const T0 = Date.UTC(2026, 10, 21, 12);

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function simulate(events: LogEvents, options: Omit<SimulatorOptions, 'world'> = {}) {
  return start({ world: singleLogGroup(events), ...options });
}

async function start(options: SimulatorOptions) {
  const simulator = await startSimulator(options);
  cleanUp.push(() => simulator.close());
  return simulator;
}

function clientOf(simulator: Simulator, options: Parameters<typeof logsClient>[1] = {}) {
  const client = logsClient(simulator.url, options);
  cleanUp.push(() => {
    client.destroy();
  });
  return client;
}

/** All pages, by the SDK's own paginator. */
async function scan(simulator: Simulator, input: Partial<FilterLogEventsCommandInput> = {}) {
  const pages: FilteredLogEvent[][] = [];
  const pagination = paginateFilterLogEvents({ client: clientOf(simulator) }, { logGroupName: GROUP, ...input });
  for await (const page of pagination) pages.push(page.events ?? []);
  return { pages, events: pages.flat() };
}

/** One record a second from T0, delivered without delay. */
function records(count: number, extra: (index: number) => object = () => ({})): LogEvents {
  return {
    delivery: { maxDelayMs: 0 },
    records: Array.from({ length: count }, (_, index) => ({
      eventTime: new Date(T0 + index * 1_000).toISOString().replace('.000', ''),
      eventName: index % 10 === 0 ? 'CreateUser' : 'ListBuckets',
      index,
      ...extra(index),
    })),
  };
}

const indexOf = (event: FilteredLogEvent): number => (JSON.parse(event.message ?? '') as { index: number }).index;

describe('FilterLogEvents', () => {
  it('gives every event once, in order of time, over as many pages as the limit makes', async () => {
    const { pages, events } = await scan(await simulate(records(25)), { limit: 10 });
    expect(pages.map((page) => page.length)).toEqual([10, 10, 5]);
    expect(events.map(indexOf)).toEqual(Array.from({ length: 25 }, (_, index) => index));
    expect(new Set(events.map((event) => event.eventId)).size).toBe(25);
    expect(events.every((event) => /^\d{56}$/.test(event.eventId ?? ''))).toBe(true);
    expect(events[3]).toMatchObject({
      timestamp: T0 + 3_000,
      logStreamName: '111122223333_CloudTrail_us-east-1',
    });
  });

  it('takes startTime and endTime to the millisecond, both inclusive', async () => {
    const simulator = await simulate(records(10));
    const found = async (startTime: number, endTime: number) =>
      (await scan(simulator, { startTime, endTime })).events.map(indexOf);
    expect(await found(T0 + 2_000, T0 + 4_000)).toEqual([2, 3, 4]);
    expect(await found(T0 + 2_001, T0 + 3_999)).toEqual([3]);
    expect(await found(T0 + 2_001, T0 + 2_999)).toEqual([]);
  });

  it('gives the newest first with startFromHead false, which needs a startTime since 2024', async () => {
    const simulator = await simulate(records(5));
    // By hand: the SDK's version here does not know the member yet and would drop it.
    const ask = async (input: object) => {
      const response = await fetch(simulator.url, {
        method: 'POST',
        headers: {
          'x-amz-target': 'Logs_20140328.FilterLogEvents',
          authorization: 'AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261121/us-east-1/logs/aws4_request, Signature=0',
        },
        body: JSON.stringify({ logGroupName: GROUP, startFromHead: false, ...input }),
      });
      return (await response.json()) as { events?: FilteredLogEvent[]; nextToken?: string; __type?: string };
    };
    const first = await ask({ startTime: T0 + 1_000, limit: 2 });
    const second = await ask({ startTime: T0 + 1_000, limit: 2, nextToken: first.nextToken });
    expect([first, second].map((page) => page.events?.map(indexOf))).toEqual([
      [4, 3],
      [2, 1],
    ]);
    expect(second.nextToken).toBeUndefined();
    expect((await ask({})).__type).toBe('InvalidParameterException');
  });

  it('gives empty and short pages with a token where it scans without finding', async () => {
    const simulator = await simulate(records(100), { logs: { eventsScannedPerPage: 7 } });
    const { pages, events } = await scan(simulator, { filterPattern: '{ $.eventName = "CreateUser" }' });
    expect(pages.length).toBe(Math.ceil(100 / 7));
    expect(pages.some((page) => page.length === 0)).toBe(true);
    expect(events.map(indexOf)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
  });

  it('gives an empty page at each n-th request where it is told to, and loses nothing', async () => {
    const simulator = await simulate(records(30), { logs: { emptyPageEvery: 2 } });
    const { pages, events } = await scan(simulator, { limit: 10 });
    expect(pages.map((page) => page.length)).toEqual([10, 0, 10, 0, 10]);
    expect(events.map(indexOf)).toEqual(Array.from({ length: 30 }, (_, index) => index));
  });

  it('keeps a page within 1 MB of messages', async () => {
    const simulator = await simulate(records(30, () => ({ userAgent: 'é'.repeat(50_000) })));
    const { pages } = await scan(simulator);
    for (const page of pages) {
      const bytes = page.reduce((sum, event) => sum + Buffer.byteLength(event.message ?? ''), 0);
      expect(bytes).toBeLessThanOrEqual(1_048_576);
    }
    expect(pages.map((page) => page.length)).toEqual([10, 10, 10]);
  });

  it('finds what a JSON escape hides from a search in the text', async () => {
    const simulator = await simulate({ records: ['{"eventName":"Create\\u0055ser"}', '{"eventName":"Other"}'] });
    const { events } = await scan(simulator, { filterPattern: '{ $.eventName = "CreateUser" }' });
    expect(events.length).toBe(1);
  });

  it('serves files, one log stream each, and lines that are no JSON as they are', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'trailhound-simulator-'));
    cleanUp.push(() => rm(directory, { recursive: true }));
    const [plain, zipped] = [join(directory, 'a.ndjson'), join(directory, 'b.ndjson.gz')];
    await writeFile(
      plain,
      '{"eventTime":"2026-11-21T12:00:00Z","n":1}\nnot json\n\n{"eventTime":"2026-11-21 13:00:00.500","n":3}',
    );
    await writeFile(zipped, gzipSync('{"detail":{"eventTime":"2026-11-21T11:00:00Z"},"detail-type":"x"}\n{"n":5}\n'));
    // A record without a time arrives with the one before it.
    const simulator = await simulate({ files: [plain, zipped], delivery: { maxDelayMs: 0 } });
    const { events } = await scan(simulator);
    const [one, two] = ['111122223333_CloudTrail_us-east-1', '111122223333_CloudTrail_us-east-1_2'];
    const served = events.map(({ timestamp, logStreamName, message }) => [message, timestamp, logStreamName]);
    expect(new Map(served.map(([message, ...rest]) => [message, rest]))).toEqual(
      new Map<unknown, unknown[]>([
        ['{"detail":{"eventTime":"2026-11-21T11:00:00Z"},"detail-type":"x"}', [T0 - 3_600_000, two]],
        ['{"n":5}', [T0 - 3_600_000, two]],
        ['{"eventTime":"2026-11-21T12:00:00Z","n":1}', [T0, one]],
        ['not json', [T0, one]],
        ['{"eventTime":"2026-11-21 13:00:00.500","n":3}', [T0 + 3_600_500, one]],
      ]),
    );
    expect(served.length).toBe(5);
    const second = await scan(simulator, { logStreamNames: ['111122223333_CloudTrail_us-east-1_2'] });
    expect(second.events.length).toBe(2);
    const prefixed = await scan(simulator, { logStreamNamePrefix: '111122223333_CloudTrail' });
    expect(prefixed.events.length).toBe(5);
  });

  it('delivers each record late by a delay that is the same on every run', async () => {
    const world = {
      records: Array.from({ length: 50 }, (_, n) => ({ eventTime: '2026-11-21T12:00:00Z', n: `n${n * n}` })),
    };
    const delays = async () => (await scan(await simulate(world))).events.map((event) => (event.timestamp ?? 0) - T0);
    const first = await delays();
    expect(first).toEqual(await delays());
    expect(Math.min(...first)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...first)).toBeLessThanOrEqual(15 * 60_000);
    expect(new Set(first).size).toBeGreaterThan(10);
  });

  it('refuses a startup with a file that does not exist or is no gzip', async () => {
    await expect(simulate({ files: ['/does/not/exist.ndjson'] })).rejects.toMatchObject({ code: 'ENOENT' });
    const directory = await mkdtemp(join(tmpdir(), 'trailhound-simulator-'));
    cleanUp.push(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, 'a.gz'), 'plain');
    await expect(simulate({ files: [join(directory, 'a.gz')] })).rejects.toThrow(/header/);
  });

  it.each<[string, Partial<FilterLogEventsCommandInput>, string]>([
    ['an unknown log group', { logGroupName: 'nowhere' }, 'ResourceNotFoundException'],
    ['an unknown log stream', { logStreamNames: ['nowhere'] }, 'ResourceNotFoundException'],
    ['a broken pattern', { filterPattern: '{ $.a = ' }, 'InvalidParameterException'],
    ['a pattern of 1,025 characters', { filterPattern: 'a'.repeat(1_025) }, 'InvalidParameterException'],
    ['a limit of 0', { limit: 0 }, 'InvalidParameterException'],
    ['a limit of 10,001', { limit: 10_001 }, 'InvalidParameterException'],
    ['a start after the end', { startTime: 2, endTime: 1 }, 'InvalidParameterException'],
    ['streams by name and prefix', { logStreamNames: ['a'], logStreamNamePrefix: 'a' }, 'InvalidParameterException'],
    ['a token of nobody', { nextToken: 'f/eyJhIjoxfQ' }, 'InvalidParameterException'],
    ['group by name and identifier', { logGroupIdentifier: GROUP }, 'InvalidParameterException'],
  ])('refuses %s', async (_, input, name) => {
    const client = clientOf(await simulate(records(1)));
    await expect(client.send(new FilterLogEventsCommand({ logGroupName: GROUP, ...input }))).rejects.toMatchObject({
      name,
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('refuses the token of another query', async () => {
    const client = clientOf(await simulate(records(5)));
    const { nextToken } = await client.send(new FilterLogEventsCommand({ logGroupName: GROUP, limit: 2 }));
    const input = { logGroupName: GROUP, nextToken };
    expect((await client.send(new FilterLogEventsCommand(input))).events?.map(indexOf)).toEqual([2, 3, 4]);
    const other = new FilterLogEventsCommand({ ...input, startTime: 1 });
    await expect(client.send(other)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  it('takes an ARN as identifier', async () => {
    const client = clientOf(await simulate(records(2)));
    const logGroupIdentifier = `arn:aws:logs:us-east-1:111122223333:log-group:${GROUP}`;
    expect((await client.send(new FilterLogEventsCommand({ logGroupIdentifier }))).events?.length).toBe(2);
  });

  it('refuses unsigned requests, and regions that the account has not enabled', async () => {
    const simulator = await simulate(records(1));
    const unsigned = await fetch(simulator.url, {
      method: 'POST',
      headers: { 'x-amz-target': 'Logs_20140328.FilterLogEvents', 'content-type': 'application/x-amz-json-1.1' },
      body: JSON.stringify({ logGroupName: GROUP }),
    });
    expect([unsigned.status, await unsigned.json()]).toEqual([
      400,
      { __type: 'UnrecognizedClientException', message: 'The security token included in the request is invalid.' },
    ]);
    const elsewhere = clientOf(simulator, { region: 'ap-east-1' });
    await expect(elsewhere.send(new FilterLogEventsCommand({ logGroupName: GROUP }))).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
    });
  });

  it('keeps accounts and regions apart', async () => {
    const group = (index: number) => ({ name: GROUP, events: records(1, () => ({ index })) });
    const simulator = await start({
      world: {
        accounts: [
          {
            accountId: '111122223333',
            accessKeyIds: ['AKIAONE'],
            regions: [
              { name: 'us-east-1', logGroups: [group(11)] },
              { name: 'eu-west-1', logGroups: [group(12)] },
            ],
          },
          { accountId: '444455556666', regions: [{ name: 'us-east-1', logGroups: [group(21)] }] },
        ],
      },
    });
    const ask = async (accessKeyId: string, region: string) => {
      const client = clientOf(simulator, { accessKeyId, region });
      return (await client.send(new FilterLogEventsCommand({ logGroupName: GROUP }))).events?.map(indexOf);
    };
    expect(await ask('AKIAONE', 'us-east-1')).toEqual([11]);
    expect(await ask('AKIAONE', 'eu-west-1')).toEqual([12]);
    expect(await ask('AKIAANYOTHER', 'us-east-1')).toEqual([21]);
    await expect(ask('AKIAANYOTHER', 'eu-west-1')).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
  });
});

describe('synthetic events', () => {
  const synthetic = { count: 20_000, from: T0, to: T0 + 86_400_000, addresses: 100 };

  it('are served as any others, each found by what it holds', async () => {
    const simulator = await simulate({ synthetic });
    const { events } = await scan(simulator, { filterPattern: '{ $.eventName = "CreateUser" }' });
    expect(events.length).toBe(20_000 / 16);
    const parsed = events.map((event) => JSON.parse(event.message ?? '') as Record<string, string>);
    expect(new Set(parsed.map((record) => record['sourceIPAddress']))).toEqual(
      new Set(Array.from({ length: 100 }, (_, index) => syntheticAddress(index))),
    );
    expect(new Set(parsed.map((record) => record['eventID'])).size).toBe(parsed.length);
    expect(Date.parse(parsed[0]?.['eventTime'] ?? '') + SYNTHETIC_DELAY_MS).toBeLessThanOrEqual(
      events[0]?.timestamp ?? 0,
    );
  });

  it('know their size without being made', () => {
    const store = new SyntheticEvents(synthetic, 1, '111122223333', 'us-east-1', 'stream');
    for (let position = 0; position < 5_000; position += 37) {
      const message = store.message(position);
      expect(store.messageBytes(position)).toBe(Buffer.byteLength(message));
      expect((JSON.parse(store.wire(position)) as { message: string }).message).toBe(message);
    }
  });

  it('number as many as asked for, within their time', async () => {
    const simulator = await simulate({ synthetic });
    const half = await scan(simulator, { startTime: T0 + 43_200_000 + SYNTHETIC_DELAY_MS });
    expect(half.events.length).toBe(10_000);
  });
});

describe('DescribeLogGroups and DescribeLogStreams', () => {
  it('list what there is, by page, prefix and pattern', async () => {
    const names = Array.from({ length: 60 }, (_, index) => `group/${String(index).padStart(2, '0')}`);
    const logGroups = names.map((name) => ({ name, events: records(2) }));
    const simulator = await start({
      world: { accounts: [{ accountId: '111122223333', regions: [{ name: 'us-east-1', logGroups }] }] },
    });
    const client = clientOf(simulator);
    const first = await client.send(new DescribeLogGroupsCommand({}));
    const second = await client.send(new DescribeLogGroupsCommand({ nextToken: first.nextToken }));
    expect([...(first.logGroups ?? []), ...(second.logGroups ?? [])].map((group) => group.logGroupName)).toEqual(names);
    expect(second.nextToken).toBeUndefined();
    const found = async (input: object) =>
      (await client.send(new DescribeLogGroupsCommand(input))).logGroups?.map((group) => group.logGroupName);
    expect(await found({ logGroupNamePrefix: 'group/5' })).toEqual(names.slice(50));
    expect(await found({ logGroupNamePattern: '/17' })).toEqual(['group/17']);
    const { logStreams } = await client.send(new DescribeLogStreamsCommand({ logGroupName: 'group/17' }));
    expect(logStreams).toMatchObject([
      { logStreamName: '111122223333_CloudTrail_us-east-1', firstEventTimestamp: T0, lastEventTimestamp: T0 + 1_000 },
    ]);
  });
});

const testData = process.env['TRAILHOUND_TEST_DATA'];

describe.skipIf(testData === undefined)('with TRAILHOUND_TEST_DATA', () => {
  it('serves all real records, byte for byte, and pushed-down names find what a direct reading finds', async () => {
    const directory = join(testData ?? '', 'cloudtrail');
    const files = (await readdir(directory)).sort().map((name) => join(directory, name));
    const lines = (await Promise.all(files.map((file) => readFile(file))))
      .flatMap((bytes) => gunzipSync(bytes).toString().split('\n'))
      .filter((line) => line !== '');
    expect(lines.length).toBe(4_959);
    const simulator = await simulate({ files }, { logs: { emptyPageEvery: 3 } });
    const { events } = await scan(simulator);
    expect(events.map((event) => event.message).sort()).toEqual(lines.toSorted());
    expect(new Set(events.map((event) => event.eventId)).size).toBe(lines.length);
    expect(events.map((event) => event.timestamp)).toEqual(
      events.map((event) => event.timestamp).sort((a, b) => (a ?? 0) - (b ?? 0)),
    );
    const buckets = await scan(simulator, { filterPattern: '{ $.eventName = "ListBuckets" }' });
    const wanted = lines.filter((line) => (JSON.parse(line) as { eventName?: string }).eventName === 'ListBuckets');
    expect(buckets.events.length).toBe(wanted.length);
    expect(wanted.length).toBeGreaterThan(0);
  });
});
