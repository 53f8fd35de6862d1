import { ADDRESSES } from './addresses.ts';
import { ACCOUNT_ID, role, service, user, userSession } from './account.ts';
import { Random } from './random.ts';
import type { DemoEvent } from './record.ts';

const HOUR_MS = 3_600_000;
const CONSOLE =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0';

/** A week of an ordinary account: about 2,500 events of management and what creates users in it every day. */
export function managementTraffic(from: Date, to: Date): readonly DemoEvent[] {
  return [...people(from, to), ...machines(from, to), ...everydayUserManagement(from, to)];
}

/** About 500 reads and writes of one bucket in eu-west-1, as its trail of data events sees them. */
export function dataTraffic(from: Date, to: Date): readonly DemoEvent[] {
  const random = new Random('data');
  return Array.from({ length: 480 }, (_, index): DemoEvent => {
    const time = between(from, to, (index + random.fraction()) / 480);
    const name = random.pick(['GetObject', 'GetObject', 'GetObject', 'PutObject']);
    const key = `exports/${time.toISOString().slice(0, 10)}/part-${random.below(40)}.parquet`;
    return {
      time,
      identity: role('reporting', 'i-0a1b2c3d4e5f60718', time),
      source: 's3',
      name,
      sourceIPAddress: random.pick([ADDRESSES.nat, '10.0.12.34', '10.0.12.35']),
      region: 'eu-west-1',
      userAgent: '[aws-sdk-java/2.35.1 Linux/6.1 OpenJDK_64-Bit_Server_VM/21]',
      request: { bucketName: 'demo-exports', key },
      category: 'Data',
      resources: [{ type: 'AWS::S3::Object', ARN: `arn:aws:s3:::demo-exports/${key}` }],
    };
  });
}

function people(from: Date, to: Date): DemoEvent[] {
  const random = new Random('people');
  const places = [
    ['alice', [ADDRESSES.office, ADDRESSES.aliceAtHome]],
    ['bob', [ADDRESSES.office, ADDRESSES.bobOnTheRoad]],
    ['carol', [ADDRESSES.office, ADDRESSES.carolAtHome]],
  ] as const;
  const events: DemoEvent[] = [];
  for (let day = from.getTime() + 2 * HOUR_MS; day + 10 * HOUR_MS < to.getTime(); day += 24 * HOUR_MS) {
    for (const [name, addresses] of places) {
      const sourceIPAddress = random.pick(addresses);
      const start = new Date(day + random.below(2 * HOUR_MS));
      if (random.fraction() < 0.3)
        events.push(signIn(name, new Date(start.getTime() - 40_000), sourceIPAddress, false));
      events.push(signIn(name, start, sourceIPAddress, true));
      const calls = 18 + random.below(14);
      for (let index = 0; index < calls; index += 1) {
        const time = new Date(start.getTime() + random.below(7 * HOUR_MS));
        const [source, call, request] = random.pick(READS);
        const identity = userSession(name, start, true);
        events.push({ time, identity, source, name: call, sourceIPAddress, userAgent: CONSOLE, request });
      }
    }
  }
  return events;
}

const READS = [
  ['ec2', 'DescribeInstances', { maxResults: 100, instancesSet: {}, filterSet: {} }],
  ['s3', 'ListBuckets', { Host: 's3.us-east-1.amazonaws.com' }],
  ['cloudwatch', 'DescribeAlarms', { maxRecords: 100 }],
  ['iam', 'ListUsers', { maxItems: 100 }],
  ['iam', 'GetAccountSummary', null],
  ['rds', 'DescribeDBInstances', { maxRecords: 100 }],
  ['logs', 'DescribeLogGroups', { limit: 50 }],
  ['cloudtrail', 'LookupEvents', { maxResults: 50 }],
] as const;

function signIn(name: string, time: Date, sourceIPAddress: string, success: boolean): DemoEvent {
  return {
    time,
    identity: user(name),
    source: 'signin',
    name: 'ConsoleLogin',
    sourceIPAddress,
    userAgent: CONSOLE,
    type: 'AwsConsoleSignIn',
    response: { ConsoleLogin: success ? 'Success' : 'Failure' },
    additional: {
      LoginTo: 'https://console.aws.amazon.com/console/home?region=us-east-1',
      MobileVersion: 'No',
      MFAUsed: success ? 'Yes' : 'No',
    },
    ...(success ? {} : { error: ['', 'Failed authentication'] as const }),
  };
}

