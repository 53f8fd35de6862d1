import {
  GetDetectorCommand,
  GetFindingsCommand,
  ListDetectorsCommand,
  ListFindingsCommand,
  paginateListFindings,
} from '@aws-sdk/client-guardduty';
import type { Condition } from '@aws-sdk/client-guardduty';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { singleLogGroup } from '../../src/simulator/world.ts';
import type { Findings } from '../../src/simulator/world.ts';
import { guardDutyClient } from './clients.ts';

const DetectorId = '12abc34d567e8fa901bc2d34e56789f0';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function simulate(findings: Findings, notEqualMatchesMissing?: boolean) {
  const simulator = await startSimulator({ world: singleLogGroup({ records: [] }, findings), notEqualMatchesMissing });
  const client = guardDutyClient(simulator.url);
  cleanUp.push(
    () => simulator.close(),
    () => {
      client.destroy();
    },
  );
  return { simulator, client };
}

/** Severity 1.5, 2.5 …; every third archived, one of four with a remote address. */
const findings = Array.from({ length: 120 }, (_, index) => ({
  id: `f${index}`,
  type: index % 2 === 0 ? 'Recon:EC2/PortProbe' : 'Stealth:IAMUser/Logging',
  severity: (index % 8) + 1.5,
  updatedAt: new Date(Date.UTC(2026, 10, 1) + index * 60_000).toISOString(),
  resource: {
    resourceType: 'Instance',
    instanceDetails: {
      instanceId: `i-${index}`,
      networkInterfaces: [{ publicIp: `1.1.1.${index}` }, { publicIp: '9.9.9.9' }],
    },
  },
  service: {
    ...(index % 3 === 0 ? { archived: true } : {}),
    ...(index % 4 === 0
      ? { action: { awsApiCallAction: { remoteIpDetails: { ipAddressV4: `2.2.2.${index}` } } } }
      : {}),
  },
}));

