import { afterEach, describe, expect, it } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import type { AbuseIpdbWorld } from '../../src/simulator/world.ts';

/** What AbuseIPDB answers with lists. */

const NOW = Date.UTC(2026, 10, 21, 20);
const REPORTED = { abuseConfidenceScore: 100, totalReports: 230, lastReportedAt: '2026-11-21T19:00:00+00:00' };

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function simulate(abuseipdb: AbuseIpdbWorld = {}) {
  const simulator = await startSimulator({ world: { accounts: [], abuseipdb }, now: () => NOW });
  cleanUp.push(() => simulator.close());
  return async (path: string) => {
    const response = await fetch(`${simulator.abuseipdbUrl}/${path}`, { headers: { Key: 'secret' } });
    const body = (await response.json()) as {
      data: Record<string, unknown> & { ipAddress: string }[];
      errors?: unknown;
    };
    return { status: response.status, headers: response.headers, body };
  };
}

describe('GET /check-block', () => {
  it('lists what was reported in a network', async () => {
    const get = await simulate({ check: { '33.1.1.5': REPORTED } });
    const { status, body } = await get('check-block?network=33.1.1.0/24&maxAgeInDays=15');
    expect(status).toBe(200);
    expect(body.data).toMatchObject({
      networkAddress: '33.1.1.0',
      netmask: '255.255.255.0',
      minAddress: '33.1.1.1',
      maxAddress: '33.1.1.254',
      numPossibleHosts: 254,
    });
    expect(body.data['reportedAddress']).toContainEqual({
      ipAddress: '33.1.1.5',
      numReports: 230,
      mostRecentReport: '2026-11-21T19:00:00+00:00',
      abuseConfidenceScore: 100,
      countryCode: expect.any(String) as string,
    });
  });

  it('refuses what is no network, and networks that are too large for the plan', async () => {
    const get = await simulate();
    expect((await get('check-block?network=33.1.1.0')).status).toBe(422);
    expect((await get('check-block?network=x/24')).status).toBe(422);
    expect((await get('check-block?network=33.1.0.0/16')).status).toBe(402);
    const larger = await simulate({ shortestPrefix: { ipv4: 16, ipv6: 64 } });
    expect((await larger('check-block?network=33.1.0.0/16')).status).toBe(200);
  });
});

describe('GET /reports', () => {
  it('gives pages that lead to each other', async () => {
    const get = await simulate({ check: { '33.1.1.5': REPORTED } });
    const pages = [];
    for (let page = 1; page <= 3; page += 1)
      pages.push((await get(`reports?ipAddress=33.1.1.5&perPage=100&page=${page}`)).body.data);
    expect(pages.map(({ count }) => count)).toEqual([100, 100, 30]);
    expect(pages[0]).toMatchObject({ total: 230, page: 1, perPage: 100, lastPage: 3, previousPageUrl: null });
    expect(pages[0]?.['nextPageUrl']).toMatch(/&page=2$/);
    expect(pages[2]?.['nextPageUrl']).toBeNull();
    const times = pages.flatMap(({ results }) =>
      (results as { reportedAt: string }[]).map(({ reportedAt }) => reportedAt),
    );
    expect(new Set(times).size).toBe(230);
  });

  it('leaves out what is older than asked for', async () => {
    const get = await simulate({ check: { '33.1.1.5': REPORTED } });
    expect((await get('reports?ipAddress=33.1.1.5&maxAgeInDays=1')).body.data).toMatchObject({
      total: 24,
      lastPage: 1,
    });
    expect((await get('reports?ipAddress=33.1.1.5&perPage=101')).status).toBe(422);
  });
});

describe('GET /blacklist', () => {
  const world: AbuseIpdbWorld = {
    check: { '33.1.1.5': REPORTED, '33.1.1.6': { ...REPORTED, abuseConfidenceScore: 80 } },
    blacklist: { made: 0 },
  };

  it('lists the most reported first, from the score that is asked for', async () => {
    const get = await simulate(world);
    expect((await get('blacklist')).body.data.map(({ ipAddress }) => ipAddress)).toEqual(['33.1.1.5']);
    const { body } = await get('blacklist?confidenceMinimum=75');
    expect(body.data).toMatchObject([{ ipAddress: '33.1.1.5' }, { ipAddress: '33.1.1.6', abuseConfidenceScore: 80 }]);
    expect((await get('blacklist?confidenceMinimum=75&limit=1')).body.data).toHaveLength(1);
    expect((await get('blacklist?confidenceMinimum=20')).status).toBe(422);
  });

  it('may know no other score than 100, and has a quota of its own', async () => {
    const get = await simulate({ ...world, blacklist: { made: 0, onlyCertain: true }, dailyLimit: { blacklist: 1 } });
    const { body, headers } = await get('blacklist?confidenceMinimum=75');
    expect(body.data).toHaveLength(1);
    expect(headers.get('x-ratelimit-remaining')).toBe('0');
    expect((await get('blacklist')).status).toBe(429);
    expect((await get('check?ipAddress=33.1.1.5')).status).toBe(200);
  });
});
