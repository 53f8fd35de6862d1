import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import type { World } from '../../src/simulator/world.ts';
import { guarddutyDetectorSource } from '../../src/sources/aws/guardduty/detector-source.ts';
import { guarddutyFindingSource } from '../../src/sources/aws/guardduty/finding-source.ts';
import { exactJson } from '../../src/sources/exact-number.ts';
import { connectTo } from '../support/connect-to.ts';
import { startFakeService } from '../support/fake-service.ts';
import {
  allPages,
  allRecords,
  column,
  failure,
  predicate,
  scanRequest,
  testContext,
} from '../support/source-harness.ts';

const DETECTOR = '12abc34d567e8fa901bc2d34e56789f0';
const EU_DETECTOR = '22abc34d567e8fa901bc2d34e56789f0';
const SEVERITY = column('severity', 'severity', 'double precision');
const TYPE = column('type', 'type');
const ARCHIVED = column('archived', 'service.archived', 'boolean');
const UPDATED_AT = column('updated_at', 'updatedAt', 'timestamp with time zone');
const CONNECTION_NAME = column('connection_name', '@connection_name');

function finding(id: string, index: number, accountId = '111122223333') {
  return {
    schemaVersion: '2.0',
    accountId,
    region: 'us-east-1',
    partition: 'aws',
    id,
    arn: `arn:aws:guardduty:us-east-1:${accountId}:detector/${DETECTOR}/finding/${id}`,
    type: index % 2 === 0 ? 'Recon:EC2/PortProbe' : 'UnauthorizedAccess:IAMUser/TorIPCaller',
    severity: (index % 10) + 0.5,
    createdAt: '2026-11-01T00:00:00.000Z',
    updatedAt: new Date(Date.UTC(2026, 10, 1, 0, index)).toISOString(),
    title: 'A finding',
    description: 'Of a test.',
    resource: {
      resourceType: 'Instance',
      instanceDetails: { instanceId: `i-${index}`, tags: [{ key: 'Owner', value: 'Team A' }] },
    },
    service: { serviceName: 'guardduty', detectorId: DETECTOR, archived: index % 3 === 0, count: 1 },
  };
}

const FINDINGS = Array.from({ length: 130 }, (_, index) => finding(`f${String(index).padStart(3, '0')}`, index));

const WORLD: World = {
  accounts: [
    {
      accountId: '111122223333',
      regions: [
        {
          name: 'us-east-1',
          detectors: [
            {
              detectorId: DETECTOR,
              tags: { Owner: 'Team A' },
              findings: { records: [...FINDINGS, finding('member', 5, '777788889999')] },
            },
          ],
        },
        { name: 'eu-west-1', detectors: [{ detectorId: EU_DETECTOR, findings: { records: [] } }] },
        { name: 'eu-central-1' },
      ],
    },
  ],
};

let simulator: Simulator;

beforeEach(async () => {
  simulator = await startSimulator({ world: WORLD });
});

afterEach(async () => {
  await simulator.close();
});

const connect = connectTo(() => simulator);

function ids(records: readonly { readonly value: unknown }[]): string[] {
  return records.map(({ value }) => (value as { id: string }).id).sort();
}

test('all findings of all regions, archived or not, of member accounts too, by batches of 50', async () => {
  const records = await allRecords(guarddutyFindingSource([connect()]), scanRequest([]));
  expect(ids(records)).toEqual([...FINDINGS.map(({ id }) => id), 'member'].sort());
  expect(simulator.calls.count({ operation: 'GetFindings' })).toBe(3);
});

test('records are as on the wire, with user data left alone', async () => {
  const records = await allRecords(
    guarddutyFindingSource([connect()]),
    scanRequest([predicate(column('id', 'id'), '=', 'f000')]),
  );
  expect(records.map(({ value }) => value)).toMatchObject([FINDINGS[0] ?? {}]);
  expect(records.map(({ added }) => added['connection_name'])).toEqual(['aws']);
});

test('numbers of findings and detectors are as they were written', async () => {
  const text = '{"id":"f","severity":8.0,"service":{"n":12345678901234567,"list":[1.50,1E+3]}}';
  const service = await startFakeService(({ target }, response) =>
    response.end(target.endsWith('/findings/get') ? `{"findings":[${text}]}` : text),
  );
  try {
    const client = connect({ endpointUrl: `http://${service.host}` }).guardDuty('us-east-1');
    const { signal } = new AbortController();
    const { findings } = await client.getFindings('d', ['f'], signal);
    expect(findings.map(exactJson)).toEqual([text]);
    expect(exactJson((await client.getDetector('d', signal)).value)).toBe(text);
  } finally {
    await service.close();
  }
});

