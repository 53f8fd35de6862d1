import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { EVENTS, FINDINGS, incident } from './support/incident.ts';
import { PSQL_VERSION, psql, psqlRows } from './support/psql.ts';
import { distinct, readAddress, scoreOf } from './support/records.ts';
import { failure, openRoad, sorted, textRows, type Road } from './support/road.ts';

let road: Road;
let client: Client;

beforeAll(async () => {
  road = await openRoad({ simulator: { world: incident() } });
  client = await road.connect();
});

afterAll(async () => {
  await road.close();
});

beforeEach(() => {
  road.simulator.calls.reset();
});

const asked = () => [...road.simulator.calls.byKey({ service: 'abuseipdb' }).keys()].sort();
const calls = () => road.simulator.calls.count();
const addressOf = (event: (typeof EVENTS)[number]) => readAddress(event.sourceIPAddress);
const addressesOf = (name: string) =>
  distinct(EVENTS.filter((event) => event.eventName === name).map(addressOf)).filter((each) => each !== undefined);

async function expectRows(statement: string, expected: readonly (readonly string[])[]): Promise<void> {
  expect(sorted(await textRows(client, statement))).toEqual(sorted(expected));
  if (PSQL_VERSION !== undefined) expect(sorted(await psqlRows(road, statement))).toEqual(sorted(expected));
}

describe('what bounds a key', () => {
  const scores = (addresses: readonly string[]) => addresses.map((address) => [address, String(scoreOf(address))]);

  test('an IN list, in which a private address costs no call and a network is no address', async () => {
    await expectRows(
      `select ip_address, abuse_confidence_score from abuseipdb_check_ip
       where ip_address in ('91.240.118.3', '5.188.86.10', '10.0.0.1', '5.188.86.0/24')`,
      scores(['91.240.118.3', '5.188.86.10', '10.0.0.1']),
    );
    expect(asked()).toEqual(['5.188.86.10', '91.240.118.3']);
  });

  test('= any of an array that is a parameter', async () => {
    const text = 'select ip_address, abuse_confidence_score from abuseipdb_check_ip where ip_address = any($1::inet[])';
    expect(sorted(await textRows(client, text, [['5.188.86.11', '192.168.1.1', null]]))).toEqual(
      sorted(scores(['5.188.86.11', '192.168.1.1'])),
    );
    expect(asked()).toEqual(['5.188.86.11']);
  });

  test.each([
    `ip_address = '5.188.86.13' and max_age_in_days = 30`,
    `(ip_address, max_age_in_days) = ('5.188.86.13', 30)`,
    `ip_address in ('5.188.86.13') and max_age_in_days in (30)`,
    `max_age_in_days = any('{30}') and '5.188.86.13' = ip_address`,
  ])('an input column is part of what is asked: %s', async (where) => {
    expect(await textRows(client, `select ip_address, max_age_in_days from abuseipdb_check_ip where ${where}`)).toEqual(
      [['5.188.86.13', '30']],
    );
  });

  test('a subquery over findings, and events, each with the same lookup', async () => {
    await expectRows(
      `select f.id, e.event_id, a.abuse_confidence_score
       from guardduty_finding f
       join abuseipdb_check_ip a on a.ip_address = f.remote_ip
       join cloudtrail_trail_event e on e.source_ip = a.ip_address
       where e.event_name = 'CreateUser'`,
      EVENTS.filter((event) => event.eventName === 'CreateUser' && addressOf(event) === '91.240.118.3').map((event) => [
        'f1',
        event.eventID,
        String(scoreOf('91.240.118.3')),
      ]),
    );
  });

  test('two virtual tables that each join a lookup of their own', async () => {
    await client.query('set trailhound.cache = off');
    const statement = `
      select e.source_ip_address, x.abuse_confidence_score, y.ip_address
      from cloudtrail_trail_event e
      left join abuseipdb_check_ip x on x.ip_address = e.source_ip_address
      cross join guardduty_finding f
      left join abuseipdb_check_ip y on y.ip_address = f.remote_ip
      where e.event_id in ('event-000', 'event-003')`;
    const events = EVENTS.filter(({ eventID }) => eventID === 'event-000' || eventID === 'event-003');
    const rows = await textRows(client, statement);
    await client.query('reset trailhound.cache');
    expect(sorted(rows)).toEqual(
      sorted(
        events.flatMap((event) =>
          FINDINGS.map(({ remote }) => {
            const address = addressOf(event);
            return [event.sourceIPAddress ?? '', address === undefined ? '' : String(scoreOf(address)), remote ?? ''];
          }),
        ),
      ),
    );
    expect(road.simulator.calls.count({ operation: 'FilterLogEvents' })).toBe(1);
  });
});

