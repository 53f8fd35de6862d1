import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { incident } from './support/incident.ts';
import { failure, openRoad, textRows, type Road } from './support/road.ts';

let road: Road;
let owner: Client;
let reader: Client;
let stranger: Client;
let partly: Client;

const CACHED = '91.240.118.3';
const LOOKUP = `select ip_address from abuseipdb_check_ip where ip_address = '5.188.86.10'`;

beforeAll(async () => {
  road = await openRoad({ simulator: { world: incident() } });
  owner = await road.connect();
  await owner.query(`
    create role dashboard login password 'dashboard' in role trailhound_reader;
    create role stranger login password 'stranger';
    create role partly login password 'partly';
    grant select (ip_address, country_code) on abuseipdb_check_ip to partly`);
  await owner.query(`select * from abuseipdb_check_ip where ip_address = '${CACHED}'`);
  reader = await road.connect({ user: 'dashboard', password: 'dashboard' });
  stranger = await road.connect({ user: 'stranger', password: 'stranger' });
  partly = await road.connect({ user: 'partly', password: 'partly' });
});

afterAll(async () => {
  await road.close();
});

beforeEach(() => {
  road.simulator.calls.reset();
});

const calls = () => road.simulator.calls.count();

describe('a reader', () => {
  test('sees and joins every table', async () => {
    expect(
      await textRows(
        reader,
        `select count(*) from cloudtrail_trail_event e join abuseipdb_check_ip a on a.ip_address = e.source_ip_address`,
      ),
    ).not.toEqual([['0']]);
    expect(await textRows(reader, 'select count(*) from guardduty_finding')).toEqual([['3']]);
    expect(await textRows(reader, 'select count(*) from aws_guardduty_finding')).toEqual([['3']]);
  });

  test.each([
    `insert into abuseipdb_check_ip (ip_address) values ('1.2.3.4')`,
    'delete from guardduty_finding',
    'update cloudtrail_trail_event set event_name = null',
    'create table public.mine (x int)',
    'create view public.mine as select * from guardduty_finding',
    'drop view public.guardduty_finding',
    'create schema mine',
    'create role mine',
  ])('cannot: %s', async (statement) => {
    expect(await failure(reader.query(statement))).toMatchObject({ code: '42501' });
    expect(calls()).toBe(0);
  });
});

describe('a role without privileges', () => {
  test.each([
    'select * from guardduty_finding',
    'select count(*) from aws_cloudtrail_trail_event',
    LOOKUP,
    `select ip_address from abuseipdb_check_ip where ip_address = '${CACHED}'`,
    'select * from abuseipdb_check_ip',
    'explain select * from guardduty_finding',
    'copy (select id from guardduty_finding) to stdout',
    'with f as (select id from guardduty_finding) select count(*) from f',
  ])('is refused by PostgreSQL, and nobody is asked: %s', async (statement) => {
    expect(await failure(stranger.query(statement))).toMatchObject({
      code: '42501',
      message: expect.stringContaining('permission denied for view'),
    });
    expect(calls()).toBe(0);
  });

  test('also where somebody else became it', async () => {
    await owner.query('set role stranger');
    expect(await failure(owner.query(LOOKUP))).toMatchObject({ code: '42501' });
    await owner.query('reset role');
    expect(calls()).toBe(0);
  });

  test('cannot read the rows that were fetched for others', async () => {
    await owner.query('begin');
    await owner.query('declare events cursor for select * from cloudtrail_trail_event');
    const names = await textRows(
      stranger,
      `select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'trailhound_rows' and c.relkind = 'r'`,
    );
    for (const [name = ''] of names) {
      expect(await failure(stranger.query(`select * from ${name}`))).toMatchObject({ code: '42501' });
    }
    await owner.query('rollback');
  });
});

describe('a role that may read some columns', () => {
  test('reads those, and may filter by those', async () => {
    expect(
      await textRows(partly, `select country_code from abuseipdb_check_ip where ip_address = '${CACHED}'`),
    ).toEqual([['NL']]);
  });

  test.each([
    `select abuse_confidence_score from abuseipdb_check_ip where ip_address = '5.188.86.11'`,
    `select * from abuseipdb_check_ip where ip_address = '5.188.86.11'`,
    `select ip_address from abuseipdb_check_ip where ip_address = '5.188.86.11' and is_tor`,
    `select a from abuseipdb_check_ip a where ip_address = '5.188.86.11'`,
  ])('is refused the others, and nobody is asked: %s', async (statement) => {
    expect(await failure(partly.query(statement))).toMatchObject({ code: '42501' });
    expect(calls()).toBe(0);
  });
});

describe("what is the server's own", () => {
  test.each([
    'select * from trailhound.key_cache',
    'select * from trailhound.scan_entry',
    'delete from trailhound.key_cache',
    `insert into trailhound.key_cache values ('abuseipdb_check_ip', '5.188.86.10', '{}', '[]', now())`,
    `select * from source.abuseipdb_check_ip where ip_address = '5.188.86.10'`,
    'select * from source.guardduty_finding',
    'create table trailhound_rows.mine (x int)',
    'create function trailhound.mine() returns int language sql return 1',
    `create server mine foreign data wrapper trailhound options (host '/tmp')`,
    'alter role trailhound superuser',
  ])('is out of reach, for the owner too: %s', async (statement) => {
    for (const client of [owner, reader, stranger]) {
      expect(await failure(client.query(statement))).toMatchObject({ code: '42501' });
    }
    expect(calls()).toBe(0);
  });

  test('servers of virtual tables take no mapping of anybody', async () => {
    const servers = await textRows(owner, 'select srvname from pg_foreign_server');
    expect(servers).not.toEqual([]);
    for (const [server = ''] of servers) {
      const statement = `create user mapping for current_user server "${server}" options (user 'postgres')`;
      for (const client of [owner, reader, stranger]) {
        expect(await failure(client.query(statement))).toMatchObject({ code: '42501' });
      }
    }
  });
});