test.each([
  ['severity', [predicate(SEVERITY, '>=', '8.5')], (one: (typeof FINDINGS)[number]) => one.severity >= 8.5],
  [
    'type',
    [predicate(TYPE, '<>', 'Recon:EC2/PortProbe')],
    (one: (typeof FINDINGS)[number]) => one.type !== 'Recon:EC2/PortProbe',
  ],
  ['archived', [predicate(ARCHIVED, 'is true')], (one: (typeof FINDINGS)[number]) => one.service.archived],
  [
    'updated_at',
    [predicate(UPDATED_AT, '>', String(Date.UTC(2026, 10, 1, 2))), predicate(SEVERITY, '<', '3')],
    (one: (typeof FINDINGS)[number]) => Date.parse(one.updatedAt) > Date.UTC(2026, 10, 1, 2) && one.severity < 3,
  ],
])('a condition on %s finds at least what satisfies it, and less than all', async (_name, predicates, satisfies) => {
  const found = new Set(ids(await allRecords(guarddutyFindingSource([connect()]), scanRequest(predicates))));
  for (const one of FINDINGS.filter(satisfies)) expect(found).toContain(one.id);
  expect(found.size).toBeLessThan(FINDINGS.length);
});

test('a limit ends the lists', async () => {
  expect(
    await allRecords(guarddutyFindingSource([connect({ regions: ['us-east-1'] })]), scanRequest([], { limit: 7 })),
  ).toHaveLength(7);
  expect(simulator.calls.count({ operation: 'ListFindings' })).toBeLessThanOrEqual(6);
});

test('a region without a detector is no error; none anywhere is told', async () => {
  const context = testContext();
  expect(
    await allRecords(guarddutyFindingSource([connect({ regions: ['eu-central-1'] })]), scanRequest([]), context),
  ).toEqual([]);
  expect(context.notices).toEqual([
    {
      severity: 'NOTICE',
      message: 'GuardDuty has no detector in eu-central-1: findings exist only where one is enabled',
    },
  ]);
});

test('a failing region fails the statement, and is named', async () => {
  simulator.fault({
    service: 'guardduty',
    region: 'eu-west-1',
    effect: { kind: 'error', status: 403, code: 'AccessDeniedException', message: 'no' },
  });
  const error = await failure(allRecords(guarddutyFindingSource([connect()]), scanRequest([])));
  expect([error.kind, error.message]).toEqual([
    'credentials',
    'connection aws may not call guardduty:ListDetectors in eu-west-1',
  ]);
});

test('a failing batch fails the statement', async () => {
  simulator.fault({ service: 'guardduty', operation: 'GetFindings', effect: { kind: 'html' } });
  expect((await failure(allRecords(guarddutyFindingSource([connect()]), scanRequest([])))).kind).toBe('nonsense');
});

test('throttling is retried', async () => {
  simulator.fault({ service: 'guardduty', operation: 'ListFindings', times: 2, effect: { kind: 'throttle' } });
  const records = await allRecords(guarddutyFindingSource([connect()]), scanRequest([]), testContext({ attempts: 4 }));
  expect(records).toHaveLength(131);
});

test('an abort ends requests in flight', async () => {
  simulator.fault({ service: 'guardduty', operation: 'GetFindings', times: Infinity, effect: { kind: 'hang' } });
  const context = testContext();
  const reading = allPages(guarddutyFindingSource([connect()]), scanRequest([]), context);
  reading.catch(() => {});
  await simulator.calls.until((calls) => calls.count({ operation: 'GetFindings' }) === 3);
  const reason = new Error('canceling statement due to user request');
  context.abort(reason);
  await expect(reading).rejects.toBe(reason);
  await simulator.calls.until((calls) => calls.count({ state: 'open' }) === 0);
  expect(simulator.calls.count({ operation: 'GetFindings', state: 'aborted' })).toBe(3);
});

test('detectors, with what GetDetector says and where they are', async () => {
  const records = await allRecords(guarddutyDetectorSource([connect()]), scanRequest([]));
  expect(records.map(({ added }) => added['detector_id']).sort()).toEqual([DETECTOR, EU_DETECTOR]);
  const first = records.find(({ added }) => added['detector_id'] === DETECTOR);
  expect(first?.added).toEqual({
    detector_id: DETECTOR,
    arn: `arn:aws:guardduty:us-east-1:111122223333:detector/${DETECTOR}`,
    partition: 'aws',
    region: 'us-east-1',
    account_id: '111122223333',
    connection_name: 'aws',
  });
  expect(first?.value).toMatchObject({ status: 'ENABLED', tags: { Owner: 'Team A' } });
});

test('detectors are pruned by region, id and connection', async () => {
  const source = guarddutyDetectorSource([connect()]);
  const asked = async (...predicates: Parameters<typeof scanRequest>[0]) =>
    (await allRecords(source, scanRequest(predicates))).map(({ added }) => added['detector_id']);
  expect(await asked(predicate(column('region', '@region'), '=', 'eu-west-1'))).toEqual([EU_DETECTOR]);
  expect(await asked(predicate(column('detector_id', '@detector_id'), '=', DETECTOR))).toEqual([DETECTOR]);
  expect(await asked(predicate(CONNECTION_NAME, '=', 'other'))).toEqual([]);
});

test('pages say when the finding was updated that was updated last', async () => {
  const pages = await allPages(guarddutyFindingSource([connect()]), scanRequest([]), testContext());
  const newest = FINDINGS.map(({ updatedAt }) => Date.parse(updatedAt));
  expect(Math.max(...pages.map((page) => page.newest ?? 0))).toBe(Math.max(...newest));
});
