import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSignedCertificate } from '../../src/session/tls.ts';
import { removeTemporaryDirectories, temporaryDirectory } from '../engine/support/temporary-directory.ts';
import { EVENTS, incident } from './support/incident.ts';
import { HAS_TERMINAL, parseCsv, Psql, psql, PSQL_VERSION } from './support/psql.ts';
import { readAddress, scoreOf } from './support/records.ts';
import { openRoad, simulatedConnections, type Road } from './support/road.ts';

const PLAIN = { args: ['--quiet', '--no-align', '--tuples-only', '--field-separator=|'] };

if (PSQL_VERSION === undefined) test.skip('psql: there is none on this machine', () => undefined);

describe.skipIf(PSQL_VERSION === undefined)('psql', () => {
  let road: Road;
  let directory: string;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    const { cert, key } = await selfSignedCertificate(['localhost', '127.0.0.1']);
    const files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
    await writeFile(files.cert, cert);
    await writeFile(files.key, key);
    road = await openRoad({
      simulator: { world: incident() },
      yaml: (simulator) =>
        `${simulatedConnections(simulator)}\nlisten: { tls: { cert: "${files.cert}", key: "${files.key}" } }`,
    });
  });

  afterAll(async () => {
    await road.close();
    await removeTemporaryDirectories();
  });

  const lines = async (script: string) => {
    const { status, stdout, stderr } = await psql(road, script, {
      ...PLAIN,
      env: { PGOPTIONS: '-c client_min_messages=warning' },
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return stdout.split('\n').slice(0, -1);
  };

  test('\\d and \\dv list the virtual tables as views, with nothing of ours beside them', async () => {
    const views = [
      'abuseipdb_blacklist',
      'abuseipdb_category',
      'abuseipdb_check_cidr',
      'abuseipdb_check_ip',
      'abuseipdb_report',
      'cloudtrail_file_event',
      'cloudtrail_lookup_event',
      'cloudtrail_trail',
      'cloudtrail_trail_event',
      'guardduty_detector',
      'guardduty_finding',
    ];
    const listed = (await lines('\\dv public.*')).map((line) => line.split('|').slice(0, 3));
    expect(listed).toEqual(views.map((view) => ['public', view, 'view']));
    const all = (await lines('\\d')).map((line) => line.split('|').slice(1, 3).join(' '));
    for (const view of views) expect(all).toContain(`${view} view`);
    expect(all.filter((line) => line.endsWith(' table'))).toEqual([]);
  });

  test('\\d of a table shows its columns and types', async () => {
    const columns = new Map(
      (await lines('\\d cloudtrail_trail_event')).map((line) => line.split('|').slice(0, 2) as [string, string]),
    );
    expect(Object.fromEntries(columns)).toMatchObject({
      log_group_name: 'text',
      timestamp: 'timestamp with time zone',
      timestamp_ms: 'bigint',
      event_time: 'timestamp with time zone',
      event_name: 'text',
      source_ip_address: 'text',
      source_ip: 'inet',
      read_only: 'boolean',
      user_identity: 'jsonb',
      request_parameters: 'jsonb',
      cloudtrail_event: 'jsonb',
    });
  });

  test('\\d+ describes each column', async () => {
    const described = await lines('\\d+ abuseipdb_check_ip');
    const column = described.find((line) => line.startsWith('abuse_confidence_score|'))?.split('|');
    expect(column?.[1]).toBe('integer');
    expect(column?.at(-1)).toMatch(/\w+/);
  });

  // Those before 17 ask pg_database for a column that PostgreSQL 17 renamed.
  test.skipIf((PSQL_VERSION ?? 0) < 17)('\\l shows the database', async () => {
    expect((await lines('\\l')).some((line) => line.startsWith('trailhound|'))).toBe(true);
  });

  test('\\du and \\dn show roles and schemas', async () => {
    const schemas = (await lines('\\dn')).map((line) => line.split('|')[0]);
    expect(schemas).toEqual(expect.arrayContaining(['public', 'steampipe']));
    const roles = (await lines('\\du')).map((line) => line.split('|')[0]);
    expect(roles).toEqual(expect.arrayContaining(['trailhound', 'trailhound_reader', 'trailhound_admin']));
  });

  test('\\conninfo tells where it is connected', async () => {
    const [line] = await lines('\\conninfo');
    expect(line).toMatch(new RegExp(`trailhound.*${String(road.endpoint.port)}`));
  });

  test('a recursive CTE follows addresses by their reputation, level by level', async () => {
    const text = `with recursive r(ip, n) as (
        select inet '5.188.86.12', 1
        union all
        select a.ip_address + 1, n + 1 from r join abuseipdb_check_ip a on a.ip_address = r.ip where n < 4)
      select ip, n from r order by n`;
    expect(await lines(`${text};`)).toEqual(['5.188.86.12|1', '5.188.86.13|2', '5.188.86.14|3', '5.188.86.15|4']);
    expect((await lines(`explain ${text};`)).join('\n')).toMatch(/Driven: level by level, as r recurses/);
  });

  test('a recursion that never ends is read as far as LIMIT needs it, or refused', async () => {
    const text = `with recursive r(n) as (select 1 union all select n + 1 from r)
      select r.n from r join abuseipdb_check_ip a on a.ip_address = inet '5.188.86.0' + r.n`;
    expect(await lines(`${text} limit 3;`)).toHaveLength(3);
    const { stderr } = await psql(road, `${text} order by 1 desc limit 3;`, PLAIN);
    expect(stderr).toMatch(/54001: a subquery gives more than 250000 rows/);
  });

  test('\\copy writes what a query over virtual tables gives', async () => {
    const file = join(directory, 'hits.csv');
    await lines(
      `\\copy (select e.event_id, a.abuse_confidence_score, e.user_agent from cloudtrail_trail_event e join abuseipdb_check_ip a on a.ip_address = e.source_ip where e.event_name = 'CreateUser' order by 1) to '${file}' with (format csv)`,
    );
    expect(parseCsv(await readFile(file, 'utf8'))).toEqual(
      EVENTS.flatMap((event) => {
        const address = readAddress(event.sourceIPAddress);
        if (event.eventName !== 'CreateUser' || address === undefined) return [];
        return [[event.eventID, String(scoreOf(address)), String(event['userAgent'])]];
      }),
    );
  });

  test('\\copy from a file into a table, which then gives keys', async () => {
    const file = join(directory, 'watch.csv');
    await writeFile(file, '91.240.118.3\n45.83.12.7\n');
    expect(
      await lines(
        [
          'create temp table watch (address inet);',
          `\\copy watch from '${file}' with (format csv)`,
          'select address, abuse_confidence_score from watch join abuseipdb_check_ip on ip_address = address order by 1;',
        ].join('\n'),
      ),
    ).toEqual(['45.83.12.7', '91.240.118.3'].map((address) => `${address}|${String(scoreOf(address))}`));
  });

  test('\\gset takes a row into variables, \\gdesc describes without a call', async () => {
    road.simulator.calls.reset();
    const statement = `select ip_address as ip, abuse_confidence_score as score from abuseipdb_check_ip where ip_address = '91.240.118.3'`;
    expect(await lines(`${statement} \\gdesc`)).toEqual(['ip|inet', 'score|integer']);
    expect(road.simulator.calls.count()).toBe(0);
    expect(await lines(`${statement} \\gset\n\\echo :ip scores :score`)).toEqual([
      `91.240.118.3 scores ${String(scoreOf('91.240.118.3'))}`,
    ]);
  });

  test('\\gexec, \\crosstabview and FETCH_COUNT', async () => {
    const each = `select format('select count(*) from cloudtrail_trail_event where event_name = %L', name) from (values ('CreateUser'), ('none')) as _(name)`;
    expect(await lines(`${each} \\gexec`)).toEqual(['24', '0']);
    const some = await lines(`\\set FETCH_COUNT 10\nselect event_id from cloudtrail_trail_event order by event_id;`);
    expect(some).toEqual(EVENTS.map((event) => event.eventID));
  });

  test.skipIf(!HAS_TERMINAL)('\\watch runs a statement again and again', async () => {
    const session = new Psql(road, { ...PLAIN, terminal: true });
    session.type(`select 'round ' || count(*) from cloudtrail_trail_event \\watch 0.1`);
    await session.until(/(round 120[^]*){2}/);
    session.interrupt();
    session.type(`select 'still ' || 'alive';`);
    await session.until(/still alive/);
    await session.end();
  });

  test('several statements of one string: what precedes an error is undone with it, and AUTOCOMMIT does as it says', async () => {
    const { stdout, stderr } = await psql(
      road,
      [
        `create table undone (x int)\\; select count(*) from guardduty_finding\\; select * from abuseipdb_check_ip;`,
        `select to_regclass('undone') is null;`,
        `begin; create temp table kept as select id from guardduty_finding; commit; select count(*) from kept;`,
      ].join('\n'),
      PLAIN,
    );
    expect(stderr).toContain('HV002');
    expect(stdout.split('\n').filter((line) => line !== '')).toEqual(['3', 't', '3']);
  });

  describe('by TLS', () => {
    test('with SCRAM bound to the channel', async () => {
      const conninfo = 'sslmode=require channel_binding=require';
      const { stdout, stderr } = await psql(road, `\\conninfo\nselect count(*) from guardduty_finding;`, {
        ...PLAIN,
        conninfo,
      });
      expect(stderr).toBe('');
      expect(stdout).toMatch(/SSL|TLS/);
      expect(stdout.trim().split('\n').at(-1)).toBe('3');
    });

    test('with the certificate verified', async () => {
      const conninfo = `sslmode=verify-full sslrootcert=${join(directory, 'cert.pem')}`;
      expect((await psql(road, 'select 1;', { ...PLAIN, conninfo })).stdout).toBe('1\n');
    });

    test('without a channel to bind to, a client that demands it is told', async () => {
      const { status, stderr } = await psql(road, 'select 1;', { conninfo: 'sslmode=disable channel_binding=require' });
      expect(stderr).toMatch(/channel binding/);
      expect(status).toBe(2);
    });

    test('a wrong password is refused as PostgreSQL refuses it', async () => {
      const { status, stderr } = await psql(road, 'select 1;', { password: 'wrong', conninfo: 'sslmode=require' });
      expect(stderr).toMatch(/FATAL: {2}password authentication failed for user "trailhound"/);
      expect(status).toBe(2);
    });
  });
});
