import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { failure, openRoad, textRows, type Road } from './support/road.ts';

/** Networks, reports, the blacklist, and the quotas that they share with nobody. */

const DAY_MS = 86_400_000;
const NOON = Math.floor(Date.now() / DAY_MS) * DAY_MS + DAY_MS / 2;
const hoursAgo = (hours: number) => new Date(NOON - hours * 3_600_000).toISOString().replace(/\.\d+Z$/, '+00:00');
const reported = { abuseConfidenceScore: 100, totalReports: 250, lastReportedAt: hoursAgo(1) };

let road: Road;
let client: Client;
let notices: string[];

beforeAll(async () => {
  road = await openRoad({
    simulator: {
      now: () => NOON,
      world: {
        accounts: [],
        abuseipdb: {
          dailyLimit: { check: 10, 'check-block': 20, blacklist: 4, reports: 20 },
          check: {
            '33.1.1.1': reported,
            '33.1.1.9': { ...reported, abuseConfidenceScore: 92, totalReports: 3 },
            '33.1.2.1': { ...reported, totalReports: 0, lastReportedAt: null, abuseConfidenceScore: 0 },
          },
          blacklist: { made: 0 },
        },
      },
    },
  });
  client = await road.connect();
  client.on('notice', ({ message }) => notices.push(message ?? ''));
});

afterAll(() => road.close());

beforeEach(() => {
  notices = [];
  road.simulator.calls.reset();
});

const asked = (operation: string) => Object.fromEntries(road.simulator.calls.byKey({ operation }));
const calls = (operation: string) => road.simulator.calls.count({ operation });

describe('abuseipdb_check_cidr', () => {
  test('each network is asked for once, whoever names it how', async () => {
    const rows = await textRows(
      client,
      `select n.name, c.cidr, count(c.ip_address) filter (where c.ip_address in ('33.1.1.1', '33.1.1.9'))
         from (values ('33.1.1.0/24'), ('033.1.1.0/24'), ('33.1.1.7/24'), ('10.0.0.0/24'), ('nonsense'), (null)) n(name)
         join abuseipdb_check_cidr c on c.cidr = n.name group by 1, 2 order by 1`,
    );
    expect(rows).toEqual([
      ['033.1.1.0/24', '33.1.1.0/24', '2'],
      ['33.1.1.0/24', '33.1.1.0/24', '2'],
    ]);
    expect(asked('check-block')).toEqual({ '33.1.1.0/24': 1 });
  });

  test('the rows of a network, from the cache the second time', async () => {
    const statement = `select ip_address, num_reports, abuse_confidence_score, max_age_in_days, last_reported_at = '${hoursAgo(1)}'
      from abuseipdb_check_cidr where cidr = '33.1.1.0/29' order by 1`;
    const rows = await textRows(client, statement);
    expect(rows).toContainEqual(['33.1.1.1', '250', '100', '30', 't']);
    expect(await textRows(client, statement)).toEqual(rows);
    expect(asked('check-block')).toEqual({ '33.1.1.0/29': 1 });
  });

  test('networks of addresses, and values in NOT IN', async () => {
    const rows = await textRows(
      client,
      `select c.cidr, c.ip_address from (values (inet '33.1.1.9'), ('192.168.3.4')) e(ip)
         join abuseipdb_check_cidr c on c.cidr = network(set_masklen(e.ip, 31)) and c.ip_address = e.ip`,
    );
    expect(rows).toEqual([['33.1.1.8/31', '33.1.1.9']]);
    expect(asked('check-block')).toEqual({ '33.1.1.8/31': 1 });
    const unreported = await textRows(
      client,
      `select n from (values (cidr '33.1.2.1/32'), ('33.1.1.9/32')) e(n) where n not in (select cidr from abuseipdb_check_cidr)`,
    );
    expect(unreported).toEqual([['33.1.2.1/32']]);
  });

  test('a network that the plan does not allow', async () => {
    const failed = await failure(client.query(`select * from abuseipdb_check_cidr where cidr = '33.0.0.0/8'`));
    expect(failed).toMatchObject({ code: '22023', message: "AbuseIPDB's plan does not include this" });
    expect(failed.detail).toContain('larger than /24');
    expect(failed.hint).toContain('smaller networks');
  });

  test('the hint of a statement that names none runs', async () => {
    const failed = await failure(client.query('select ip_address from abuseipdb_check_cidr'));
    expect(failed).toMatchObject({ code: 'HV002', message: 'abuseipdb_check_cidr needs a value for cidr' });
    const rewrite = failed.hint?.split('as in: ')[1] ?? '';
    expect(await textRows(client, rewrite)).toEqual([]);
    expect(road.simulator.calls.count()).toBe(0);
  });
});