describe('ListFindings and GetFindings', () => {
  it('page through all ids by 50, in the order of the sort criterion', async () => {
    const { client } = await simulate({ records: findings });
    const pages: string[][] = [];
    const input = { DetectorId, SortCriteria: { AttributeName: 'updatedAt', OrderBy: 'DESC' } } as const;
    for await (const page of paginateListFindings({ client }, input)) pages.push(page.FindingIds ?? []);
    expect(pages.map((page) => page.length)).toEqual([50, 50, 20]);
    expect(pages.flat()).toEqual(findings.map(({ id }) => id).reverse());
  });

  it.each<[string, Record<string, Condition>, (finding: (typeof findings)[number]) => boolean]>([
    ['equals', { type: { Equals: ['Stealth:IAMUser/Logging', 'x'] } }, ({ type }) => type.startsWith('Stealth')],
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- still sent by older clients
    ['the old name of equals', { type: { Eq: ['Stealth:IAMUser/Logging'] } }, ({ type }) => type.startsWith('Stealth')],
    ['notEquals', { type: { NotEquals: ['Stealth:IAMUser/Logging'] } }, ({ type }) => type.startsWith('Recon')],
    [
      'a Long against the double that severity is',
      { severity: { GreaterThanOrEqual: 7 } },
      ({ severity }) => severity >= 7,
    ],
    ['a range', { severity: { GreaterThan: 2, LessThan: 4 } }, ({ severity }) => severity > 2 && severity < 4],
    [
      'updatedAt in epoch milliseconds, inclusive',
      { updatedAt: { LessThanOrEqual: Date.UTC(2026, 10, 1) + 60_000 } },
      ({ id }) => id === 'f0' || id === 'f1',
    ],
    ['archived', { 'service.archived': { Equals: ['true'] } }, ({ service }) => service.archived === true],
    ['not archived', { 'service.archived': { Equals: ['false'] } }, ({ service }) => service.archived !== true],
    [
      'any element of an array on the way',
      { 'resource.instanceDetails.networkInterfaces.publicIp': { Equals: ['1.1.1.7'] } },
      ({ id }) => id === 'f7',
    ],
    [
      'several attributes at once',
      { severity: { GreaterThanOrEqual: 8 }, type: { Equals: ['Recon:EC2/PortProbe'] } },
      ({ severity, type }) => severity >= 8 && type.startsWith('Recon'),
    ],
  ])('evaluate %s', async (_, Criterion, expected) => {
    const { client } = await simulate({ records: findings });
    const ids: string[] = [];
    for await (const page of paginateListFindings({ client }, { DetectorId, FindingCriteria: { Criterion } })) {
      ids.push(...(page.FindingIds ?? []));
    }
    expect(ids).toEqual(findings.filter(expected).map(({ id }) => id));
  });

  it('take a missing attribute for different only where they are told to', async () => {
    const Criterion = { 'service.action.awsApiCallAction.remoteIpDetails.ipAddressV4': { NotEquals: ['2.2.2.0'] } };
    const count = async (wide: boolean) => {
      const { client } = await simulate({ records: findings.slice(0, 8) }, wide);
      return (await client.send(new ListFindingsCommand({ DetectorId, FindingCriteria: { Criterion } }))).FindingIds
        ?.length;
    };
    expect([await count(false), await count(true)]).toEqual([1, 7]);
  });

  it.each<[string, object]>([
    ['an attribute that is not documented', { FindingCriteria: { Criterion: { createdAt: { GreaterThan: 1 } } } }],
    ['a fraction for a Long', { FindingCriteria: { Criterion: { severity: { GreaterThan: 6.5 } } } }],
    [
      '51 values',
      { FindingCriteria: { Criterion: { id: { Equals: Array.from({ length: 51 }, (_, index) => `f${index}`) } } } },
    ],
    ['51 results', { MaxResults: 51 }],
    ['an unknown detector', { DetectorId: 'nobody' }],
    ['a token of nobody', { NextToken: 'x' }],
  ])('refuse %s', async (_, input) => {
    const { client } = await simulate({ records: findings });
    await expect(client.send(new ListFindingsCommand({ DetectorId, ...input }))).rejects.toMatchObject({
      name: 'BadRequestException',
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('give the findings of 50 ids at most, and leave out those that do not exist', async () => {
    const { client } = await simulate({ records: findings });
    const { Findings } = await client.send(new GetFindingsCommand({ DetectorId, FindingIds: ['f3', 'none', 'f1'] }));
    expect(Findings).toMatchObject([
      { Id: 'f1', Severity: 2.5, Resource: { InstanceDetails: { InstanceId: 'i-1' } } },
      { Id: 'f3', Service: { Archived: true } },
    ]);
    const tooMany = new GetFindingsCommand({ DetectorId, FindingIds: findings.slice(0, 51).map(({ id }) => id) });
    await expect(client.send(tooMany)).rejects.toMatchObject({ name: 'BadRequestException' });
  });

  it('read findings as SDKs print them, in envelopes and wrapped, the last of an id', async () => {
    const { client } = await simulate({
      records: [
        { Id: 'a', Severity: 1, Service: { Action: { RdsLoginAttemptAction: { LoginAttributes: [{ User: 'u' }] } } } },
        { 'detail-type': 'GuardDuty Finding', detail: { id: 'b', severity: 2 } },
        { source: 'somewhere', finding: { id: 'c', severity: 3 } },
        { id: 'c', severity: 4 },
      ],
    });
    const { Findings } = await client.send(new GetFindingsCommand({ DetectorId, FindingIds: ['a', 'b', 'c'] }));
    expect(Findings?.map(({ Id, Severity }) => [Id, Severity])).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 4],
    ]);
    expect(Findings?.[0]?.Service?.Action?.RdsLoginAttemptAction?.LoginAttributes).toEqual([{ User: 'u' }]);
  });
});

describe('ListDetectors and GetDetector', () => {
  it('describe the region’s detectors', async () => {
    const { client } = await simulate({ records: [] });
    expect((await client.send(new ListDetectorsCommand({}))).DetectorIds).toEqual([DetectorId]);
    const detector = await client.send(new GetDetectorCommand({ DetectorId }));
    expect(detector).toMatchObject({ Status: 'ENABLED', DataSources: { S3Logs: { Status: 'ENABLED' } } });
    expect(detector.Features?.length).toBeGreaterThan(3);
  });
});

const testData = process.env['TRAILHOUND_TEST_DATA'];

describe.skipIf(testData === undefined)('with TRAILHOUND_TEST_DATA', () => {
  it('serves real findings, those of SDK form with the members that the SDK gives back', async () => {
    const file = join(testData ?? '', 'guardduty', 'findings.ndjson');
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    const originals = lines.map((line) => (JSON.parse(line) as { finding: Record<string, unknown> }).finding);
    const byId = new Map(originals.map((finding) => [finding['id'] ?? finding['Id'], finding]));
    const { client } = await simulate({ files: [file] });
    const ids: string[] = [];
    for await (const page of paginateListFindings({ client }, { DetectorId })) ids.push(...(page.FindingIds ?? []));
    expect(new Set(ids)).toEqual(new Set(byId.keys()));
    const { Findings } = await client.send(new GetFindingsCommand({ DetectorId, FindingIds: ids.slice(0, 50) }));
    expect(Findings?.length).toBe(ids.length);
    for (const finding of Findings ?? []) {
      const original = byId.get(finding.Id);
      expect(finding.Type).toBe(original?.['type'] ?? original?.['Type']);
      expect(finding.Severity).toBe(original?.['severity'] ?? original?.['Severity']);
      expect(finding.Resource?.ResourceType).toBeDefined();
    }
  });
});
