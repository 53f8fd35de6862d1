import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compileRow } from '../../src/hydrate/row.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { abuseipdbCheckSource } from '../../src/sources/abuseipdb/check-source.ts';
import { AbuseipdbClient } from '../../src/sources/abuseipdb/client.ts';
import { exactJson } from '../../src/sources/exact-number.ts';
import type { LookupKey, LookupSource } from '../../src/sources/source.ts';
import { column, failure, testContext } from '../support/source-harness.ts';

const API_KEY = 'key-0123456789abcdef';
const SCORE = column('abuse_confidence_score', 'abuseConfidenceScore', 'integer');
const REPORTS = column('reports', 'reports', 'jsonb');
const ADDRESS: LookupKey = { key: '185.220.100.252', inputs: { max_age_in_days: '30' } };

let simulator: Simulator;
const sources: LookupSource[] = [];
const servers: Server[] = [];

beforeEach(async () => {
  simulator = await startSimulator({
    world: {
      accounts: [],
      abuseipdb: { apiKeys: [API_KEY], check: { '185.220.100.252': { abuseConfidenceScore: 100, isTor: true } } },
    },
  });
});

afterEach(async () => {
  for (const source of sources.splice(0)) await source.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await simulator.close();
});

function open(
  config: { readonly apiKey?: string | undefined; readonly url?: string; readonly timeoutMs?: number } = {},
): LookupSource {
  const source = abuseipdbCheckSource(
    new AbuseipdbClient({ name: 'abuseipdb', apiKey: API_KEY, url: simulator.abuseipdbUrl, ...config }),
  );
  sources.push(source);
  return source;
}

