import { hash } from '../hash.ts';
import { ADDRESSES } from './addresses.ts';
import { ACCOUNT_ID, CREATED_KEY, LEAKED_KEY, UNUSED_REGION } from './account.ts';
import { INTRUSION_HOURS_AGO, STOPPED_TRAIL } from './intrusion.ts';

export const DETECTORS: Readonly<Record<string, string>> = {
  'us-east-1': '12abc34d567e8fa901bc2d34e56789f0',
  'eu-west-1': '34cde56f789a0bc123de4f56a78901b2',
  [UNUSED_REGION]: '56efa78b901c2de345fa6b78c90123d4',
};

interface DemoFinding {
  readonly region: string;
  readonly type: string;
  readonly severity: number;
  readonly title: string;
  readonly description: string;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly action: Readonly<Record<string, unknown>>;
  readonly resourceRole: 'TARGET' | 'ACTOR';
  /** Minutes of the intrusion. */
  readonly firstSeen: number;
  readonly lastSeen?: number;
  readonly count?: number;
  readonly archived?: boolean;
  readonly sample?: boolean;
  readonly threatListName?: string;
}

/** What GuardDuty made of the intrusion, as its HTTP bodies say it. */
export function findingsOf(region: string, now: Date): readonly unknown[] {
  return FINDINGS.filter((finding) => finding.region === region).map((finding) => toWire(finding, now));
}

const REMOTE = {
  tor: remote(ADDRESSES.tor, 'Germany', 'Frankfurt am Main', '64500', 'Example Exit Relays'),
  hosting: remote(ADDRESSES.hosting, 'Netherlands', 'Amsterdam', '64501', 'Example Bulletproof Hosting'),
  guesser: remote(ADDRESSES.guesser, 'Romania', 'Bucharest', '64502', 'Example Cheap Servers'),
  scout: remote(ADDRESSES.scout, 'Singapore', 'Singapore', '64503', 'Example Private VPN'),
} as const;

