import { paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADDRESSES } from '../../src/simulator/demo/addresses.ts';
import { UNUSED_REGION } from '../../src/simulator/demo/account.ts';
import { demoWorld } from '../../src/simulator/demo/demo-world.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { logsClient } from './clients.ts';

const DAY_MS = 86_400_000;
const now = new Date(Date.UTC(2026, 10, 21, 20, 17, 31, 400));

interface DemoRecord {
  readonly eventTime: string;
  readonly eventName: string;
  readonly eventID: string;
  readonly awsRegion: string;
  readonly sourceIPAddress: string | null;
  readonly errorCode?: string;
  readonly responseElements: { readonly ConsoleLogin?: string } | null;
  readonly additionalEventData?: { readonly MFAUsed?: string };
}

describe('the demo’s world', () => {
  let simulator: Simulator;
  let global: DemoRecord[];
  let data: DemoRecord[];

  async function read(region: string, logGroupName: string): Promise<DemoRecord[]> {
    const client = logsClient(simulator.url, { region });
    const startTime = now.getTime() - 7 * DAY_MS;
    const pages = paginateFilterLogEvents({ client }, { logGroupName, startTime, endTime: now.getTime() });
    const records: DemoRecord[] = [];
    for await (const { events } of pages)
      for (const { message } of events ?? []) records.push(JSON.parse(message ?? '') as DemoRecord);
    client.destroy();
    return records;
  }

  beforeAll(async () => {
    simulator = await startSimulator({ world: demoWorld(now), now: () => now.getTime() });
    global = await read('us-east-1', 'CloudTrail/GlobalServiceEvents');
    data = await read('eu-west-1', 'CloudTrail/eu-data-events');
  });
  afterAll(() => simulator.close());

  it('is the same for the same moment', () => {
    expect(JSON.stringify(demoWorld(now))).toBe(JSON.stringify(demoWorld(new Date(now))));
  });

  it('holds about 3,000 events, all of the last 7 days and delivered by now', () => {
    const all = [...global, ...data];
    const world = demoWorld(now);
    const made = world.accounts[0]?.regions.flatMap(({ logGroups }) => logGroups ?? []) ?? [];
    expect(made.reduce((sum, { events }) => sum + ('records' in events ? events.records.length : 0), 0)).toBe(
      all.length,
    );
    expect(all.length).toBeGreaterThan(2_700);
    expect(all.length).toBeLessThan(3_300);
    for (const { eventTime } of all) {
      expect(Date.parse(eventTime)).toBeGreaterThan(now.getTime() - 7 * DAY_MS);
      expect(Date.parse(eventTime)).toBeLessThan(now.getTime());
    }
    expect(new Set(all.map(({ eventID }) => eventID)).size).toBe(all.length);
  });

  it('has every kind of source address that hunts stumble over', () => {
    const addresses = new Set(global.map(({ sourceIPAddress }) => sourceIPAddress));
    for (const address of [
      null,
      'AWS Internal',
      'cloudtrail.amazonaws.com',
      '10.0.12.34',
      ...Object.values(ADDRESSES),
    ]) {
      expect(addresses).toContain(address);
    }
  });

  it('has CreateUser by abusers, by colleagues, by services and by nobody', () => {
    const callers = global
      .filter(({ eventName }) => eventName === 'CreateUser')
      .map((record) => record.sourceIPAddress);
    expect(new Set(callers)).toEqual(
      new Set([
        null,
        'AWS Internal',
        'cloudformation.amazonaws.com',
        ADDRESSES.office,
        ADDRESSES.carolAtHome,
        ADDRESSES.ci,
        ADDRESSES.natWithZeros,
        ADDRESSES.hosting,
        ADDRESSES.tor,
      ]),
    );
  });

  it('has the steps of the intrusion, in a region where nothing else happens', () => {
    const byAbusers = global.filter(
      ({ sourceIPAddress }) => sourceIPAddress === ADDRESSES.tor || sourceIPAddress === ADDRESSES.hosting,
    );
    const names = new Set(byAbusers.map(({ eventName }) => eventName));
    for (const name of [
      'CreateUser',
      'CreateAccessKey',
      'AttachUserPolicy',
      'ConsoleLogin',
      'RunInstances',
      'GetSecretValue',
      'StopLogging',
    ]) {
      expect(names).toContain(name);
    }
    const elsewhere = global.filter(({ awsRegion }) => awsRegion === UNUSED_REGION);
    expect(new Set(elsewhere.map(({ sourceIPAddress }) => sourceIPAddress))).toEqual(new Set([ADDRESSES.hosting]));
    const signIns = global.filter(({ eventName }) => eventName === 'ConsoleLogin');
    const kinds = new Set(signIns.map((r) => `${r.responseElements?.ConsoleLogin} ${r.additionalEventData?.MFAUsed}`));
    expect(kinds).toEqual(new Set(['Success Yes', 'Success No', 'Failure No']));
  });

  it('has no data event while the trail is stopped', () => {
    const stopped = Date.parse(global.find(({ eventName }) => eventName === 'StopLogging')?.eventTime ?? '');
    const started = Date.parse(global.find(({ eventName }) => eventName === 'StartLogging')?.eventTime ?? '');
    expect(started).toBeGreaterThan(stopped);
    const times = data.map(({ eventTime }) => Date.parse(eventTime));
    expect(times.filter((time) => time > stopped && time < started)).toEqual([]);
    expect(data.some(({ sourceIPAddress }) => sourceIPAddress === ADDRESSES.hosting)).toBe(true);
  });

  it('has answers for its addresses that differ in score, country, usage and Tor', async () => {
    const answers = await Promise.all(
      Object.values(ADDRESSES)
        .filter((address) => !address.startsWith('0'))
        .map(async (address) => {
          const response = await fetch(`${simulator.abuseipdbUrl}/check?ipAddress=${address}`, {
            headers: { Key: 'k' },
          });
          return ((await response.json()) as { data: Record<string, unknown> }).data;
        }),
    );
    expect(answers.every((answer) => answer['isPublic'])).toBe(true);
    for (const member of ['abuseConfidenceScore', 'countryCode', 'usageType']) {
      expect(new Set(answers.map((answer) => answer[member])).size).toBeGreaterThan(3);
    }
    expect(answers.filter((answer) => answer['isTor'])).toMatchObject([{ abuseConfidenceScore: 100 }]);
  });
});
