import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { abuseipdbBlacklistSource } from '../../src/sources/abuseipdb/blacklist-source.ts';
import { abuseipdbCheckBlockSource } from '../../src/sources/abuseipdb/check-block-source.ts';
import { AbuseipdbClient } from '../../src/sources/abuseipdb/client.ts';
import { abuseipdbReportsSource } from '../../src/sources/abuseipdb/reports-source.ts';
import { allRecords, column, failure, predicate, scanRequest, testContext } from '../support/source-harness.ts';

/** Endpoints of AbuseIPDB that answer with lists: what is asked, and answers that the simulator does not give. */

let server: Server;
let client: AbuseipdbClient;
let requests: string[];
let answer: (url: URL) => unknown;

beforeEach(async () => {
  requests = [];
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    response.setHeader('x-ratelimit-limit', '5');
    response.setHeader('x-ratelimit-remaining', '4');
    response.end(JSON.stringify({ data: answer(new URL(request.url ?? '', 'http://made-up.example')) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  client = new AbuseipdbClient({
    name: 'abuseipdb',
    apiKey: 'made-up',
    url: `http://127.0.0.1:${address.port}/api/v2`,
  });
});

afterEach(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const CONFIDENCE = column('confidence_minimum', '@confidence_minimum', 'integer');
const list = (count: number, score = 100) =>
  Array.from({ length: count }, (_, index) => ({ ipAddress: `33.0.0.${index}`, abuseConfidenceScore: score }));

describe('the blacklist', () => {
  const request = (limit?: number) =>
    scanRequest([predicate(CONFIDENCE, '=', '50')], {
      table: 'abuseipdb_blacklist',
      ...(limit !== undefined && { limit }),
    });

  test('all of it, or as much as is wanted', async () => {
    answer = () => list(3, 60);
    const source = abuseipdbBlacklistSource(client);
    const context = testContext();
    const [record] = await allRecords(source, request(), context);
    expect(record?.added).toEqual({ confidence_minimum: '50' });
    await allRecords(source, request(7), context);
    expect(requests).toEqual([
      '/api/v2/blacklist?confidenceMinimum=50&limit=500000',
      '/api/v2/blacklist?confidenceMinimum=50&limit=7',
    ]);
    expect(context.quotas.at(-1)).toEqual(['abuseipdb_blacklist', { limit: 5, remaining: 4, resetsAt: undefined }]);
    expect(context.notices).toEqual([]);
  });

  test('what a plan seems to leave out is said', async () => {
    const source = abuseipdbBlacklistSource(client);
    const context = testContext();
    answer = () => list(10_000, 77);
    await allRecords(source, request(), context);
    answer = () => list(3);
    await allRecords(source, request(), context);
    await allRecords(source, request(3), context);
    expect(context.notices.map(({ message }) => message)).toEqual([
      expect.stringContaining('abuseipdb_blacklist has 10000 addresses with confidence_minimum 50'),
      expect.stringContaining('only addresses with a score of 100'),
    ]);
  });

  test.each([['24'], ['101'], ['-1']])('confidence_minimum = %s is refused without a call', async (value) => {
    const refused = scanRequest([predicate(CONFIDENCE, '=', value)], { table: 'abuseipdb_blacklist' });
    const error = await failure(allRecords(abuseipdbBlacklistSource(client), refused));
    expect([error.kind, error.message]).toEqual([
      'invalid_request',
      `confidence_minimum is from 25 to 100, not ${value}`,
    ]);
    expect(requests).toEqual([]);
  });

  test('values that exclude one another call nothing', () => {
    const source = abuseipdbBlacklistSource(client);
    const excluded = scanRequest([predicate(CONFIDENCE, '=', '50'), predicate(CONFIDENCE, '=', '60')]);
    expect(source.plan(excluded)).toMatchObject({ empty: true, parts: [] });
  });

  test('an answer that is no list is nonsense', async () => {
    answer = () => ({});
    expect((await failure(allRecords(abuseipdbBlacklistSource(client), request()))).kind).toBe('nonsense');
  });
});

describe('reports', () => {
  const key = { key: '33.1.1.1', inputs: { max_age_in_days: '7' } };

  test('all pages, however many there are by then', async () => {
    let lastPage = 2;
    answer = (url) => {
      if (url.searchParams.get('page') === '2') lastPage = 3;
      return { lastPage, results: [{ reporterId: Number(url.searchParams.get('page')) }] };
    };
    const records = await abuseipdbReportsSource(client).lookup(key, [], testContext());
    expect(records.map(({ value }) => value)).toEqual([{ reporterId: 1 }, { reporterId: 2 }, { reporterId: 3 }]);
    expect(requests[0]).toBe('/api/v2/reports?ipAddress=33.1.1.1&maxAgeInDays=7&page=1&perPage=100');
  });

  test('a page that is none is nonsense', async () => {
    answer = (url) => (url.searchParams.get('page') === '1' ? { lastPage: 2, results: [] } : { results: [] });
    const error = await failure(abuseipdbReportsSource(client).lookup(key, [], testContext()));
    expect([error.kind, error.message]).toEqual(['nonsense', "AbuseIPDB's answer has no page 2 of reports"]);
  });

  test.each(['10.0.0.1', '33.1.1.0/24'])('%s has none, without a call', (address) => {
    expect(abuseipdbReportsSource(client).answerLocally({ key: address, inputs: {} })).toEqual([]);
  });
});

describe('networks', () => {
  test.each(['10.0.0.0/8', '10.1.2.0/24', '192.168.0.0/16', 'fc00::/8', '2001:db8:1::/48', '127.0.0.1/32'])(
    '%s has no rows, without a call',
    (network) => {
      expect(abuseipdbCheckBlockSource(client).answerLocally({ key: network, inputs: {} })).toEqual([]);
    },
  );

  test.each(['33.1.1.0/24', '8.0.0.0/6', '192.0.0.0/8', '0.0.0.0/0', '::/0', '2a00::/32'])(
    '%s needs one',
    (network) => {
      expect(abuseipdbCheckBlockSource(client).answerLocally({ key: network, inputs: {} })).toBeUndefined();
    },
  );

  test('an answer without addresses is nonsense, one with none is none', async () => {
    const source = abuseipdbCheckBlockSource(client);
    const key = { key: '33.1.1.0/24', inputs: {} };
    answer = () => ({ reportedAddress: [] });
    expect(await source.lookup(key, [], testContext())).toEqual([]);
    expect(requests).toEqual(['/api/v2/check-block?network=33.1.1.0%2F24&maxAgeInDays=30']);
    answer = () => ({});
    expect((await failure(source.lookup(key, [], testContext()))).kind).toBe('nonsense');
  });
});
