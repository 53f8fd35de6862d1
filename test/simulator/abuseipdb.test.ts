import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import type { AbuseIpdbWorld } from '../../src/simulator/world.ts';

const NOW = Date.UTC(2026, 10, 21, 20);

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function simulate(abuseipdb: AbuseIpdbWorld = {}, now = () => NOW) {
  const simulator = await startSimulator({ world: { accounts: [], abuseipdb }, now });
  cleanUp.push(() => simulator.close());
  return async (query: string, key = 'secret') => {
    const response = await fetch(`${simulator.abuseipdbUrl}/check?${query}`, {
      headers: { Accept: 'application/json', Key: key },
    });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as { data: Record<string, unknown>; errors?: unknown },
    };
  };
}

const MEMBERS = [
  'ipAddress',
  'isPublic',
  'ipVersion',
  'isWhitelisted',
  'abuseConfidenceScore',
  'countryCode',
  'usageType',
  'isp',
  'domain',
  'hostnames',
  'isTor',
  'totalReports',
  'numDistinctUsers',
  'lastReportedAt',
];

describe('GET /check', () => {
  it('answers any address from the address itself, always the same', async () => {
    const check = await simulate();
    const first = await check('ipAddress=1.2.3.4&maxAgeInDays=90');
    expect(first.status).toBe(200);
    expect(Object.keys(first.body.data)).toEqual(MEMBERS);
    expect(first.body).toEqual((await check('ipAddress=1.2.3.4')).body);
    const scores = new Set<unknown>();
    for (let last = 1; last <= 40; last += 1) {
      const { data } = (await check(`ipAddress=1.2.3.${last}`)).body;
      expect(data['lastReportedAt'] === null).toBe(data['totalReports'] === 0);
      scores.add(data['abuseConfidenceScore']);
    }
    expect(scores.size).toBeGreaterThan(10);
  });

  it('says what the world says, by table or by function', async () => {
    const table = await simulate({ check: { '1.2.3.4': { abuseConfidenceScore: 77, isTor: true } } });
    expect((await table('ipAddress=1.2.3.4')).body.data).toMatchObject({ abuseConfidenceScore: 77, isTor: true });
    const computed = await simulate({ check: (ip, days) => ({ abuseConfidenceScore: days, isp: ip }) });
    expect((await computed('ipAddress=::1&maxAgeInDays=42')).body.data).toMatchObject({
      ipVersion: 6,
      isPublic: false,
      abuseConfidenceScore: 42,
      isp: '::1',
    });
  });

  it('adds country name and reports with verbose only', async () => {
    const check = await simulate({
      check: { '1.2.3.4': { totalReports: 3, lastReportedAt: '2026-11-21T10:00:00+00:00', countryCode: 'NL' } },
    });
    const { data } = (await check('ipAddress=1.2.3.4&verbose')).body;
    expect(Object.keys(data)).toEqual([...MEMBERS, 'countryName', 'reports']);
    expect(data['countryName']).toBe('Netherlands');
    expect(data['reports']).toHaveLength(3);
  });

  it('calls reserved addresses not public', async () => {
    const check = await simulate();
    for (const ip of [
      '192.0.2.1',
      '203.0.113.9',
      '10.0.0.1',
      '127.0.0.1',
      '255.255.255.255',
      '2001:db8::1',
      'fe80::1',
    ]) {
      expect((await check(`ipAddress=${ip}`)).body.data).toMatchObject({
        isPublic: false,
        usageType: 'Reserved',
        countryCode: null,
      });
    }
  });

  it('refuses what is no address, and a max age beyond a year', async () => {
    const check = await simulate();
    for (const ip of ['', 'example.com', '1.2.3.4/32', '075.050.255.67', '1.2.3']) {
      expect((await check(`ipAddress=${encodeURIComponent(ip)}`)).status).toBe(422);
    }
    for (const days of ['0', '366', '1.5', 'x']) {
      const { status, body } = await check(`ipAddress=1.2.3.4&maxAgeInDays=${days}`);
      expect([status, body.errors]).toEqual([
        422,
        [expect.objectContaining({ source: { parameter: 'maxAgeInDays' } })],
      ]);
    }
  });

  it('lets in the keys it knows', async () => {
    const check = await simulate({ apiKeys: ['good'] });
    expect((await check('ipAddress=1.2.3.4', 'good')).status).toBe(200);
    expect((await check('ipAddress=1.2.3.4', 'bad')).status).toBe(401);
    expect((await check('ipAddress=1.2.3.4', '')).status).toBe(401);
  });

  it('counts a daily quota for each key, and forgets it at midnight UTC', async () => {
    let now = NOW;
    const check = await simulate({ dailyLimit: 2 }, () => now);
    const remaining = async () => (await check('ipAddress=1.2.3.4')).headers.get('x-ratelimit-remaining');
    expect([await remaining(), await remaining()]).toEqual(['1', '0']);
    const { status, headers } = await check('ipAddress=1.2.3.4');
    expect([status, headers.get('retry-after'), headers.get('x-ratelimit-reset')]).toEqual([
      429,
      String(4 * 3_600),
      String((NOW + 4 * 3_600_000) / 1_000),
    ]);
    expect((await check('ipAddress=1.2.3.4', 'another')).status).toBe(200);
    now = NOW + 4 * 3_600_000;
    expect((await check('ipAddress=1.2.3.4')).status).toBe(200);
  });
});

const testData = process.env['TRAILHOUND_TEST_DATA'];

describe.skipIf(testData === undefined)('with TRAILHOUND_TEST_DATA', () => {
  interface Observed {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body: { readonly data?: Record<string, unknown>; readonly errors?: unknown };
  }

  it('answers as the API was observed to', async () => {
    const file = join(testData ?? '', 'abuseipdb', 'observed_responses.json');
    const { _source, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    expect(_source).toBeDefined();
    const observed = rest as Record<string, Observed>;
    const bodies = Object.values(observed).flatMap(({ body }) => (body.data === undefined ? [] : [body.data]));
    const check = await simulate({
      apiKeys: ['good'],
      dailyLimit: 1_000,
      check: (ip) => bodies.find((data) => data['ipAddress'] === ip) ?? {},
    });
    for (const data of bodies) {
      const answered = await check(`ipAddress=${String(data['ipAddress'])}`, 'good');
      expect(JSON.stringify(answered.body)).toBe(JSON.stringify({ data }));
    }
    const made = (await check('ipAddress=255.255.255.123', 'good')).body.data;
    expect(made).toEqual(observed['check_reserved_never']?.body.data);
    expect((await check('ipAddress=x', 'good')).body).toEqual(observed['invalid_ip']?.body);
    expect((await check('ipAddress=1.2.3.4', 'bad')).body).toEqual(observed['bad_key']?.body);
    let last = await check('ipAddress=1.2.3.4', 'good');
    while (last.status !== 429) last = await check('ipAddress=1.2.3.4', 'good');
    expect(last.body).toEqual(observed['rate_limited']?.body);
    for (const name of Object.keys(observed['rate_limited']?.headers ?? {})) expect(last.headers.has(name)).toBe(true);
  });
});
