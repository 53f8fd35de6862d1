import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { incident } from './support/incident.ts';
import { failure, openRoad, sorted, textRows, type Road } from './support/road.ts';

let road: Road;
let owner: Client;

beforeAll(async () => {
  road = await openRoad({ simulator: { world: incident() } });
  owner = await road.connect();
});

afterAll(async () => {
  await road.close();
});

beforeEach(() => {
  road.simulator.calls.reset();
});

const JOIN = `select e.event_id, e.event_name, e.username, a.ip_address, a.abuse_confidence_score as score
  from cloudtrail_trail_event e join abuseipdb_check_ip a on a.ip_address = e.source_ip_address
  where e.event_time > now() - interval '30 years'`;

describe('a view of a user', () => {
  test('joins events to look-ups as its text would, each address asked for once', async () => {
    await owner.query(`create view abusers as ${JOIN}`);
    const expected = await textRows(owner, JOIN);
    expect(expected.length).toBeGreaterThan(10);
    expect(sorted(await textRows(owner, 'select * from abusers'))).toEqual(sorted(expected));
  });

  test('takes keys from outside, through another view', async () => {
    await owner.query(`create view reputation as select ip_address as ip, abuse_confidence_score as score from abuseipdb_check_ip;
      create view outer_reputation as select ip, score from reputation`);
    const text = (view: string, ip: string, score: string) =>
      `select e.event_id, v.${score} from cloudtrail_trail_event e join ${view} v on v.${ip} = e.source_ip`;
    const expected = await textRows(owner, text('abuseipdb_check_ip', 'ip_address', 'abuse_confidence_score'));
    expect(sorted(await textRows(owner, text('outer_reputation', 'ip', 'score')))).toEqual(sorted(expected));
  });

  test('is refused where nothing bounds it', async () => {
    expect(await failure(owner.query('select * from reputation'))).toMatchObject({ code: 'HV002' });
  });

  test('may have a comparison under EXISTS that postgres_fdw does not ship, whatever few rows are wanted of it', async () => {
    const text = `select a.ip_address, a.country_code from abuseipdb_check_ip a where exists (
      select from cloudtrail_trail_event e where a.ip_address = e.source_ip_address)`;
    await owner.query(`create view seen_addresses as ${text}; create view one_address as ${text} limit 1`);
    const all = await textRows(owner, text);
    for (const limit of ['limit 2', 'limit 1 offset 1', 'fetch first 3 rows with ties']) {
      const rows = await textRows(owner, `select * from seen_addresses order by ip_address ${limit}`);
      expect(all).toEqual(expect.arrayContaining(rows));
    }
    const rows = await textRows(owner, 'select * from seen_addresses limit 2');
    expect(rows).toHaveLength(2);
    expect(all).toEqual(expect.arrayContaining(rows));
    expect(await failure(owner.query('select * from one_address'))).toMatchObject({
      code: '0A000',
      hint: 'Take LIMIT out of the view or function, and write it in the statement.',
    });
  });

  test('has one row of aggregates that nobody reads', async () => {
    await owner.query(`create view counted as select count(*) from cloudtrail_trail_event e
      left join cloudtrail_trail_event f on e.event_id = f.event_id where f.read_only is null`);
    expect(await textRows(owner, 'select 1 from counted')).toEqual([['1']]);
  });

  test('runs under the settings of the statement that names it', async () => {
    await owner.query('set trailhound.cache = off');
    await owner.query('set trailhound.max_lookups = 1');
    expect(await failure(owner.query('select * from abusers'))).toMatchObject({ code: '53400' });
    await owner.query('reset all');
  });

  test('fills a materialized view, and again when that is refreshed', async () => {
    const expected = await textRows(owner, JOIN);
    await owner.query(`create materialized view kept as ${JOIN}`);
    expect(sorted(await textRows(owner, 'select * from kept'))).toEqual(sorted(expected));
    await owner.query('refresh materialized view kept');
    expect(sorted(await textRows(owner, 'select * from kept'))).toEqual(sorted(expected));
  });
});

test('a function in SQL has its keys computed from its arguments', async () => {
  await owner.query(`create function score_of(address inet) returns table (ip inet, score int) stable language sql
    as 'select a.ip_address, a.abuse_confidence_score from abuseipdb_check_ip a where a.ip_address = address'`);
  const expected = await textRows(
    owner,
    `select e.event_id, a.abuse_confidence_score from cloudtrail_trail_event e join abuseipdb_check_ip a on a.ip_address = e.source_ip`,
  );
  const rows = await textRows(
    owner,
    `select e.event_id, f.score from cloudtrail_trail_event e, lateral score_of(e.source_ip) f`,
  );
  expect(sorted(rows)).toEqual(sorted(expected));
});
