import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { ListDetectorsCommand } from '@aws-sdk/client-guardduty';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterEach, describe, expect, it } from 'vitest';
import type { FaultEffect } from '../../src/simulator/control/fault.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { singleLogGroup } from '../../src/simulator/world.ts';
import { guardDutyClient, logsClient, stsClient } from './clients.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function simulate(options: Omit<SimulatorOptions, 'world'> = {}) {
  const simulator = await startSimulator({ world: singleLogGroup({ records: [{ a: 1 }] }), ...options });
  cleanUp.push(() => simulator.close());
  return simulator;
}

function client<T extends { destroy(): void }>(made: T): T {
  cleanUp.push(() => {
    made.destroy();
  });
  return made;
}

const check = (simulator: Simulator, ip: string, signal?: AbortSignal) =>
  fetch(`${simulator.abuseipdbUrl}/check?ipAddress=${ip}`, { headers: { Key: 'k' }, ...(signal ? { signal } : {}) });

const filter = new FilterLogEventsCommand({ logGroupName: 'CloudTrail/GlobalServiceEvents' });

describe('the log of calls', () => {
  it('says what was asked of whom, how often, and how much of it at once', async () => {
    const simulator = await simulate();
    const release = simulator.hold('abuseipdb');
    const checked = Promise.all(['1.1.1.1', '2.2.2.2', '1.1.1.1'].map((ip) => check(simulator, ip)));
    await simulator.calls.until((calls) => calls.open('abuseipdb') === 3);
    release();
    await checked;
    await client(logsClient(simulator.url)).send(filter);
    expect(simulator.calls.byKey({ service: 'abuseipdb' })).toEqual(
      new Map([
        ['1.1.1.1', 2],
        ['2.2.2.2', 1],
      ]),
    );
    expect(simulator.calls.maxConcurrency('abuseipdb')).toBe(3);
    expect(simulator.calls.open('abuseipdb')).toBe(0);
    expect(
      simulator.calls.count({ service: 'logs', operation: 'FilterLogEvents', region: 'us-east-1', status: 200 }),
    ).toBe(1);
    expect(simulator.calls.count()).toBe(4);
    simulator.calls.reset();
    expect(simulator.calls.count()).toBe(0);
  });

  it('tells requests that the client has aborted', async () => {
    const simulator = await simulate();
    simulator.fault({ service: 'abuseipdb', effect: { kind: 'hang' } });
    const abort = new AbortController();
    const hanging = check(simulator, '1.1.1.1', abort.signal);
    await simulator.calls.until((calls) => calls.open('abuseipdb') === 1);
    abort.abort();
    await expect(hanging).rejects.toThrow();
    await simulator.calls.until((calls) => calls.count({ state: 'aborted' }) === 1);
    expect(simulator.calls.open('abuseipdb')).toBe(0);
  });

  it('can be read over HTTP, for a simulator in another process', async () => {
    const simulator = await simulate();
    const post = async (path: string, body: unknown) =>
      fetch(`${simulator.url}/__simulator/${path}`, { method: 'POST', body: JSON.stringify(body) });
    await post('fault', { service: 'abuseipdb', effect: { kind: 'error', status: 402 } });
    expect([(await check(simulator, '1.1.1.1')).status, (await check(simulator, '1.1.1.1')).status]).toEqual([
      402, 200,
    ]);
    const summary = async () => (await fetch(`${simulator.url}/__simulator/calls`)).json();
    expect(await summary()).toEqual({
      services: {
        abuseipdb: {
          calls: 2,
          answered: 2,
          aborted: 0,
          open: 0,
          maxConcurrency: 1,
          operations: { check: 2 },
          keys: { '1.1.1.1': 2 },
        },
      },
    });
    await post('reset', {});
    expect(await summary()).toEqual({ services: {} });
  });
});

