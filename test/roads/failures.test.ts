import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import type { FaultEffect } from '../../src/simulator/control/fault.ts';
import { incident } from './support/incident.ts';
import { API_KEY, failure, LOG_GROUP, openRoad, textRows, type Road } from './support/road.ts';

/** Whatever a source does, a statement ends with a documented SQLSTATE that says what to change, and the next one works. */

let road: Road;
let client: Client;
let notices: string[];

beforeAll(async () => {
  road = await openRoad({
    simulator: { world: incident() },
    yaml: ({ url, abuseipdbUrl }) => `
      connections:
        audit: { kind: aws, endpoint_url: "${url}", requests_per_second: 50, regions: [us-east-1], log_groups: ["${LOG_GROUP}"] }
        abuseipdb: { url: "${abuseipdbUrl}", api_key: ${API_KEY} }`,
  });
  client = await road.connect();
  client.on('notice', ({ message }) => notices.push(message ?? ''));
});

afterAll(async () => {
  await road.close();
});

let address = 0;
beforeEach(() => {
  address += 1;
  notices = [];
  road.simulator.calls.reset();
});

const lookup = () => `select ip_address from abuseipdb_check_ip where ip_address = '194.26.29.${String(address)}'`;
const scan = `select count(*) from cloudtrail_trail_event where event_name = 'ListBuckets'`;

async function expectAnswer(): Promise<void> {
  road.simulator.clearFaults();
  expect(await textRows(client, lookup())).toEqual([[`194.26.29.${String(address)}`]]);
  expect(await textRows(client, scan)).toEqual([['24']]);
}

afterEach(expectAnswer);

describe('AbuseIPDB', () => {
  const always = (effect: FaultEffect, times = Infinity) => {
    road.simulator.fault({ service: 'abuseipdb', times, effect });
  };
  const calls = () => road.simulator.calls.count({ service: 'abuseipdb' });

  test.each<[string, FaultEffect, string, RegExp, number]>([
    [
      '401',
      { kind: 'error', status: 401, message: 'Authentication failed.' },
      'HV00N',
      /refuses the API key of connection abuseipdb[^]*ABUSEIPDB_API_KEY/,
      1,
    ],
    [
      '402',
      { kind: 'error', status: 402, message: 'Your plan has no such parameter.' },
      '22023',
      /plan[^]*Your plan has no such parameter[^]*max_age_in_days/,
      1,
    ],
    [
      '422',
      { kind: 'error', status: 422, message: 'The max age must be less.' },
      '22023',
      /refuses the request[^]*The max age must be less[^]*Change the value/,
      1,
    ],
    [
      'an HTML page in place of the answer',
      { kind: 'html' },
      'HV000',
      /is no JSON but text\/html[^]*connections\.abuseipdb\.url/,
      1,
    ],
    ['half an answer', { kind: 'invalid_json' }, 'HV000', /is no JSON[^]*ABUSEIPDB_URL/, 1],
    [
      '503 at every attempt',
      { kind: 'error', status: 503 },
      'HV00N',
      /AbuseIPDB answers 503[^]*Tried 5 times[^]*later/,
      5,
    ],
    [
      'connections that close',
      { kind: 'close_socket' },
      'HV00N',
      /cannot be reached at http:\/\/127[^]*Tried 5 times/,
      5,
    ],
    ['answers that break off', { kind: 'close_midway' }, 'HV00N', /cannot be reached[^]*Tried 5 times/, 5],
  ])('%s', async (_, effect, code, words, attempts) => {
    always(effect);
    const failed = await failure(client.query(lookup()));
    expect(failed.code).toBe(code);
    expect([failed.message, failed.detail, failed.hint].join('\n')).toMatch(words);
    expect(failed.hint).toMatch(/\.$/);
    expect(JSON.stringify(failed)).not.toContain(API_KEY);
    expect(calls()).toBe(attempts);
  });

  test.each<[string, FaultEffect]>([
    ['429 with a Retry-After of a second', { kind: 'throttle', retryAfterSeconds: 1 }],
    ['502', { kind: 'error', status: 502 }],
    ['a connection that closes', { kind: 'close_socket' }],
    ['an answer that breaks off', { kind: 'close_midway' }],
  ])('once %s costs the statement nothing but time', async (_, effect) => {
    always(effect, 1);
    expect(await textRows(client, lookup())).toHaveLength(1);
    expect(calls()).toBe(2);
  });

  test('a service that says nothing is ended by statement_timeout', async () => {
    always({ kind: 'hang' });
    await client.query('set statement_timeout = 500');
    expect(await failure(client.query(lookup()))).toMatchObject({ code: '57014' });
    await client.query('reset statement_timeout');
  });

  test('one failed address of several fails the statement, unless missing rows are wanted, counted', async () => {
    const statement = `select ip_address from abuseipdb_check_ip where ip_address in ('194.27.1.${String(address)}', '194.27.2.1', '194.27.2.2')`;
    const key = `194.27.1.${String(address)}`;
    road.simulator.fault({ service: 'abuseipdb', key, times: Infinity, effect: { kind: 'error', status: 422 } });
    expect(await failure(client.query(statement))).toMatchObject({ code: '22023' });
    await client.query('set trailhound.partial = on');
    const rows = await textRows(client, statement);
    await client.query('reset trailhound.partial');
    expect(rows.flat().sort()).toEqual(['194.27.2.1', '194.27.2.2']);
    expect(notices.join('\n')).toMatch(/1 (key|of|row|look)/);
  });
});