describe('a prepared statement', () => {
  const TEXT = `select e.event_id, a.abuse_confidence_score
    from cloudtrail_trail_event e join abuseipdb_check_ip a on a.ip_address = e.source_ip_address
    where e.event_name = $1 and a.abuse_confidence_score >= $2::int`;
  const expected = (name: string, least: number) =>
    EVENTS.flatMap((event) => {
      const address = addressOf(event);
      if (event.eventName !== name || address === undefined || scoreOf(address) < least) return [];
      return [`${event.eventID}\t${String(scoreOf(address))}`];
    }).sort();

  test('gives each binding its own rows, more often than PostgreSQL plans anew', async () => {
    for (const name of [
      'ListBuckets',
      'CreateUser',
      'GetObject',
      'none',
      'AssumeRole',
      'ConsoleLogin',
      'ListBuckets',
    ]) {
      for (const least of [0, 40]) {
        const { rows } = await client.query<{ event_id: string; abuse_confidence_score: number }>({
          name: 'events by name',
          text: TEXT,
          values: [name, least],
        });
        expect(rows.map((row) => `${row.event_id}\t${String(row.abuse_confidence_score)}`).sort()).toEqual(
          expected(name, least),
        );
      }
    }
    const { rows } = await client.query('select name, statement from pg_prepared_statements');
    expect(rows).toEqual([{ name: 'events by name', statement: TEXT }]);
  });

  test.skipIf((PSQL_VERSION ?? 0) < 16)('psql binds one with \\bind', async () => {
    const { stdout } = await psql(road, `${TEXT} \\bind CreateUser 0 \\g`, { args: ['--csv', '--tuples-only'] });
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.replace(',', '\t'))
        .sort(),
    ).toEqual(expected('CreateUser', 0));
  });
});

describe('inside a transaction', () => {
  test('a cursor in a READ ONLY REPEATABLE READ one gives all rows, a few at a time', async () => {
    const addresses = addressesOf('ListBuckets');
    const expected = EVENTS.filter(
      (event) => event.eventName === 'ListBuckets' && addresses.includes(addressOf(event) ?? ''),
    );
    await client.query('begin transaction isolation level repeatable read, read only');
    await client.query(`declare hits cursor for select e.event_id
      from cloudtrail_trail_event e join abuseipdb_check_ip a on a.ip_address = e.source_ip
      where e.event_name = 'ListBuckets' order by e.event_id`);
    const rows: string[][] = [];
    for (;;) {
      const some = await textRows(client, 'fetch 7 from hits');
      if (some.length === 0) break;
      expect(some.length).toBeLessThanOrEqual(7);
      rows.push(...some);
    }
    await client.query('commit');
    expect(rows).toEqual(expected.map((event) => [event.eventID]));
  });

  test('an error of ours fails it as one of PostgreSQL, and a savepoint saves it', async () => {
    await client.query('begin');
    await client.query('savepoint before');
    expect(await failure(client.query('select * from abuseipdb_check_ip'))).toMatchObject({ code: 'HV002' });
    expect(await failure(client.query('select 1'))).toMatchObject({ code: '25P02' });
    await client.query('rollback to before');
    expect(
      await textRows(client, `select ip_address from abuseipdb_check_ip where ip_address = '5.188.86.10'`),
    ).toEqual([['5.188.86.10']]);
    await client.query('commit');
  });

  test('rows written in it are keys too', async () => {
    await client.query('begin');
    await client.query('create temp table watch (address inet) on commit drop');
    await client.query(`insert into watch values ('5.188.86.12'), ('5.188.86.12'), (null)`);
    const rows = await textRows(
      client,
      'select ip_address from abuseipdb_check_ip where ip_address in (select address from watch)',
    );
    await client.query('rollback');
    expect(rows).toEqual([['5.188.86.12']]);
  });
});

