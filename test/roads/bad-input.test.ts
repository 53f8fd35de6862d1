import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CliProcess, run, temporaryDirectory } from '../cli/support/cli.ts';
import { incident } from './support/incident.ts';
import { openRoad, type Road } from './support/road.ts';

let directory: ReturnType<typeof temporaryDirectory>;

beforeAll(() => {
  directory = temporaryDirectory();
});

afterAll(() => {
  directory.remove();
});

describe('a configuration that cannot be used ends with status 2, before anything is started', () => {
  test.each([
    ['YAML that is none', 'listen: { port: 1\nconnections: [', /^trailhound: bad\.yaml:\d+:\d+: /],
    [
      'an unknown key',
      'connections:\n  aws:\n    regoins: [us-east-1]\n',
      /bad\.yaml:3:5: connections\.aws\.regoins: unknown key\n {2}Did you mean regions\?/,
    ],
    [
      'a region that is none',
      'connections:\n  aws:\n    regions: [Frankfurt am Main]\n',
      /bad\.yaml:3:15: connections\.aws\.regions\.0: expected a region/,
    ],
    [
      'a kind that does not exist',
      'connections: { okta: { kind: saml } }',
      /bad\.yaml:1:\d+: connections\.okta\.kind: expected aws, abuseipdb, files or http, found "saml"/,
    ],
    ['a port that is none', 'listen: { port: 99999 }', /bad\.yaml:1:\d+: listen\.port: expected a port, found "99999"/],
    [
      'a duration without a unit',
      'cache: { tables: { abuseipdb_check_ip: soon } }',
      /expected a duration, found "soon"\n {2}Write a number and a unit/,
    ],
    [
      'a certificate that is not there',
      'listen: { tls: { cert: no.pem, key: no.pem } }',
      /listen\.tls\.cert: cannot read .*no\.pem/,
    ],
  ])('%s', async (_, yaml, message) => {
    writeFileSync(join(directory.path, 'bad.yaml'), yaml);
    const args = ['serve', '--config', 'bad.yaml', '--data-dir', join(directory.path, 'data'), '--http-port', '0'];
    const { status, stdout, stderr } = await run(args, { cwd: directory.path });
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });
});

test('a server starts although the configuration names a table that is not there any more, and warns of it', async () => {
  writeFileSync(
    join(directory.path, 'dropped.yaml'),
    'listen: { port: 0, http_port: off }\ncache:\n  tables:\n    abuseipdb_chek_ip: 1h\n',
  );
  const args = ['serve', '--config', 'dropped.yaml', '--data-dir', join(directory.path, 'data')];
  const server = new CliProcess(args, { cwd: directory.path });
  await server.waitFor('stdout', /^ready: /);
  await server.stop('SIGTERM');
  expect(server.stderr).toContain(
    'dropped.yaml:4:5: cache.tables.abuseipdb_chek_ip: there is no such table. Did you mean abuseipdb_check_ip?',
  );
});

describe('`trailhound query` on a running server', () => {
  let road: Road;

  beforeAll(async () => {
    road = await openRoad({ simulator: { world: incident() } });
  });

  afterAll(async () => {
    await road.close();
  });

  const query = (...args: string[]) => run(['query', '--data-dir', road.dataDir, ...args], { cwd: directory.path });

  test.each([
    [
      `select * from cloudtrail_trail_event where log_group_name = 'Nome'`,
      /ERROR: {2}HV00N: .*Nome does not exist in us-east-1\nDETAIL: .*\nHINT: /,
    ],
    [
      `select * from abuseipdb_check_ip`,
      /^ERROR: {2}HV002: .*\nLINE 1: select \* from abuseipdb_check_ip\n +\^\nDETAIL: .*\nHINT: /,
    ],
    [
      `select * from cloudtrail_trail_event where log_group_name = 'CloudTrail/damaged'`,
      /ERROR: {2}HV000: .*\nDETAIL: .*event \d+ of log group/,
    ],
    [`set trailhound.max_lookup = 1; select id from guardduty_finding`, /ERROR: {2}42704: [^]*trailhound\.max_lookups/],
  ])('%s', async (statement, message) => {
    const { status, stderr } = await query(statement);
    expect(stderr).toMatch(message);
    expect(status).toBe(1);
  });

  test('answers after all of them', async () => {
    expect(await query('--output', 'csv', 'select count(*) from guardduty_finding')).toMatchObject({
      status: 0,
      stdout: 'count\n3\n',
    });
  });
});