describe('CloudWatch Logs', () => {
  const logs = (effect: FaultEffect, times = Infinity) => {
    road.simulator.fault({ service: 'logs', operation: 'FilterLogEvents', times, effect });
  };

  test('a log group that does not exist', async () => {
    const failed = await failure(
      client.query(`select * from cloudtrail_trail_event where log_group_name = 'CloudTrail/Nome'`),
    );
    expect(failed).toMatchObject({
      code: 'HV00N',
      message: expect.stringContaining('CloudTrail/Nome does not exist in us-east-1'),
    });
    expect(failed.detail).toContain('onnection audit');
    expect(failed.hint).toMatch(/name/);
  });

  test('a log group that holds something else than records', async () => {
    const failed = await failure(
      client.query(`select count(*) from cloudtrail_trail_event where log_group_name = 'CloudTrail/damaged'`),
    );
    expect(failed).toMatchObject({ code: 'HV000', message: expect.stringContaining('CloudTrail/damaged') });
    expect(failed.detail).toMatch(/event \d+ of log group CloudTrail\/damaged in us-east-1/);
    expect(failed.hint).toContain('filter');
  });

  test('throttled once', async () => {
    logs({ kind: 'throttle' }, 1);
    expect(await textRows(client, scan)).toEqual([['24']]);
    expect(road.simulator.calls.count({ operation: 'FilterLogEvents' })).toBe(2);
  });

  test.each<[string, FaultEffect, string, RegExp]>([
    [
      'throttled at every attempt',
      { kind: 'throttle' },
      '53400',
      /logs in us-east-1 throttles logs:FilterLogEvents[^]*Tried 5 times[^]*requests_per_second of connection audit/,
    ],
    [
      'access denied',
      { kind: 'error', status: 400, code: 'AccessDeniedException', message: 'User is not authorized.' },
      'HV00N',
      /connection audit may not call logs:FilterLogEvents in us-east-1[^]*User is not authorized[^]*Allow logs:FilterLogEvents on/,
    ],
    [
      'refused credentials',
      { kind: 'error', status: 400, code: 'UnrecognizedClientException', message: 'The security token is invalid.' },
      'HV00N',
      /credentials of connection audit are refused/,
    ],
    [
      'expired credentials',
      { kind: 'error', status: 400, code: 'ExpiredTokenException', message: 'made-up-secret expired' },
      'HV00N',
      /credentials of connection audit have expired[^]*sso login/,
    ],
    ['an outage', { kind: 'error', status: 503 }, 'HV00N', /logs in us-east-1 answers 503[^]*Tried 5 times/],
    ['a page of a proxy', { kind: 'html' }, 'HV000', /something else than JSON/],
  ])('%s', async (_, effect, code, words) => {
    logs(effect);
    const failed = await failure(client.query(scan));
    expect(failed.code).toBe(code);
    expect([failed.message, failed.detail, failed.hint].join('\n')).toMatch(words);
    expect(JSON.stringify(failed)).not.toContain('made-up-secret');
  });

  test('a region in which there is no log group says so, with no rows', async () => {
    expect(await textRows(client, `${scan} and region = 'ap-northeast-1'`)).toEqual([['0']]);
    expect(notices.join('\n')).toMatch(/no log group is in ap-northeast-1; for events of that region use aws_region/);
    expect(road.simulator.calls.count({ operation: 'FilterLogEvents' })).toBe(0);
  });

  test('a filter pattern that is none', async () => {
    const failed = await failure(
      client.query(`select * from cloudtrail_trail_event where filter = '{ $.eventName = '`),
    );
    expect(failed.code).toBe('22023');
    expect([failed.message, failed.detail].join('\n')).toMatch(/InvalidParameterException/);
  });
});

