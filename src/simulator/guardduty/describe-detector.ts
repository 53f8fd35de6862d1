import type { Detector } from '../world.ts';

const CREATED_AT = '2024-01-15T09:30:00.000Z';
const FEATURES = [
  ['CLOUD_TRAIL', 'ENABLED'],
  ['DNS_LOGS', 'ENABLED'],
  ['FLOW_LOGS', 'ENABLED'],
  ['S3_DATA_EVENTS', 'ENABLED'],
  ['EKS_AUDIT_LOGS', 'DISABLED'],
  ['RDS_LOGIN_EVENTS', 'ENABLED'],
] as const;

/** GetDetector's answer. */
export function describeDetector(detector: Detector, accountId: string): unknown {
  const createdAt = detector.createdAt ?? CREATED_AT;
  return {
    createdAt,
    findingPublishingFrequency: detector.findingPublishingFrequency ?? 'SIX_HOURS',
    serviceRole: `arn:aws:iam::${accountId}:role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty`,
    status: detector.status ?? 'ENABLED',
    updatedAt: detector.updatedAt ?? createdAt,
    dataSources: {
      cloudTrail: { status: 'ENABLED' },
      dnsLogs: { status: 'ENABLED' },
      flowLogs: { status: 'ENABLED' },
      s3Logs: { status: 'ENABLED' },
      kubernetes: { auditLogs: { status: 'DISABLED' } },
    },
    tags: detector.tags ?? {},
    features: FEATURES.map(([name, status]) => ({
      name,
      status: detector.features?.[name] ?? status,
      updatedAt: Date.parse(createdAt) / 1_000,
    })),
  };
}
