import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { isPublic, readAddress, scoreOf } from './support/records.ts';
import { API_KEY, openRoad, sorted, textRows, type Road } from './support/road.ts';

const FILE = join(process.env.TRAILHOUND_TEST_DATA ?? '', 'guardduty', 'findings.ndjson');
const PRESENT = (process.env.TRAILHOUND_TEST_DATA ?? '') !== '' && existsSync(FILE);

type Json = Readonly<Record<string, unknown>>;

/** A member, whichever of GuardDuty's two spellings the finding is written in. */
function member(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((node, name) => {
    if (typeof node !== 'object' || node === null) return undefined;
    const fields = node as Json;
    return fields[name] ?? fields[name.charAt(0).toUpperCase() + name.slice(1)];
  }, value);
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The first address that the finding's action names. */
function remoteAddress(finding: Json): string | undefined {
  const action = member(finding, 'service', 'action');
  const probes = member(action, 'portProbeAction', 'portProbeDetails');
  const details: readonly unknown[] = [
    ...['networkConnectionAction', 'awsApiCallAction', 'kubernetesApiCallAction', 'rdsLoginAttemptAction'].map((name) =>
      member(action, name, 'remoteIpDetails'),
    ),
    ...(Array.isArray(probes) ? probes.map((probe) => member(probe, 'remoteIpDetails')) : []),
  ];
  const addresses = details.flatMap((each) => [member(each, 'ipAddressV4'), member(each, 'ipAddressV6')]);
  return addresses.map((address) => readAddress(text(address))).find((address) => address !== undefined);
}

if (!PRESENT) test.skip('real findings: TRAILHOUND_TEST_DATA names no folder of them', () => undefined);

describe.skipIf(!PRESENT)('over real GuardDuty findings', () => {
  let road: Road;
  let client: Client;
  let findings: readonly Json[];

  beforeAll(async () => {
    const lines = readFileSync(FILE, 'utf8').split('\n').filter(Boolean);
    const all = lines.map((line) => (JSON.parse(line) as { finding: Json }).finding);
    // GuardDuty has one finding of an id: the last.
    findings = [...new Map(all.map((finding) => [member(finding, 'id'), finding])).values()];
    const detectors = [{ detectorId: '12abc34d567e8fa901bc2d34e56789f0', findings: { files: [FILE] } }];
    road = await openRoad({
      simulator: {
        world: {
          accounts: [{ accountId: '111122223333', regions: [{ name: 'us-east-1', detectors }] }],
          abuseipdb: { apiKeys: [API_KEY], check: (address) => ({ abuseConfidenceScore: scoreOf(address) }) },
        },
      },
    });
    client = await road.connect();
  });

  afterAll(async () => {
    await road.close();
  });

  const expectIds = async (where: string, holds: (finding: Json) => boolean) => {
    const ids = findings.filter(holds).map((finding) => [text(member(finding, 'id'))]);
    expect(sorted(await textRows(client, `select id from guardduty_finding where ${where}`)), where).toEqual(
      sorted(ids),
    );
  };

  test('all of them come', async () => {
    await expectIds('true', () => true);
  });

  const severity = (finding: Json) => Number(member(finding, 'severity'));
  const updated = (finding: Json) => Date.parse(text(member(finding, 'updatedAt')));
  const created = (finding: Json) => Date.parse(text(member(finding, 'createdAt')));
  const TIME = Date.parse('2025-10-01T18:08:16.757Z');

  test.each<[where: string, holds: (finding: Json) => boolean]>([
    ['severity >= 8', (finding) => severity(finding) >= 8],
    ['severity > 8', (finding) => severity(finding) > 8],
    ['severity = 8.7', (finding) => severity(finding) === 8.7],
    ['severity < 8.7', (finding) => severity(finding) < 8.7],
    ['severity <= 2', (finding) => severity(finding) <= 2],
    ['severity between 4.5 and 5.5', (finding) => severity(finding) >= 4.5 && severity(finding) <= 5.5],
    ['severity <> 5', (finding) => severity(finding) !== 5],
    [`severity_label = 'HIGH'`, (finding) => severity(finding) >= 7 && severity(finding) < 9],
    [`severity_label in ('LOW', 'MEDIUM')`, (finding) => severity(finding) < 7],
    [
      `type = 'UnauthorizedAccess:EC2/SSHBruteForce'`,
      (finding) => member(finding, 'type') === 'UnauthorizedAccess:EC2/SSHBruteForce',
    ],
    [`type like 'Recon:%'`, (finding) => text(member(finding, 'type')).startsWith('Recon:')],
    [`type like '%!DNS'`, (finding) => text(member(finding, 'type')).endsWith('!DNS')],
    [`type not like 'Recon:%'`, (finding) => !text(member(finding, 'type')).startsWith('Recon:')],
    [`type <> 'Backdoor:EC2/Spambot'`, (finding) => member(finding, 'type') !== 'Backdoor:EC2/Spambot'],
    ['archived', (finding) => member(finding, 'service', 'archived') === true],
    ['not archived', (finding) => member(finding, 'service', 'archived') === false],
    ['archived is null', (finding) => member(finding, 'service', 'archived') === undefined],
    ['archived is not true', (finding) => member(finding, 'service', 'archived') !== true],
    [`resource_type = 'AccessKey'`, (finding) => member(finding, 'resource', 'resourceType') === 'AccessKey'],
    [
      `resource_type in ('S3Bucket', 'RDSDBInstance')`,
      (finding) => ['S3Bucket', 'RDSDBInstance'].includes(text(member(finding, 'resource', 'resourceType'))),
    ],
    [`updated_at >= '2025-10-01 18:08:16.757Z'`, (finding) => updated(finding) >= TIME],
    [`updated_at > '2025-10-01 18:08:16.757Z'`, (finding) => updated(finding) > TIME],
    [`updated_at < '2025-10-01 18:08:16.7571Z'`, (finding) => updated(finding) <= TIME],
    [`updated_at = '2025-10-01 18:08:16.757Z'`, (finding) => updated(finding) === TIME],
    [`created_at < '2020-01-01'`, (finding) => created(finding) < Date.UTC(2020, 0, 1)],
    ['created_at is null', (finding) => Number.isNaN(created(finding))],
    ['remote_ip is null', (finding) => remoteAddress(finding) === undefined],
    [`remote_ip = '198.51.100.0'`, (finding) => remoteAddress(finding) === '198.51.100.0'],
    [
      `remote_ip in ('198.51.100.0', '1.2.3.4')`,
      (finding) => ['198.51.100.0', '1.2.3.4'].includes(remoteAddress(finding) ?? ''),
    ],
    [`action_type = 'PORT_PROBE'`, (finding) => member(finding, 'service', 'action', 'actionType') === 'PORT_PROBE'],
  ])('%s', async (where, holds) => {
    await expectIds(where, holds);
  });

  test('with the reputation of their remote addresses, each public one asked for once', async () => {
    road.simulator.calls.reset();
    const rows = await textRows(
      client,
      `select f.id, f.remote_ip, a.abuse_confidence_score
       from guardduty_finding f left join abuseipdb_check_ip a on a.ip_address = f.remote_ip`,
    );
    const expected = findings.map((finding) => {
      const address = remoteAddress(finding);
      return [text(member(finding, 'id')), address ?? '', address === undefined ? '' : String(scoreOf(address))];
    });
    expect(sorted(rows)).toEqual(sorted(expected));
    const asked = [...road.simulator.calls.byKey({ service: 'abuseipdb' })];
    const addresses = new Set(
      findings.map(remoteAddress).filter((address) => address !== undefined && isPublic(address)),
    );
    expect(asked.sort()).toEqual([...addresses].map((address) => [address, 1]).sort());
  });
});