describe('a server that can ask nobody', () => {
  let poor: Road;

  beforeAll(async () => {
    poor = await openRoad({
      simulator: { world: incident() },
      aws: {},
      yaml: ({ url, abuseipdbUrl }) => `
        connections:
          aws: { endpoint_url: "${url}", profile: no-such-profile, regions: [us-east-1], log_groups: ["${LOG_GROUP}"] }
          abuseipdb: { url: "${abuseipdbUrl}" }`,
    });
  });

  afterAll(async () => {
    await poor.close();
  });

  test('without AWS credentials: fails at the first use, and never answers 0 rows', async () => {
    await poor.with(async (session) => {
      expect(await textRows(session, 'select 1')).toEqual([['1']]);
      const failed = await failure(session.query(scan));
      expect(failed).toMatchObject({ code: 'HV00N', message: 'no credentials for connection aws' });
      expect(failed.detail).toContain('no-such-profile');
      expect(failed.hint).toContain('AWS_PROFILE');
      expect(poor.simulator.calls.count()).toBe(0);
    });
  });

  test('without an API key: no call; private addresses need none', async () => {
    await poor.with(async (session) => {
      const failed = await failure(session.query(lookup()));
      expect(failed).toMatchObject({ code: 'HV00N', message: 'connection abuseipdb has no API key' });
      expect(failed.hint).toContain('ABUSEIPDB_API_KEY');
      expect(poor.simulator.calls.count()).toBe(0);
      expect(await textRows(session, `select is_public from abuseipdb_check_ip where ip_address = '10.0.0.1'`)).toEqual(
        [['f']],
      );
    });
  });
});

describe('regions that are wrong', () => {
  test.each([
    ['a misspelt one', 'us-est-1', /us-est-1/],
    ['a pattern that fits none', 'xx-*', /xx-\*/],
  ])('%s', async (_, region, words) => {
    const other = await openRoad({
      simulator: { world: incident() },
      yaml: ({ url, abuseipdbUrl }) => `
        connections:
          aws: { endpoint_url: "${url}", regions: ["${region}"], log_groups: ["${LOG_GROUP}"] }
          abuseipdb: { url: "${abuseipdbUrl}", api_key: ${API_KEY} }`,
    });
    try {
      await other.with(async (session) => {
        const failed = await failure(session.query(scan));
        expect(failed.code).toBe('HV00N');
        expect([failed.message, failed.detail, failed.hint].join('\n')).toMatch(words);
        expect(failed.hint).toMatch(/regions?/);
        expect(await textRows(session, lookup())).toHaveLength(1);
      });
    } finally {
      await other.close();
    }
  });
});