test('a NOTICE says that a network with bits beyond its mask equals none', async () => {
  const notices: string[] = [];
  const own = await road.connect();
  own.on('notice', ({ message }) => notices.push(message ?? ''));
  expect(await textRows(own, `select * from abuseipdb_check_cidr where cidr = '33.1.1.4/24'`)).toEqual([]);
  expect(notices).toEqual([
    'abuseipdb_check_cidr was not asked, since cidr equals none of the values in the statement: a network has no bits beyond its mask',
  ]);
});

describe('abuseipdb_report', () => {
  test('all pages of an address, none of a private one', async () => {
    const statement = `select count(*), count(distinct reported_at), min(categories::text), min(max_age_in_days) from abuseipdb_report
      where ip_address in ('33.1.1.1', '10.0.0.1')`;
    expect(await textRows(client, statement)).toEqual([['250', '250', '{18,22}', '30']]);
    expect(await textRows(client, statement)).toEqual([['250', '250', '{18,22}', '30']]);
    expect(asked('reports')).toEqual({ '33.1.1.1': 3 });
  });

  test('an address without reports has no rows, and is remembered', async () => {
    const statement = `select e.ip, r.comment from (values (inet '33.1.2.1')) e(ip) left join abuseipdb_report r on r.ip_address = e.ip`;
    for (let time = 0; time < 2; time += 1) expect(await textRows(client, statement)).toEqual([['33.1.2.1', '']]);
    expect(asked('reports')).toEqual({ '33.1.2.1': 1 });
  });

  test.each([
    ['less than the default', `reported_at > now() - interval '7 days'`, '30'],
    ['more', `reported_at between now() - interval '60 days' and now()`, '61'],
    [
      'a time with other bounds',
      `reported_at >= now() - interval '2 years' and reported_at > now() - interval '100 days'`,
      '101',
    ],
    ['a condition below NOT', `not reported_at < now() - interval '60 days'`, '61'],
    ['what is true', `(reported_at >= now() - interval '60 days') is true`, '61'],
    [
      'alternatives',
      `(reported_at >= now() - interval '60 days' and comment is not null or reported_at > now() - interval '100 days')`,
      '101',
    ],
    ['a symmetric range', `reported_at between symmetric now() and now() - interval '60 days'`, '61'],
    ['below NOT no lower bound', `not reported_at >= now() - interval '1 hour'`, '365'],
    ['no lower bound', `reported_at < now() - interval '1 hour'`, '365'],
    ['the statement’s own value', `reported_at > now() - interval '60 days' and max_age_in_days = 40`, '40'],
  ])('conditions on reported_at say how many days are asked for: %s', async (_name, condition, days) => {
    const statement = `select distinct max_age_in_days from abuseipdb_report where ip_address = '33.1.1.1' and ${condition}`;
    expect(await textRows(client, statement)).toEqual([[days]]);
  });

  test('a NOTICE says where they were not known before, or ask for what nobody tells', async () => {
    const notices: string[] = [];
    const own = await road.connect();
    own.on('notice', ({ message }) => notices.push(message ?? ''));
    const from = `from abuseipdb_report r where r.ip_address = '33.1.1.1'`;
    await own.query(`select count(*) from (values (now() - interval '60 days')) as w(since)
      cross join lateral (select 1 ${from} and r.reported_at > case when random() > 2 then null else w.since end) r`);
    await own.query(`select count(*) ${from} and r.reported_at > now() - interval '3 years'`);
    await own.query(`select max(r.reported_at) ${from}`);
    expect(notices).toEqual([
      'abuseipdb_report was asked with max_age_in_days = 30, although reported_at may reach further: name max_age_in_days as well',
      'AbuseIPDB tells of reports of the last 365 days only',
    ]);
  });

  test('a value that the API would refuse costs no call', async () => {
    const failed = await failure(
      client.query(`select * from abuseipdb_report where ip_address = '33.1.1.1' and max_age_in_days = 400`),
    );
    expect(failed).toMatchObject({ code: '22023', message: 'max_age_in_days is from 1 to 365, not 400' });
    expect(road.simulator.calls.count()).toBe(0);
  });
});