function machines(from: Date, to: Date): DemoEvent[] {
  const random = new Random('machines');
  return Array.from({ length: 1_950 }, (_, index): DemoEvent => {
    const time = between(from, to, (index + random.fraction()) / 1_950);
    const kind = random.below(100);
    if (kind < 28) return assumedByService(time, random.pick(['ec2', 'lambda', 'ecs-tasks', 'config']));
    if (kind < 52) return workload(time, random);
    if (kind < 72) return build(time, random);
    if (kind < 82) {
      const sourceIPAddress = random.pick(['cloudtrail.amazonaws.com', 'config.amazonaws.com']);
      return {
        time,
        identity: service(sourceIPAddress),
        source: 's3',
        name: 'GetBucketAcl',
        sourceIPAddress,
        userAgent: sourceIPAddress,
        request: { bucketName: `management-events-${ACCOUNT_ID}`, acl: '' },
      };
    }
    if (kind < 92) {
      return {
        time,
        identity: role('AWSServiceRoleForAutoScaling', 'AutoScaling', time),
        source: 'ec2',
        name: random.pick(['DescribeInstanceStatus', 'DescribeInstances']),
        sourceIPAddress: 'autoscaling.amazonaws.com',
        userAgent: 'autoscaling.amazonaws.com',
      };
    }
    return {
      time,
      identity: role('reporting', 'i-0a1b2c3d4e5f60718', time),
      source: 'kms',
      name: 'Decrypt',
      sourceIPAddress: 'AWS Internal',
      userAgent: 'AWS Internal',
      request: { encryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
    };
  });
}

function assumedByService(time: Date, name: string): DemoEvent {
  return {
    time,
    identity: service(`${name}.amazonaws.com`),
    source: 'sts',
    name: 'AssumeRole',
    sourceIPAddress: `${name}.amazonaws.com`,
    userAgent: `${name}.amazonaws.com`,
    request: { roleArn: `arn:aws:iam::${ACCOUNT_ID}:role/${name}-role`, roleSessionName: name },
  };
}

function workload(time: Date, random: Random): DemoEvent {
  return {
    time,
    identity: role('web-backend', 'i-0f9e8d7c6b5a40312', time),
    source: 'secretsmanager',
    name: 'GetSecretValue',
    sourceIPAddress: random.pick([ADDRESSES.nat, ADDRESSES.nat, ADDRESSES.natWithZeros, '10.0.12.34']),
    userAgent: 'Boto3/1.40.50 md/Botocore#1.40.50 ua/2.1 os/linux#6.1 lang/python#3.13.7',
    request: { secretId: 'prod/web/session-key' },
  };
}

function build(time: Date, random: Random): DemoEvent {
  const [source, name] = random.pick([
    ['ecr', 'GetAuthorizationToken'],
    ['ecr', 'PutImage'],
    ['ecs', 'UpdateService'],
    ['cloudformation', 'DescribeStacks'],
  ]);
  return {
    time,
    identity: user('deploy-bot', 'AKIAEXAMPLEDEPLOYBOT'),
    source,
    name,
    sourceIPAddress: ADDRESSES.ci,
    userAgent: 'Terraform/1.13.3 (+https://www.terraform.io)',
  };
}

/** The callers of CreateUser that an account always has: people, pipelines, and AWS itself, which has no address. */
function everydayUserManagement(from: Date, to: Date): readonly DemoEvent[] {
  const at = (share: number): Date => between(from, to, share);
  const create = (userName: string) => ({
    source: 'iam',
    name: 'CreateUser',
    request: { userName },
    response: { user: { userName, arn: `arn:aws:iam::${ACCOUNT_ID}:user/${userName}`, path: '/' } },
  });
  return [
    {
      ...create('dave'),
      time: at(0.12),
      identity: userSession('carol', at(0.11), true),
      sourceIPAddress: ADDRESSES.office,
      userAgent: CONSOLE,
    },
    {
      ...create('erin'),
      time: at(0.3),
      identity: userSession('carol', at(0.29), true),
      sourceIPAddress: ADDRESSES.carolAtHome,
      userAgent: CONSOLE,
    },
    {
      ...create('metrics-writer'),
      time: at(0.41),
      identity: user('deploy-bot', 'AKIAEXAMPLEDEPLOYBOT'),
      sourceIPAddress: ADDRESSES.ci,
      userAgent: 'Terraform/1.13.3 (+https://www.terraform.io)',
    },
    {
      ...create('stack-mailer'),
      time: at(0.47),
      identity: { ...role('deploy', 'AWSCloudFormation', at(0.46)), invokedBy: 'cloudformation.amazonaws.com' },
      sourceIPAddress: 'cloudformation.amazonaws.com',
      userAgent: 'cloudformation.amazonaws.com',
    },
    {
      ...create('directory-sync'),
      time: at(0.55),
      identity: service('sso.amazonaws.com'),
      sourceIPAddress: 'AWS Internal',
      userAgent: 'AWS Internal',
    },
    {
      ...create('migrated'),
      time: at(0.6),
      identity: role('AWSServiceRoleForOrganizations', 'migration', at(0.6)),
      sourceIPAddress: null,
      userAgent: null,
    },
    {
      ...create('appliance'),
      time: at(0.66),
      identity: role('web-backend', 'i-0f9e8d7c6b5a40312', at(0.65)),
      sourceIPAddress: ADDRESSES.natWithZeros,
      error: [
        'AccessDenied',
        `User: arn:aws:sts::${ACCOUNT_ID}:assumed-role/web-backend/i-0f9e8d7c6b5a40312 is not authorized to perform: iam:CreateUser`,
      ],
    },
  ];
}

function between(from: Date, to: Date, share: number): Date {
  return new Date(from.getTime() + share * (to.getTime() - from.getTime()));
}