const FINDINGS: readonly DemoFinding[] = [
  {
    region: 'us-east-1',
    type: 'Recon:IAMUser/MaliciousIPCaller.Custom',
    severity: 5,
    title: 'Reconnaissance API GetCallerIdentity was invoked from an IP address on a custom threat list.',
    description: `APIs commonly used in reconnaissance were invoked from ${ADDRESSES.scout}, which is on a custom threat list.`,
    resource: accessKey('deploy-bot', LEAKED_KEY),
    action: apiCall('GetCallerIdentity', 'sts.amazonaws.com', REMOTE.scout),
    resourceRole: 'TARGET',
    firstSeen: 0,
    threatListName: 'office-watchlist',
  },
  {
    region: 'us-east-1',
    type: 'Persistence:IAMUser/AnomalousBehavior',
    severity: 5,
    title: 'The user deploy-bot anomalously invoked APIs commonly used in Persistence tactics.',
    description:
      'APIs commonly used in Persistence tactics were invoked by user deploy-bot under anomalous circumstances.',
    resource: accessKey('deploy-bot', LEAKED_KEY),
    action: apiCall('CreateUser', 'iam.amazonaws.com', REMOTE.tor),
    resourceRole: 'TARGET',
    firstSeen: 23,
    lastSeen: 27,
    count: 4,
  },
  {
    region: 'us-east-1',
    type: 'UnauthorizedAccess:IAMUser/TorIPCaller',
    severity: 5,
    title: 'An API was invoked from a Tor exit node.',
    description: `The API CreateAccessKey was invoked from the Tor exit node ${ADDRESSES.tor}.`,
    resource: accessKey('deploy-bot', LEAKED_KEY),
    action: apiCall('CreateAccessKey', 'iam.amazonaws.com', REMOTE.tor),
    resourceRole: 'TARGET',
    firstSeen: 25,
    threatListName: 'ProofPoint',
  },
  {
    region: 'us-east-1',
    type: 'CredentialAccess:IAMUser/AnomalousBehavior',
    severity: 5,
    title: 'The user svc-backup anomalously invoked APIs commonly used in CredentialAccess tactics.',
    description:
      'APIs commonly used in CredentialAccess tactics were invoked by user svc-backup under anomalous circumstances.',
    resource: accessKey('svc-backup', CREATED_KEY),
    action: apiCall('GetSecretValue', 'secretsmanager.amazonaws.com', REMOTE.hosting),
    resourceRole: 'TARGET',
    firstSeen: 80,
    lastSeen: 83,
    count: 4,
  },
  {
    region: 'eu-west-1',
    type: 'Stealth:IAMUser/CloudTrailLoggingDisabled',
    severity: 2,
    title: `AWS CloudTrail trail ${STOPPED_TRAIL} was disabled.`,
    description: `AWS CloudTrail trail ${STOPPED_TRAIL} was disabled by svc-backup calling StopLogging.`,
    resource: accessKey('svc-backup', 'ASIAEXAMPLESVCBACKUP'),
    action: apiCall('StopLogging', 'cloudtrail.amazonaws.com', REMOTE.tor),
    resourceRole: 'TARGET',
    firstSeen: 92,
  },
  {
    region: 'eu-west-1',
    type: 'CredentialAccess:RDS/AnomalousBehavior.SuccessfulBruteForce',
    severity: 8,
    title: 'User admin logged into RDS database db-customers after a brute force pattern.',
    description: `User admin successfully logged into RDS database db-customers from ${ADDRESSES.guesser} after a brute force pattern.`,
    resource: {
      resourceType: 'RDSDBInstance',
      rdsDbInstanceDetails: {
        dbInstanceIdentifier: 'db-customers',
        engine: 'Aurora PostgreSQL',
        engineVersion: '16.4',
        dbClusterIdentifier: 'customers',
        dbInstanceArn: `arn:aws:rds:eu-west-1:${ACCOUNT_ID}:db:db-customers`,
        tags: [{ key: 'team', value: 'crm' }],
      },
      rdsDbUserDetails: {
        user: 'admin',
        application: 'psql',
        database: 'customers',
        ssl: 'TLSv1.3',
        authMethod: 'SCRAM-SHA-256',
      },
    },
    action: {
      actionType: 'RDS_LOGIN_ATTEMPT',
      rdsLoginAttemptAction: {
        remoteIpDetails: REMOTE.guesser,
        LoginAttributes: [{ user: 'admin', application: 'psql', failedLoginAttempts: 41, successfulLoginAttempts: 1 }],
      },
    },
    resourceRole: 'TARGET',
    firstSeen: 31,
    lastSeen: 47,
    count: 42,
  },
  {
    region: 'eu-west-1',
    type: 'Recon:EC2/PortProbeUnprotectedPort',
    severity: 2,
    title: 'An unprotected port on EC2 instance i-0f9e8d7c6b5a40312 is being probed.',
    description: `An unprotected port on EC2 instance i-0f9e8d7c6b5a40312 is being probed by ${ADDRESSES.guesser}.`,
    resource: instance('i-0f9e8d7c6b5a40312', 'm7i.large', 'eu-west-1a', '10.0.12.34'),
    action: {
      actionType: 'PORT_PROBE',
      portProbeAction: {
        blocked: false,
        portProbeDetails: [
          { localPortDetails: { port: 5432, portName: 'PostgreSQL' }, remoteIpDetails: REMOTE.guesser },
        ],
      },
    },
    resourceRole: 'TARGET',
    firstSeen: -3_000,
    lastSeen: -2_400,
    count: 17,
    archived: true,
  },
  {
    region: UNUSED_REGION,
    type: 'CryptoCurrency:EC2/BitcoinTool.B',
    severity: 8,
    title: 'EC2 instance i-0badc0ffee000001 is communicating with a cryptocurrency related IP address.',
    description: `EC2 instance i-0badc0ffee000001 is querying ${ADDRESSES.hosting}, which is associated with cryptocurrency.`,
    resource: instance('i-0badc0ffee000001', 'p3.16xlarge', `${UNUSED_REGION}a`, '172.31.7.8'),
    action: {
      actionType: 'NETWORK_CONNECTION',
      networkConnectionAction: {
        blocked: false,
        connectionDirection: 'OUTBOUND',
        protocol: 'TCP',
        localPortDetails: { port: 49_812, portName: 'Unknown' },
        remotePortDetails: { port: 3_333, portName: 'Unknown' },
        localIpDetails: { ipAddressV4: '172.31.7.8' },
        remoteIpDetails: REMOTE.hosting,
      },
    },
    resourceRole: 'ACTOR',
    firstSeen: 72,
    lastSeen: 700,
    count: 94,
  },
  {
    region: UNUSED_REGION,
    type: 'CryptoCurrency:EC2/BitcoinTool.B!DNS',
    severity: 8,
    title: 'EC2 instance i-0badc0ffee000002 is querying a domain name associated with cryptocurrency.',
    description: 'EC2 instance i-0badc0ffee000002 is querying the domain name pool.miner.example.',
    resource: instance('i-0badc0ffee000002', 'p3.16xlarge', `${UNUSED_REGION}b`, '172.31.9.10'),
    action: {
      actionType: 'DNS_REQUEST',
      dnsRequestAction: { domain: 'pool.miner.example', protocol: 'UDP', blocked: false },
    },
    resourceRole: 'ACTOR',
    firstSeen: 73,
    lastSeen: 705,
    count: 210,
  },
  {
    region: 'us-east-1',
    type: 'Backdoor:EC2/C&CActivity.B!DNS',
    severity: 8,
    title: '[SAMPLE] A command and control domain name is being queried by EC2 instance i-99999999.',
    description: 'A command and control domain name is being queried by EC2 instance i-99999999.',
    resource: instance('i-99999999', 'm3.xlarge', 'generated-az-1a', '10.0.0.1'),
    action: {
      actionType: 'DNS_REQUEST',
      dnsRequestAction: { domain: 'GeneratedFindingDomainName', protocol: 'UDP', blocked: true },
    },
    resourceRole: 'TARGET',
    firstSeen: -4_000,
    sample: true,
  },
];

