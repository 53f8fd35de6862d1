import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Hunt } from '../../src/hunts/hunt.ts';
import type { Account, World } from '../../src/simulator/world.ts';

/**
 * What a hunt must find and what it must not, on the path of its file: `queries/ecr/put-image.sql` has
 * `test/queries/ecr/put-image.yaml`. Records and findings are as AWS delivers them, but for what every one has, which
 * may be left out.
 */
const FIXTURE = z.strictObject({
  /** What all records below share. */
  record: z.record(z.string(), z.unknown()).default({}),
  /** Each is a row: it has the event's id. */
  match: z.array(z.record(z.string(), z.unknown())).default([]),
  /** None of these is. */
  other: z.array(z.record(z.string(), z.unknown())).default([]),
  finding: z.record(z.string(), z.unknown()).default({}),
  matching_findings: z.array(z.record(z.string(), z.unknown())).default([]),
  other_findings: z.array(z.record(z.string(), z.unknown())).default([]),
  /** AbuseIPDB's answers. An address that is not named has a score of 0. */
  addresses: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  parameters: z.record(z.string(), z.string()).default({}),
  /** What GuardDuty's detector is besides its findings. */
  detector: z.record(z.string(), z.unknown()).default({}),
  trails: z.array(z.record(z.string(), z.unknown())).optional(),
  /** Where rows are not events: all of them in order, each with the columns that matter. */
  rows: z.array(z.record(z.string(), z.unknown())).optional(),
});
export type Fixture = z.infer<typeof FIXTURE>;

export const LOG_GROUP = 'CloudTrail/GlobalServiceEvents';
const ACCOUNT_ID = '111122223333';
const DETECTOR_ID = '12abc34d567e8fa901bc2d34e56789f0';

export const fixturePath = (hunt: Hunt) => fileURLToPath(new URL(`${hunt.id}.yaml`, import.meta.url));

export async function readFixture(hunt: Hunt): Promise<Fixture> {
  return FIXTURE.parse(parse(await readFile(fixturePath(hunt), 'utf8')));
}

/** The ids that a fixture's matching records and findings have. */
export function expectedIds({ match, matching_findings: findings }: Fixture): string[] {
  return [
    ...match.map((record, index) => idOf(record, 'eventID', `match-${index + 1}`)),
    ...findings.map((finding, index) => idOf(finding, 'Id', `finding-${index + 1}`)),
  ];
}

function idOf(value: Readonly<Record<string, unknown>>, key: string, otherwise: string): string {
  const own = value[key];
  return typeof own === 'string' ? own : otherwise;
}

export function worldOf(fixture: Fixture, now: Date): World {
  const records = [
    ...fixture.match.map((record, index) => recordOf(fixture, record, `match-${index + 1}`, now)),
    ...fixture.other.map((record, index) => recordOf(fixture, record, `other-${index + 1}`, now)),
  ];
  const findings = [
    ...fixture.matching_findings.map((finding, index) => findingOf(fixture, finding, `finding-${index + 1}`, now)),
    ...fixture.other_findings.map((finding, index) => findingOf(fixture, finding, `other-finding-${index + 1}`, now)),
  ];
  const trails = (fixture.trails ?? [
    { name: 'management-events', homeRegion: 'us-east-1', logGroupName: LOG_GROUP, isMultiRegionTrail: true },
  ]) as unknown as Account['trails'];
  return {
    accounts: [
      {
        accountId: ACCOUNT_ID,
        regions: [
          {
            name: 'us-east-1',
            logGroups: [{ name: LOG_GROUP, events: { records, delivery: { maxDelayMs: 0 } } }],
            detectors: [{ detectorId: DETECTOR_ID, ...fixture.detector, findings: { records: findings } }],
          },
        ],
        trails,
      },
    ],
    abuseipdb: { check: (address) => ({ abuseConfidenceScore: 0, ...fixture.addresses[address] }) },
  };
}

/** `minutesAgo` in place of a time, which tests have no use for; an hour where it is not said. */
function recordOf(fixture: Fixture, own: Readonly<Record<string, unknown>>, eventID: string, now: Date) {
  const { minutesAgo = 60, ...record } = { ...fixture.record, ...own };
  if ('detail-type' in record) return record;
  return {
    eventVersion: '1.11',
    userIdentity: {
      type: 'IAMUser',
      userName: 'ann',
      arn: `arn:aws:iam::${ACCOUNT_ID}:user/ann`,
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    },
    eventTime: ago(now, minutesAgo),
    awsRegion: 'us-east-1',
    sourceIPAddress: '198.51.100.10',
    userAgent: 'aws-cli/2.31.4',
    requestParameters: null,
    responseElements: null,
    eventID,
    eventType: 'AwsApiCall',
    managementEvent: true,
    readOnly: false,
    recipientAccountId: ACCOUNT_ID,
    eventCategory: 'Management',
    ...record,
  };
}

function findingOf(fixture: Fixture, own: Readonly<Record<string, unknown>>, id: string, now: Date) {
  const { minutesAgo = 60, Service, ...finding } = { ...fixture.finding, ...own } as Record<string, unknown>;
  return {
    SchemaVersion: '2.0',
    AccountId: ACCOUNT_ID,
    Region: 'us-east-1',
    Partition: 'aws',
    Id: id,
    Arn: `arn:aws:guardduty:us-east-1:${ACCOUNT_ID}:detector/${DETECTOR_ID}/finding/${id}`,
    Severity: 5,
    CreatedAt: ago(now, minutesAgo),
    UpdatedAt: ago(now, minutesAgo),
    Title: 'made up',
    Description: 'made up',
    ...finding,
    Service: {
      ServiceName: 'guardduty',
      DetectorId: DETECTOR_ID,
      Count: 1,
      Archived: false,
      ...(Service as object | undefined),
    },
  };
}

function ago(now: Date, minutes: unknown): string {
  return `${new Date(now.getTime() - Number(minutes) * 60_000).toISOString().slice(0, 19)}Z`;
}