describe('a fault', () => {
  it('meets as many requests as it says, and only those that fit', async () => {
    const simulator = await simulate();
    simulator.fault({ service: 'abuseipdb', key: '1.1.1.1', times: 2, effect: { kind: 'error', status: 503 } });
    const statuses = [];
    for (const ip of ['2.2.2.2', '1.1.1.1', '1.1.1.1', '1.1.1.1']) statuses.push((await check(simulator, ip)).status);
    expect(statuses).toEqual([200, 503, 503, 200]);
    simulator.fault({ service: 'abuseipdb', times: Infinity, effect: { kind: 'error', status: 500 } });
    expect((await check(simulator, '1.1.1.1')).status).toBe(500);
    simulator.clearFaults();
    expect((await check(simulator, '1.1.1.1')).status).toBe(200);
  });

  it('takes the forms that AbuseIPDB and what stands before it show', async () => {
    const simulator = await simulate();
    const meet = async (effect: FaultEffect) => {
      simulator.fault({ service: 'abuseipdb', effect });
      const response = await check(simulator, '1.1.1.1');
      return { status: response.status, headers: response.headers, text: await response.text() };
    };
    const throttled = await meet({ kind: 'throttle', retryAfterSeconds: 7 });
    expect([
      throttled.status,
      throttled.headers.get('retry-after'),
      throttled.headers.get('x-ratelimit-remaining'),
    ]).toEqual([429, '7', '0']);
    expect(await meet({ kind: 'error', status: 502 })).toMatchObject({
      status: 502,
      text: expect.stringContaining('<html>'),
    });
    expect(await meet({ kind: 'html' })).toMatchObject({ status: 200, text: expect.stringContaining('<html>') });
    const cut = await meet({ kind: 'invalid_json' });
    expect(() => JSON.parse(cut.text) as unknown).toThrow(SyntaxError);
    await expect(meet({ kind: 'close_socket' })).rejects.toThrow();
    await expect(meet({ kind: 'close_midway' })).rejects.toThrow();
    expect(simulator.calls.count({ state: 'dropped' })).toBe(2);
  });

  it('reaches the SDK as the error that AWS would send', async () => {
    const simulator = await simulate();
    for (const service of ['logs', 'guardduty', 'sts'] as const) {
      simulator.fault({ service, effect: { kind: 'throttle' } });
      simulator.fault({ service, effect: { kind: 'error', status: 500 } });
    }
    const logs = client(logsClient(simulator.url));
    const guardDuty = client(guardDutyClient(simulator.url));
    const sts = client(stsClient(simulator.url));
    for (const [send, names] of [
      [() => logs.send(filter), ['ThrottlingException', 'ServiceUnavailableException']],
      [
        () => guardDuty.send(new ListDetectorsCommand({})),
        ['TooManyRequestsException', 'InternalServerErrorException'],
      ],
      [() => sts.send(new GetCallerIdentityCommand({})), ['Throttling', 'InternalFailure']],
    ] as const) {
      for (const name of names) await expect(send()).rejects.toMatchObject({ name });
      await expect(send()).resolves.toMatchObject({ $metadata: { httpStatusCode: 200 } });
    }
  });

  it('of a moment is got over by the SDK’s own retries', async () => {
    const simulator = await simulate();
    simulator.fault({ service: 'logs', effect: { kind: 'error', status: 500 } });
    simulator.fault({ service: 'logs', effect: { kind: 'close_socket' } });
    const { events } = await client(logsClient(simulator.url, { maxAttempts: 3 })).send(filter);
    expect(events?.length).toBe(1);
    expect(simulator.calls.all.map(({ state, status }) => [state, status])).toEqual([
      ['answered', 500],
      ['dropped', undefined],
      ['answered', 200],
    ]);
  });
});

describe('limits', () => {
  it('throttle what comes above the rate, until they are lifted', async () => {
    const simulator = await simulate({ rateLimits: { abuseipdb: 0, logs: 0 } });
    expect((await check(simulator, '1.1.1.1')).status).toBe(429);
    await expect(client(logsClient(simulator.url)).send(filter)).rejects.toMatchObject({ name: 'ThrottlingException' });
    simulator.setRateLimit('abuseipdb', undefined);
    expect((await check(simulator, '1.1.1.1')).status).toBe(200);
  });

  it('refuse options by which no scan would ever end', async () => {
    await expect(simulate({ logs: { emptyPageEvery: 1 } })).rejects.toThrow(RangeError);
  });
});

describe('close', () => {
  it('ends requests in work, also those that hang', async () => {
    const simulator = await simulate();
    simulator.fault({ service: 'abuseipdb', effect: { kind: 'hang' } });
    const hanging = check(simulator, '1.1.1.1');
    await simulator.calls.until((calls) => calls.open('abuseipdb') === 1);
    await Promise.all([simulator.close(), expect(hanging).rejects.toThrow()]);
  });
});