describe('EXPLAIN', () => {
  test('shows what would be asked, and asks nothing', async () => {
    const rows = await textRows(
      client,
      `explain select * from cloudtrail_trail_event e join abuseipdb_check_ip a on a.ip_address = e.source_ip
       where e.event_name = 'ListBuckets'`,
    );
    const text = rows.join('\n');
    expect(rows[0]?.[0]).toMatch(/\(cost=.*rows=.*width=/);
    expect(text).toMatch(/Trailhound: cloudtrail_trail_event e: scan/);
    expect(text).toMatch(/Pushed event_name .*ListBuckets/);
    expect(text).toMatch(/Trailhound: abuseipdb_check_ip a: lookup by ip_address/);
    expect(calls()).toBe(0);
  });

  test('says of an unbounded key that it is one, in text and in JSON', async () => {
    const text = (await textRows(client, 'explain select * from abuseipdb_check_ip')).join('\n');
    expect(text).toMatch(/abuseipdb_check_ip needs a value for ip_address/);
    const [json] = await textRows(client, 'explain (format json) select * from abuseipdb_check_ip');
    const [plan] = JSON.parse(json?.[0] ?? '[]') as [{ Plan: unknown; Trailhound: readonly { table: string }[] }];
    expect(plan.Plan).toBeDefined();
    expect(plan.Trailhound).toMatchObject([{ table: 'abuseipdb_check_ip', problem: expect.any(String) }]);
    expect(calls()).toBe(0);
  });
});

describe('a key that nothing bounds', () => {
  test('fails before any call, points at the table, and its hint runs', async () => {
    const statement = `select e.event_id, 'ä€𐍈' as note, a.country_code from cloudtrail_trail_event e, abuseipdb_check_ip a`;
    const failed = await failure(client.query(statement));
    expect(failed).toMatchObject({
      code: 'HV002',
      message: 'abuseipdb_check_ip needs a value for ip_address',
      detail: 'Nothing in this statement says which addresses to look up. No call was made.',
      position: String(Array.from(statement.slice(0, statement.indexOf('abuseipdb_check_ip a'))).length + 1),
    });
    expect(calls()).toBe(0);
    expect(failed.hint).toMatch(
      /^Add the condition a\.ip_address = e\.source_ip, or name the values, as in: select e\.event_id/,
    );
    const [clause = '', suggested = ''] = (failed.hint ?? '')
      .replace(/^Add the condition /, '')
      .split(', or name the values, as in: ');
    expect((await client.query(suggested)).rows.length).toBeGreaterThan(0);
    expect((await client.query(`${statement} where ${clause}`)).rows.length).toBeGreaterThan(0);
  });

  test.skipIf(PSQL_VERSION === undefined)('psql shows the line and a caret', async () => {
    const { stderr } = await psql(road, 'select *\nfrom abuseipdb_check_ip;');
    expect(stderr).toMatch(
      /ERROR: {2}HV002: abuseipdb_check_ip needs a value for ip_address\nLINE 2: from abuseipdb_check_ip;\n {13}\^\n/,
    );
    expect(stderr).toMatch(/DETAIL: .*\nHINT: /);
  });

  test.each([
    'select * from abuseipdb_check_ip where abuse_confidence_score > 50',
    `select * from abuseipdb_check_ip where ip_address <> '1.2.3.4'`,
    `select * from abuseipdb_check_ip where ip_address <<= '5.188.86.0/24'`,
    `select * from abuseipdb_check_ip where ip_address = '5.188.86.10' or country_code = 'NL'`,
    'select * from abuseipdb_check_ip a left join guardduty_finding f on f.remote_ip = a.ip_address',
  ])('%s', async (statement) => {
    expect(await failure(client.query(statement))).toMatchObject({ code: 'HV002', position: expect.any(String) });
    expect(calls()).toBe(0);
  });
});
