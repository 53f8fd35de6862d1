import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { incident } from './support/incident.ts';
import { failure, openRoad, textRows, type Login, type Road } from './support/road.ts';

let road: Road;
let client: Client;
let notices: string[];
let network = 0;

beforeAll(async () => {
  road = await openRoad({ simulator: { world: incident() } });
});

afterAll(async () => {
  await road.close();
});

beforeEach(async () => {
  network += 1;
  notices = [];
  road.simulator.calls.reset();
  client = await road.connect();
  client.on('notice', ({ severity, message }) => notices.push(`${severity ?? ''}: ${message ?? ''}`));
});

afterEach(async () => {
  road.simulator.setLatency('abuseipdb', 0);
  await client.end();
});

/** Addresses that no other test asks for. */
const addresses = (count: number) =>
  Array.from({ length: count }, (_, index) => `193.3.${String(network)}.${String(index)}`);
const lookup = (some: readonly string[]) =>
  `select ip_address from abuseipdb_check_ip where ip_address in (${some.map((each) => `'${each}'`).join(', ')})`;
const calls = () => road.simulator.calls.count({ service: 'abuseipdb' });

describe('trailhound.max_lookups', () => {
  test('ends a statement before its first call, with what would be needed', async () => {
    const some = addresses(12);
    await client.query('set trailhound.max_lookups = 5');
    const failed = await failure(client.query(lookup(some)));
    expect(failed).toMatchObject({ code: '53400', message: '12 lookups needed, 5 allowed by trailhound.max_lookups' });
    expect(failed.detail).toMatch(/^abuseipdb_check_ip is asked for 12 distinct values .*No call was made\.$/);
    expect(calls()).toBe(0);
    const [raise = ''] = /set trailhound\.max_lookups = \d+/.exec(failed.hint ?? '') ?? [];
    await client.query(raise);
    expect(await textRows(client, lookup(some))).toHaveLength(12);
    expect(calls()).toBe(12);
  });

  test('does not count what is cached, known or private', async () => {
    const some = addresses(6);
    await client.query(lookup(some.slice(0, 4)));
    await client.query('set trailhound.max_lookups = 2');
    expect(await textRows(client, lookup([...some, '10.0.0.1', '10.0.0.2']))).toHaveLength(8);
    expect(calls()).toBe(6);
  });

  test('bounds the sum over all look-ups of a statement', async () => {
    const [first = '', second = '', third = ''] = addresses(3);
    await client.query('set trailhound.max_lookups = 2');
    const failed = await failure(client.query(`${lookup([first, second])} union all ${lookup([third])}`));
    expect(failed).toMatchObject({ code: '53400' });
  });

  test('of a role, set by the owner', async () => {
    await client.query(`create role thrifty login password 'thrifty' in role trailhound_reader`);
    await client.query('alter role thrifty set trailhound.max_lookups = 1');
    await road.with(
      async (thrifty) => {
        expect(await failure(thrifty.query(lookup(addresses(2))))).toMatchObject({ code: '53400' });
      },
      { user: 'thrifty', password: 'thrifty' },
    );
    expect(calls()).toBe(0);
  });

  test('given as a client starts, as PGOPTIONS are', async () => {
    await road.with(
      async (thrifty) => {
        expect(await failure(thrifty.query(lookup(addresses(2))))).toMatchObject({ code: '53400' });
      },
      { options: '-c trailhound.max_lookups=1' },
    );
  });
});

describe('a setting that is wrong', () => {
  test.each([
    ['max_lookups', 'x'],
    ['max_lookups', '-1'],
    ['concurrency', '0'],
    ['sources', 'alive'],
    ['cache', 'perhaps'],
    ['partial', '2'],
    ['cache_max_age', 'soon'],
  ])('%s = %s fails the next virtual statement, and only such', async (name, value) => {
    await client.query(`set trailhound.${name} = '${value}'`);
    expect(await textRows(client, 'select 1')).toEqual([['1']]);
    const failed = await failure(client.query(lookup(addresses(1))));
    expect(failed).toMatchObject({
      code: '22023',
      message: `invalid value for parameter "trailhound.${name}": "${value}"`,
    });
    expect(failed.hint).toMatch(/^Allowed: /);
    expect(calls()).toBe(0);
    await client.query(`reset trailhound.${name}`);
    expect(await textRows(client, lookup(addresses(1)))).toHaveLength(1);
  });

  test('one that does not exist is named with the nearest that does', async () => {
    await client.query('set trailhound.max_lookup = 5');
    expect(await textRows(client, 'select 1')).toEqual([['1']]);
    const failed = await failure(client.query(lookup(addresses(1))));
    expect(failed).toMatchObject({
      code: '42704',
      message: 'unrecognized configuration parameter "trailhound.max_lookup"',
      hint: expect.stringContaining('trailhound.max_lookups'),
    });
    expect(calls()).toBe(0);
    await client.query('reset trailhound.max_lookup');
    expect(await textRows(client, lookup(addresses(1)))).toHaveLength(1);
  });

  test('one that was taken back is forgotten', async () => {
    await client.query('begin');
    await client.query('set trailhound.max_lookup = 5');
    await client.query('rollback');
    expect(await textRows(client, lookup(addresses(1)))).toHaveLength(1);
    await client.query('begin; set local trailhound.max_lookup = 5; commit');
    expect(await textRows(client, lookup(addresses(1)))).toHaveLength(1);
  });

  test.each([
    ['by set_config()', `select set_config('trailhound.max_lookup', '5', false)`],
    ['in a string of several statements', 'select 1; set trailhound.max_lookup = 5; select 2'],
  ])('one that does not exist, set %s', async (_, statement) => {
    await client.query(statement);
    expect(await failure(client.query(lookup(addresses(1))))).toMatchObject({ code: '42704' });
  });
});

