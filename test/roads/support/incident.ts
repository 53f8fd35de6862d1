import type { World } from '../../../src/simulator/world.ts';
import { API_KEY, LOG_GROUP } from './road.ts';
import { scoreOf, type TrailRecord } from './records.ts';

/** A made-up account: small enough to be computed by hand, with everything in it that the address column may hold. */

const SOURCES = [
  '45.83.12.7',
  '45.83.12.8',
  '045.083.012.007',
  'cloudformation.amazonaws.com',
  '91.240.118.3',
  'AWS Internal',
  '10.1.2.3',
  '45.83.12.9',
  null,
  '2a00:1450::8a',
  '203.0.113.9',
  '91.240.118.3',
] as const;
const NAMES = ['ListBuckets', 'CreateUser', 'GetObject', 'ConsoleLogin', 'AssumeRole'] as const;
const START = Date.UTC(2026, 10, 20, 8);

export const EVENTS: readonly (TrailRecord & { readonly eventID: string; readonly eventName: string })[] = Array.from(
  { length: 120 },
  (_, index) => ({
    eventVersion: '1.11',
    eventID: `event-${String(index).padStart(3, '0')}`,
    eventName: NAMES[index % NAMES.length] ?? '',
    eventSource: 'iam.amazonaws.com',
    eventTime: new Date(START + index * 60_000).toISOString().replace('.000Z', 'Z'),
    awsRegion: 'us-east-1',
    sourceIPAddress: SOURCES[(index * 5) % SOURCES.length] ?? null,
    userAgent: 'aws-cli/2.31 "quoted", with a comma',
    userIdentity: { type: 'IAMUser', userName: `user-${String(index % 4)}`, accessKeyId: 'AKIAMADEUPMADEUPMADE' },
    requestParameters: index % 2 === 0 ? { bucketName: `bucket-${String(index % 3)}` } : null,
  }),
);

/** `remote`: the address that it is about. */
export interface MadeUpFinding {
  readonly id: string;
  readonly severity: number;
  readonly remote: string | undefined;
}

/** The remote address of each finding. */
export const FINDINGS = [
  { id: 'f1', severity: 5, remote: '91.240.118.3' },
  { id: 'f2', severity: 8, remote: '185.220.101.34' },
  { id: 'f3', severity: 2, remote: undefined },
] as const;

const DETECTOR = '12abc34d567e8fa901bc2d34e56789f0';

function finding({ id, severity, remote }: MadeUpFinding) {
  return {
    schemaVersion: '2.0',
    accountId: '111122223333',
    region: 'us-east-1',
    partition: 'aws',
    id,
    arn: `arn:aws:guardduty:us-east-1:111122223333:detector/${DETECTOR}/finding/${id}`,
    type: 'UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom',
    severity,
    createdAt: '2026-11-20T08:00:00.000Z',
    updatedAt: '2026-11-20T09:00:00.000Z',
    title: `finding ${id}`,
    description: 'made up',
    resource: { resourceType: 'AccessKey' },
    service: {
      serviceName: 'guardduty',
      detectorId: DETECTOR,
      count: 1,
      archived: false,
      ...(remote === undefined
        ? {}
        : {
            action: {
              actionType: 'AWS_API_CALL',
              awsApiCallAction: { api: 'ListBuckets', remoteIpDetails: { ipAddressV4: remote } },
            },
          }),
    },
  };
}

/** `events`, `findings`: others in place of the incident's. */
export function incident(events: readonly unknown[] = EVENTS, findings: readonly MadeUpFinding[] = FINDINGS): World {
  return {
    accounts: [
      {
        accountId: '111122223333',
        regions: [
          {
            name: 'us-east-1',
            logGroups: [
              { name: LOG_GROUP, events: { records: events } },
              { name: 'CloudTrail/damaged', events: { records: [...events.slice(0, 2), 'END OF FILE'] } },
            ],
            detectors: [{ detectorId: DETECTOR, findings: { records: findings.map(finding) } }],
          },
        ],
      },
    ],
    abuseipdb: {
      apiKeys: [API_KEY],
      check: (address) => ({ abuseConfidenceScore: scoreOf(address), countryCode: 'NL' }),
    },
  };
}