/** A service of this test's own, for answers that the simulator does not give. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}/api/v2`;
}

const ask = (source: LookupSource, key = ADDRESS, columns = [SCORE], context = testContext()) =>
  source.lookup(key, columns, context);

test('one call an address; the asked key and input are echoed', async () => {
  const [record] = await ask(open());
  expect(record?.value).toMatchObject({ abuseConfidenceScore: 100, isTor: true, ipVersion: 4 });
  expect(record?.added).toMatchObject({ ip_address: '185.220.100.252', max_age_in_days: '30' });
  expect(Date.parse(String(record?.added['fetched_at']))).not.toBeNaN();
  expect(simulator.calls.byKey({ operation: 'check' })).toEqual(new Map([['185.220.100.252', 1]]));
});

test('what is asked for: address, age, key, and reports only when they are wanted', async () => {
  const requests: (string | undefined)[][] = [];
  const url = await serve((request, response) => {
    requests.push([request.url, String(request.headers['key']), request.headers.accept]);
    response.end('{"data":{"abuseConfidenceScore":1}}');
  });
  const source = open({ url: `${url}/` });
  await ask(source);
  await ask(source, { key: '2a00::1', inputs: {} }, [SCORE, REPORTS]);
  expect(requests).toEqual([
    ['/api/v2/check?ipAddress=185.220.100.252&maxAgeInDays=30', API_KEY, 'application/json'],
    ['/api/v2/check?ipAddress=2a00%3A%3A1&maxAgeInDays=90&verbose=', API_KEY, 'application/json'],
  ]);
});

test('numbers are as they were written', async () => {
  const data = '{"abuseConfidenceScore":100.0,"reports":[{"reporterId":12345678901234567,"list":[1.50]}]}';
  const [record] = await ask(open({ url: await serve((_request, response) => response.end(`{"data":${data}}`)) }));
  expect(exactJson(record?.value)).toBe(data);
  const columns = [SCORE, REPORTS];
  expect(record && compileRow('t', columns).toRow(record)).toEqual([
    '100',
    '[{"reporterId":12345678901234567,"list":[1.50]}]',
  ]);
});

test('an answer is kept for who gave it and what was asked, never for another service', () => {
  const service = open({ url: 'https://user:secret@api.abuseipdb.com/api/v2/?key=secret' });
  const variants = [service.variant?.([SCORE]), service.variant?.([REPORTS]), open().variant?.([SCORE])];
  expect(new Set(variants).size).toBe(3);
  expect(variants[0]).toBe('https://api.abuseipdb.com/api/v2/check');
});

test('connections are kept alive', async () => {
  let connections = 0;
  const url = await serve((_request, response) => void response.end('{"data":{}}'));
  servers[0]?.on('connection', () => (connections += 1));
  const source = open({ url });
  for (let index = 0; index < 5; index += 1) await ask(source);
  // A second one is opened where the first is not yet free again.
  expect(connections).toBeLessThanOrEqual(2);
});

describe('addresses that nobody on the internet has are answered without a call', () => {
  test.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.9',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '100::1',
    '2001:db8::1',
    '3fff::1',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'ff02::1',
    '::ffff:10.0.0.1',
  ])('%s', (key) => {
    const [record] = open({ apiKey: undefined }).answerLocally({ key, inputs: { max_age_in_days: '90' } }) ?? [];
    expect(record?.value).toMatchObject({
      isPublic: false,
      abuseConfidenceScore: 0,
      ipVersion: key.includes(':') ? 6 : 4,
    });
    expect(record?.added).toEqual({ ip_address: key, max_age_in_days: '90', fetched_at: undefined });
  });

  test.each([
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.1',
    '198.20.0.1',
    '223.255.255.255',
    '2a00::1',
    '2001:4860:4860::8888',
    '::ffff:8.8.8.8',
  ])('%s needs one', (key) => {
    expect(open().answerLocally({ key, inputs: {} })).toBeUndefined();
  });

  test('a network equals no row', () => {
    expect(open().answerLocally({ key: '8.8.8.0/24', inputs: {} })).toEqual([]);
  });
});

describe('what goes wrong', () => {
  test.each([[undefined], [''], ['  ']])('no key (%j): said before any call', async (apiKey) => {
    const error = await failure(ask(open({ apiKey })));
    expect([error.kind, error.message]).toEqual(['credentials', 'connection abuseipdb has no API key']);
    expect(error.hint).toContain('ABUSEIPDB_API_KEY');
    expect(simulator.calls.count()).toBe(0);
  });

  test('a refused key is not repeated in the message', async () => {
    const error = await failure(ask(open({ apiKey: 'wrong-key-secret' })));
    expect(error.kind).toBe('credentials');
    expect(error.retryable).toBe(false);
    expect([error.message, error.detail, error.hint].join(' ')).not.toContain('wrong-key-secret');
  });

  test('a key that no header can hold is not repeated either', async () => {
    const error = await failure(ask(open({ apiKey: 'bad\nkey-secret' })));
    expect(error.kind).toBe('credentials');
    expect([error.message, error.detail, error.hint, String(error.cause)].join(' ')).not.toContain('key-secret');
    expect(simulator.calls.count()).toBe(0);
  });

  test.each([
    [402, 'invalid_request', false],
    [403, 'credentials', false],
    [404, 'unreachable', false],
    [422, 'invalid_request', false],
    [302, 'unreachable', false],
    [500, 'unreachable', true],
    [503, 'unreachable', true],
  ] as const)('%i is of kind %s', async (status, kind, retryable) => {
    const url = await serve((_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ errors: [{ detail: 'The reason.', status }] }));
    });
    const error = await failure(ask(open({ url })));
    expect([error.kind, error.retryable, error.detail]).toEqual([kind, retryable, 'AbuseIPDB says: The reason.']);
  });

  test('a short pause is asked for again, a spent quota is not', async () => {
    const reset = Math.floor(Date.now() / 1000) + 29_241;
    let headers: Record<string, string> = {
      'retry-after': '2',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-limit': '1000',
    };
    const url = await serve((_request, response) => {
      response.writeHead(429, headers);
      response.end(
        '{"errors":[{"detail":"Daily rate limit of 1000 requests exceeded for this endpoint.","status":429}]}',
      );
    });
    const source = open({ url });
    const context = testContext();
    const short = await failure(ask(source, ADDRESS, [SCORE], context));
    expect(context.quotas).toEqual([]);
    expect([short.kind, short.retryable, short.retryAfterMs]).toEqual(['throttled', true, 2000]);
    headers = { ...headers, 'retry-after': '29241', 'x-ratelimit-reset': String(reset) };
    const spent = await failure(ask(source, ADDRESS, [SCORE], context));
    expect([spent.kind, spent.retryable]).toEqual(['quota', false]);
    const until = new Date(reset * 1000).toISOString().slice(0, 16).replace('T', ' ');
    expect(spent.message).toBe(`AbuseIPDB's quota of 1000 checks a day is used up until ${until} UTC`);
    expect(context.quotas).toEqual([['abuseipdb_check', { limit: 1000, remaining: 0, resetsAt: reset * 1000 }]]);
  });

  test.each([['html'], ['invalid_json']] as const)('an answer that is %s is nonsense, and not dumped', async (kind) => {
    simulator.fault({ service: 'abuseipdb', effect: { kind } });
    const error = await failure(ask(open()));
    expect(error.kind).toBe('nonsense');
    expect([error.message, error.detail].join(' ')).not.toContain('<');
  });

  test.each(['null', '[]', '"text"', '{}', '{"data":null}', '{"data":[]}'])('%s is nonsense', async (body) => {
    const url = await serve((_request, response) => void response.end(body));
    expect((await failure(ask(open({ url })))).kind).toBe('nonsense');
  });

  test.each([['close_socket'], ['close_midway']] as const)('%s: unreachable, to be tried again', async (kind) => {
    simulator.fault({ service: 'abuseipdb', effect: { kind } });
    const source = open();
    const error = await failure(ask(source));
    expect([error.kind, error.retryable]).toEqual(['unreachable', true]);
    expect(await ask(source)).toHaveLength(1);
  });

  test('a service that says nothing is unreachable after the timeout', async () => {
    simulator.fault({ service: 'abuseipdb', effect: { kind: 'hang' } });
    const error = await failure(ask(open({ timeoutMs: 50 })));
    expect([error.kind, error.retryable]).toEqual(['unreachable', true]);
  });

  test('nobody listens: unreachable, said at once', async () => {
    const error = await failure(ask(open({ url: 'http://127.0.0.1:1/api/v2' })));
    expect([error.kind, error.retryable]).toEqual(['unreachable', false]);
    expect(error.message).toBe('AbuseIPDB cannot be reached at http://127.0.0.1:1 (ECONNREFUSED)');
  });
});

test('an abort ends the request in flight', async () => {
  simulator.fault({ service: 'abuseipdb', effect: { kind: 'hang' } });
  const context = testContext();
  const asking = ask(open(), ADDRESS, [SCORE], context);
  asking.catch(() => {});
  await simulator.calls.until((calls) => calls.open('abuseipdb') === 1);
  const reason = new Error('canceling statement due to user request');
  context.abort(reason);
  await expect(asking).rejects.toBe(reason);
  await simulator.calls.until((calls) => calls.count({ state: 'aborted' }) === 1);
});