describe('a setting that does not exist, set as a client starts', () => {
  const login: Login = { options: '-c trailhound.max_lookup=1' };

  test('by options, as PGOPTIONS are, fails the next virtual statement', async () => {
    await road.with(async (other) => {
      expect(await textRows(other, 'select 1')).toEqual([['1']]);
      expect(await failure(other.query(lookup(addresses(1))))).toMatchObject({
        code: '42704',
        message: 'unrecognized configuration parameter "trailhound.max_lookup"',
        hint: expect.stringContaining('"trailhound.max_lookups"') as string,
      });
    }, login);
    expect(calls()).toBe(0);
  });

  test('and taken back', async () => {
    await road.with(async (other) => {
      await other.query(`set trailhound.max_lookup = ''`);
      expect(await textRows(other, lookup(addresses(1)))).toHaveLength(1);
    }, login);
  });
});

describe('trailhound.sources', () => {
  test('off: no rows, no call, and a NOTICE that says so', async () => {
    await client.query('set trailhound.sources = off');
    expect(await textRows(client, lookup(addresses(3)))).toEqual([]);
    expect(await textRows(client, 'select count(*) from cloudtrail_trail_event')).toEqual([['0']]);
    expect(road.simulator.calls.count()).toBe(0);
    expect(notices.join('\n')).toMatch(/NOTICE: abuseipdb_check_ip was not asked: trailhound\.sources is off/);
    expect(notices.join('\n')).toMatch(/NOTICE: cloudtrail_trail_event was not asked/);
  });

  test('off: whose key nothing bounds is empty too, as a sample of every table wants it', async () => {
    await client.query('set trailhound.sources = off');
    expect(await textRows(client, 'select ip_address from abuseipdb_check_ip limit 10000')).toEqual([]);
    expect(notices).toHaveLength(1);
    await client.query('set trailhound.sources = live');
    await expect(client.query('select ip_address from abuseipdb_check_ip limit 10000')).rejects.toThrow(
      'needs a value',
    );
  });

  test('off: EXPLAIN says that nothing is fetched', async () => {
    await client.query('set trailhound.sources = off');
    const text = `select * from cloudtrail_trail_event e join abuseipdb_check_ip a on a.ip_address = e.source_ip`;
    const plan = (await textRows(client, `explain ${text}`)).join('\n');
    expect(plan.match(/nothing is fetched/g)).toHaveLength(2);
    expect(plan).not.toContain('calls');
    expect(notices.join('\n')).toMatch(/NOTICE: abuseipdb_check_ip was not asked: trailhound\.sources is off/);
  });

  test('cache: what is cached, and a NOTICE that counts the rest', async () => {
    const some = addresses(5);
    await client.query(lookup(some.slice(0, 2)));
    road.simulator.calls.reset();
    await client.query('set trailhound.sources = cache');
    expect((await textRows(client, lookup(some))).flat().sort()).toEqual(some.slice(0, 2));
    expect(road.simulator.calls.count()).toBe(0);
    expect(notices.join('\n')).toMatch(/NOTICE: 3 of 5 keys of abuseipdb_check_ip are not cached/);
  });
});

describe('trailhound.cache', () => {
  test.each([
    ['set trailhound.cache = off', 2],
    [`set trailhound.cache_max_age = '0 s'`, 2],
    [`set trailhound.cache_max_age = '1 hour'`, 1],
    ['set trailhound.cache = on', 1],
  ])('%s', async (setting, expected) => {
    const statement = lookup(addresses(1));
    await client.query(statement);
    await client.query(setting);
    expect(await textRows(client, statement)).toHaveLength(1);
    expect(calls()).toBe(expected);
  });
});

test('trailhound.concurrency is how many calls are in flight at once', async () => {
  const release = road.simulator.hold('abuseipdb');
  await client.query('set trailhound.concurrency = 3');
  const asked = client.query(lookup(addresses(12)));
  await road.simulator.calls.until((log) => log.open('abuseipdb') === 3);
  release();
  await asked;
  expect(road.simulator.calls.maxConcurrency('abuseipdb')).toBe(3);
});

describe('what a statement tells on its way', () => {
  test('progress, where it is wanted', async () => {
    road.simulator.setLatency('abuseipdb', 300);
    await client.query('set trailhound.progress = on; set trailhound.concurrency = 1');
    await client.query(lookup(addresses(2)));
    expect(notices.join('\n')).toMatch(/NOTICE: abuseipdb_check_ip: .*[12] of 2 calls done/);
  });

  test('nothing below client_min_messages', async () => {
    const unbounded = `select count(*) from cloudtrail_trail_event where event_name = 'none'`;
    await client.query(unbounded);
    expect(notices).toEqual([expect.stringMatching(/^NOTICE: cloudtrail_trail_event is read from/)]);
    await client.query('set client_min_messages = warning');
    await client.query(unbounded);
    expect(notices).toHaveLength(1);
  });
});

test('trailhound.partial tells once what two scans of a statement miss', async () => {
  await client.query('set trailhound.partial = on');
  road.simulator.fault({
    service: 'logs',
    operation: 'FilterLogEvents',
    times: 2,
    effect: { kind: 'error', status: 400, code: 'AccessDeniedException' },
  });
  const text = `select count(*) from cloudtrail_trail_event where event_name = 'A'`;
  expect(await textRows(client, `${text} union all ${text.replace("'A'", "'B'")}`)).toEqual([['0'], ['0']]);
  expect(notices.filter((each) => each.startsWith('WARNING'))).toEqual([
    expect.stringMatching(/^WARNING: 1 of 1 log groups could not be read/),
  ]);
});