function toWire(finding: DemoFinding, now: Date): unknown {
  const start = now.getTime() - INTRUSION_HOURS_AGO * 3_600_000;
  const at = (minutes: number): string => new Date(Math.min(start + minutes * 60_000, now.getTime())).toISOString();
  const detectorId = DETECTORS[finding.region] ?? '';
  const id = [0, 1, 2, 3].map((part) => hash(`${finding.type} ${part}`).toString(16).padStart(8, '0')).join('');
  const lastSeen = finding.lastSeen ?? finding.firstSeen;
  return {
    accountId: ACCOUNT_ID,
    arn: `arn:aws:guardduty:${finding.region}:${ACCOUNT_ID}:detector/${detectorId}/finding/${id}`,
    // GuardDuty takes some minutes to make a finding of what it saw.
    createdAt: at(finding.firstSeen + 9),
    description: finding.description,
    id,
    partition: 'aws',
    region: finding.region,
    resource: finding.resource,
    schemaVersion: '2.0',
    service: {
      action: finding.action,
      ...(finding.threatListName === undefined
        ? {}
        : { evidence: { threatIntelligenceDetails: [{ threatListName: finding.threatListName, threatNames: [] }] } }),
      archived: finding.archived ?? false,
      count: finding.count ?? 1,
      detectorId,
      eventFirstSeen: at(finding.firstSeen),
      eventLastSeen: at(lastSeen),
      resourceRole: finding.resourceRole,
      serviceName: 'guardduty',
      additionalInfo: { value: JSON.stringify(finding.sample === true ? { sample: true } : {}), type: 'default' },
    },
    severity: finding.severity,
    title: finding.title,
    type: finding.type,
    updatedAt: at(lastSeen + 9),
  };
}

function remote(ipAddressV4: string, countryName: string, cityName: string, asn: string, org: string) {
  return {
    city: { cityName },
    country: { countryName },
    geoLocation: { lat: 0, lon: 0 },
    ipAddressV4,
    organization: { asn, asnOrg: org, isp: org, org },
  };
}

function accessKey(userName: string, accessKeyId: string): Readonly<Record<string, unknown>> {
  return {
    resourceType: 'AccessKey',
    accessKeyDetails: {
      accessKeyId,
      principalId: `AIDAEXAMPLE${userName.replaceAll('-', '').toUpperCase()}`,
      userName,
      userType: 'IAMUser',
    },
  };
}

function apiCall(api: string, serviceName: string, remoteIpDetails: unknown): Readonly<Record<string, unknown>> {
  return {
    actionType: 'AWS_API_CALL',
    awsApiCallAction: { api, callerType: 'Remote IP', remoteIpDetails, serviceName, affectedResources: {} },
  };
}

function instance(
  instanceId: string,
  instanceType: string,
  availabilityZone: string,
  privateIpAddress: string,
): Readonly<Record<string, unknown>> {
  return {
    resourceType: 'Instance',
    instanceDetails: {
      availabilityZone,
      imageId: 'ami-0abcdef1234567890',
      instanceId,
      instanceState: 'running',
      instanceType,
      networkInterfaces: [
        {
          networkInterfaceId: 'eni-0123456789abcdef0',
          privateIpAddress,
          privateIpAddresses: [{ privateIpAddress }],
          subnetId: 'subnet-0123456789abcdef0',
          vpcId: 'vpc-0123456789abcdef0',
          securityGroups: [{ groupId: 'sg-0123456789abcdef0', groupName: 'default' }],
        },
      ],
      tags: [],
    },
  };
}