describe('abuseipdb_blacklist', () => {
  test.each([
    ['abuse_confidence_score >= 50', '50'],
    ['abuse_confidence_score > 95', '90'],
    ['abuse_confidence_score < 95', '25'],
    ['abuse_confidence_score >= 10', '25'],
    ['abuse_confidence_score >= 50 and confidence_minimum = 75', '75'],
  ])('asks for the scores that %s wants', async (condition, minimum) => {
    const explained = await textRows(client, `explain select * from abuseipdb_blacklist where ${condition}`);
    expect(explained.flat().join('\n')).toContain(`confidenceMinimum=${minimum}`);
  });

  test('one call for the whole list, which serves for every LIMIT', async () => {
    await client.query('select trailhound.cache_clear($1)', ['abuseipdb_blacklist']);
    const limited = await textRows(client, 'select ip_address from abuseipdb_blacklist limit 1');
    expect(limited).toEqual([['33.1.1.1']]);
    const all =
      'select ip_address, abuse_confidence_score, confidence_minimum from abuseipdb_blacklist order by 2 desc';
    const rows = [
      ['33.1.1.1', '100', '90'],
      ['33.1.1.9', '92', '90'],
    ];
    expect(await textRows(client, all)).toEqual(rows);
    expect(await textRows(client, all)).toEqual(rows);
    expect(await textRows(client, 'select ip_address from abuseipdb_blacklist limit 2')).toHaveLength(2);
    expect(calls('blacklist')).toBe(2);
    await client.query('set trailhound.sources = cache');
    expect(await textRows(client, all)).toEqual(rows);
    await client.query('reset trailhound.sources');
    expect(notices).toEqual([]);
  });

  test("values of confidence_minimum are asked for one by one and echoed, under Steampipe's name too", async () => {
    const rows = await textRows(
      client,
      'select ip_address, confidence_minimum from steampipe.abuseipdb_deny where confidence_minimum in (100, 91) order by 1, 2',
    );
    expect(rows).toEqual([
      ['33.1.1.1', '91'],
      ['33.1.1.1', '100'],
      ['33.1.1.9', '91'],
    ]);
    expect(calls('blacklist')).toBe(2);
  });

  test('without a call left it fails before one, and what is kept is still served', async () => {
    const failed = await failure(
      client.query('select count(*) from abuseipdb_blacklist where confidence_minimum = 50'),
    );
    expect(failed.code).toBe('53400');
    expect(failed.message).toMatch(
      /^abuseipdb_blacklist needs a call, 0 left in AbuseIPDB's quota until \d{4}-\d\d-\d\d 00:00 UTC$/,
    );
    expect(await textRows(client, 'select count(*) from abuseipdb_blacklist')).toEqual([['2']]);
    expect(road.simulator.calls.count()).toBe(0);
  });
});

describe('the quota of checks', () => {
  const check = (count: number, block: number) =>
    client.query(
      `select count(*) from abuseipdb_check_ip where ip_address in (${Array.from({ length: count }, (_, index) => `'33.9.${block}.${index + 1}'`).join()})`,
    );

  test('is visible, holds over a restart, and a statement that needs more fails before its first call', async () => {
    await check(4, 1);
    const quota = `select "limit", remaining, resets_at > now() from trailhound.quota where source = 'abuseipdb_check'`;
    expect(await textRows(client, quota)).toEqual([['10', '6', 't']]);
    await road.restart();
    client = await road.connect();
    expect(await textRows(client, quota)).toEqual([['10', '6', 't']]);
    road.simulator.calls.reset();
    const failed = await failure(check(7, 2));
    expect(failed.code).toBe('53400');
    expect(failed.message).toMatch(/^7 lookups needed, 6 left in AbuseIPDB's quota until \d{4}-\d\d-\d\d 00:00 UTC$/);
    expect(failed.detail).toContain('7 distinct values');
    expect(road.simulator.calls.count()).toBe(0);
    await check(6, 2);
    expect(calls('check')).toBe(6);
    expect(await textRows(client, quota)).toEqual([['10', '0', 't']]);
  });

  test('what is cached needs none of it', async () => {
    await check(4, 1);
    expect((await failure(check(5, 1))).message).toContain('1 lookups needed, 0 left');
    expect(road.simulator.calls.count()).toBe(0);
  });
});

test('a quota that others have used up is said as the service says it, and from then on before a call', async () => {
  const own = await openRoad({ simulator: { world: { accounts: [] } } });
  try {
    own.simulator.fault({ service: 'abuseipdb', effect: { kind: 'throttle', retryAfterSeconds: 40_000 } });
    const statement = `select * from abuseipdb_check_ip where ip_address = '33.1.1.1'`;
    const first = await own.with((one) => failure(one.query(statement)));
    expect(first.code).toBe('53400');
    expect(first.message).toMatch(/quota of 1000 checks a day is used up until \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
    const second = await own.with((one) => failure(one.query(statement)));
    expect(second.message).toMatch(/^1 lookups needed, 0 left in AbuseIPDB's quota until/);
    expect(second.hint).toContain('trailhound.sources = cache');
    expect(own.simulator.calls.count()).toBe(1);
  } finally {
    await own.close();
  }
});
