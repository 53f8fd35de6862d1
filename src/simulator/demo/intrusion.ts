import { ADDRESSES } from './addresses.ts';
import { ACCOUNT_ID, CREATED_KEY, LEAKED_KEY, UNUSED_REGION, role, user, userSession } from './account.ts';
import type { DemoEvent } from './record.ts';

/** How long before now it begins, in hours; it lasts two. */
export const INTRUSION_HOURS_AGO = 30;

const BACKDOOR = 'svc-backup';
const DENIED = 'User: arn:aws:iam::111122223333:user/deploy-bot is not authorized to perform this action';

/** The trail that is stopped, and for how many minutes of the intrusion. */
export const STOPPED_TRAIL = 'eu-data-events';
export const STOPPED_MINUTES = { from: 92, to: 104 } as const;

/**
 * deploy-bot's access key has leaked. Somebody looks around with it, makes a user of his own, signs in to the console,
 * starts miners in a region that nobody uses, reads secrets, and stops a trail.
 */
export function intrusion(now: Date): readonly DemoEvent[] {
  const start = now.getTime() - INTRUSION_HOURS_AGO * 3_600_000;
  const at = (minutes: number): Date => new Date(start + minutes * 60_000);
  const leaked = user('deploy-bot', LEAKED_KEY);
  const backdoorKey = user(BACKDOOR, CREATED_KEY);
  const backdoorSession = userSession(BACKDOOR, at(52), false);
  const arn = `arn:aws:iam::${ACCOUNT_ID}:user/${BACKDOOR}`;

  const lookAround: DemoEvent[] = [
    { time: at(0), identity: leaked, source: 'sts', name: 'GetCallerIdentity', sourceIPAddress: ADDRESSES.scout },
    ...(['ListBuckets', 'ListUsers', 'ListRoles', 'ListAccessKeys', 'DescribeInstances'] as const).map(
      (name, index): DemoEvent => ({
        time: at(4 + index),
        identity: leaked,
        source: name === 'ListBuckets' ? 's3' : name === 'DescribeInstances' ? 'ec2' : 'iam',
        name,
        sourceIPAddress: ADDRESSES.hosting,
        ...(name === 'ListRoles' ? { error: ['AccessDenied', DENIED] as const } : {}),
      }),
    ),
    {
      time: at(12),
      identity: leaked,
      source: 'iam',
      name: 'GetAccountAuthorizationDetails',
      sourceIPAddress: ADDRESSES.hosting,
      error: ['AccessDenied', DENIED],
    },
  ];

  const persistence: DemoEvent[] = [
    {
      time: at(20),
      identity: leaked,
      source: 'iam',
      name: 'CreateUser',
      sourceIPAddress: ADDRESSES.hosting,
      request: { userName: 'admin' },
      error: ['EntityAlreadyExistsException', 'User with name admin already exists.'],
    },
    {
      time: at(23),
      identity: leaked,
      source: 'iam',
      name: 'CreateUser',
      sourceIPAddress: ADDRESSES.tor,
      request: { userName: BACKDOOR },
      response: { user: { userName: BACKDOOR, arn, path: '/', userId: 'AIDAEXAMPLESVCBACKUP' } },
    },
    {
      time: at(24),
      identity: leaked,
      source: 'iam',
      name: 'AttachUserPolicy',
      sourceIPAddress: ADDRESSES.tor,
      request: { userName: BACKDOOR, policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' },
    },
    {
      time: at(25),
      identity: leaked,
      source: 'iam',
      name: 'CreateAccessKey',
      sourceIPAddress: ADDRESSES.tor,
      request: { userName: BACKDOOR },
      response: { accessKey: { accessKeyId: CREATED_KEY, status: 'Active', userName: BACKDOOR } },
    },
    {
      time: at(27),
      identity: leaked,
      source: 'iam',
      name: 'CreateLoginProfile',
      sourceIPAddress: ADDRESSES.tor,
      request: { userName: BACKDOOR, passwordResetRequired: false },
      response: { loginProfile: { userName: BACKDOOR, passwordResetRequired: false } },
    },
  ];

  const signIn = (minutes: number, name: string, sourceIPAddress: string, success: boolean): DemoEvent => ({
    time: at(minutes),
    identity: user(name),
    source: 'signin',
    name: 'ConsoleLogin',
    sourceIPAddress,
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
    type: 'AwsConsoleSignIn',
    response: { ConsoleLogin: success ? 'Success' : 'Failure' },
    additional: {
      LoginTo: 'https://console.aws.amazon.com/console/home?region=us-east-1',
      MobileVersion: 'No',
      MFAUsed: 'No',
    },
    ...(success ? {} : { error: ['', 'Failed authentication'] as const }),
  });
  const console: DemoEvent[] = [
    ...[36, 37, 38, 41, 43].map((minutes) => signIn(minutes, 'alice', ADDRESSES.guesser, false)),
    signIn(52, BACKDOOR, ADDRESSES.tor, true),
  ];

  const miners: DemoEvent[] = [
    {
      time: at(58),
      identity: backdoorSession,
      source: 'ec2',
      name: 'DescribeRegions',
      sourceIPAddress: ADDRESSES.tor,
    },
    ...[61, 63, 64].map((minutes, index): DemoEvent => ({
      time: at(minutes),
      identity: backdoorKey,
      source: 'ec2',
      name: 'RunInstances',
      region: UNUSED_REGION,
      sourceIPAddress: ADDRESSES.hosting,
      request: {
        instancesSet: { items: [{ imageId: 'ami-0abcdef1234567890', minCount: 8, maxCount: 8 }] },
        instanceType: 'p3.16xlarge',
      },
      ...(index === 0
        ? { error: ['Client.VcpuLimitExceeded', 'You have requested more vCPU capacity than your limit.'] as const }
        : { response: { instancesSet: { items: [{ instanceId: `i-0badc0ffee00000${index}` }] } } }),
    })),
    {
      time: at(66),
      identity: backdoorKey,
      source: 'ec2',
      name: 'AuthorizeSecurityGroupIngress',
      region: UNUSED_REGION,
      sourceIPAddress: ADDRESSES.hosting,
      request: {
        groupId: 'sg-0123456789abcdef0',
        ipPermissions: { items: [{ ipProtocol: '-1', ipRanges: { items: [{ cidrIp: '0.0.0.0/0' }] } }] },
      },
    },
  ];

  const secrets: DemoEvent[] = [
    'prod/db/master',
    'prod/payments/api-key',
    'prod/web/session-key',
    'prod/mail/smtp',
  ].map((secretId, index) => ({
    time: at(80 + index),
    identity: backdoorKey,
    source: 'secretsmanager',
    name: 'GetSecretValue',
    sourceIPAddress: ADDRESSES.hosting,
    request: { secretId },
  }));

  const trail = `arn:aws:cloudtrail:eu-west-1:${ACCOUNT_ID}:trail/${STOPPED_TRAIL}`;
  const cover: DemoEvent[] = [
    {
      time: at(STOPPED_MINUTES.from),
      identity: backdoorSession,
      source: 'cloudtrail',
      name: 'StopLogging',
      region: 'eu-west-1',
      sourceIPAddress: ADDRESSES.tor,
      request: { name: trail },
    },
    {
      time: at(STOPPED_MINUTES.to),
      identity: role('remediation', 'config-rule', at(STOPPED_MINUTES.to)),
      source: 'cloudtrail',
      name: 'StartLogging',
      region: 'eu-west-1',
      sourceIPAddress: 'ssm.amazonaws.com',
      userAgent: 'ssm.amazonaws.com',
      request: { name: trail },
    },
    {
      time: at(108),
      identity: backdoorSession,
      source: 'cloudtrail',
      name: 'DeleteTrail',
      region: 'eu-west-1',
      sourceIPAddress: ADDRESSES.tor,
      request: { name: trail },
      error: ['AccessDenied', 'Explicit deny in a service control policy'],
    },
  ];

  return [...lookAround, ...persistence, ...console, ...miners, ...secrets, ...cover];
}

/** What the intruder read in eu-west-1, before the trail was stopped. */
export function stolenObjects(now: Date): readonly DemoEvent[] {
  const start = now.getTime() - INTRUSION_HOURS_AGO * 3_600_000;
  return Array.from({ length: 6 }, (_, index) => {
    const key = `exports/customers/part-${index}.parquet`;
    return {
      time: new Date(start + (86 + index) * 60_000),
      identity: user(BACKDOOR, CREATED_KEY),
      source: 's3',
      name: 'GetObject',
      sourceIPAddress: ADDRESSES.hosting,
      region: 'eu-west-1',
      userAgent: '[S3 Browser/12.6.3 (https://s3browser.com)]',
      request: { bucketName: 'demo-exports', key },
      category: 'Data' as const,
      resources: [{ type: 'AWS::S3::Object', ARN: `arn:aws:s3:::demo-exports/${key}` }],
    };
  });
}
