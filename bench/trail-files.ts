import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

export const RARE_EVENT = 'CreateUser';
/** One event in so many is the rare one. */
export const RARE_IN = 200;

const ACCOUNT = '111122223333';
const START_MS = Date.UTC(2026, 0, 1);

interface Call {
  readonly name: string;
  readonly source: string;
  readonly readOnly: boolean;
  /** Of a record's serial number. */
  request(text: Random): unknown;
  response?(text: Random): unknown;
  readonly resources?: boolean;
  readonly refused?: boolean;
}

const COMMON: readonly Call[] = [
  {
    name: 'Decrypt',
    source: 'kms',
    readOnly: true,
    request: (random) => ({
      encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      encryptionContext: {
        SecretARN: `arn:aws:secretsmanager:us-east-1:${ACCOUNT}:secret:app-${random.hex(6)}`,
        SecretVersionId: random.uuid(),
      },
    }),
    resources: true,
  },
  {
    name: 'DescribeInstances',
    source: 'ec2',
    readOnly: true,
    request: (random) => ({
      instancesSet: { items: [{ instanceId: `i-0${random.hex(16)}` }, { instanceId: `i-0${random.hex(16)}` }] },
      filterSet: {},
    }),
  },
  {
    name: 'AssumeRole',
    source: 'sts',
    readOnly: true,
    request: (random) => ({
      roleArn: `arn:aws:iam::${ACCOUNT}:role/app-${random.below(40)}`,
      roleSessionName: 'worker',
    }),
    response: (random) => ({
      credentials: { accessKeyId: `ASIA${random.hex(16).toUpperCase()}`, sessionToken: random.hex(240) },
      assumedRoleUser: { assumedRoleId: `AROA${random.hex(17).toUpperCase()}:worker` },
    }),
    resources: true,
  },
  {
    name: 'GetBucketAcl',
    source: 's3',
    readOnly: true,
    request: (random) => ({ bucketName: `logs-${random.below(300)}`, Host: 's3.us-east-1.amazonaws.com', acl: '' }),
    resources: true,
  },
  {
    name: 'PutObject',
    source: 's3',
    readOnly: false,
    request: (random) => ({
      bucketName: `uploads-${random.below(300)}`,
      key: `2026/${random.uuid()}/part "${random.below(99)}".json`,
    }),
    response: (random) => ({ 'x-amz-server-side-encryption': 'AES256', 'x-amz-id-2': random.hex(76) }),
    resources: true,
  },
  {
    name: 'DescribeVpcAttribute',
    source: 'ec2',
    readOnly: true,
    request: (random) => ({ vpcId: `vpc-0${random.hex(16)}` }),
    refused: true,
  },
  {
    name: 'PutRolePolicy',
    source: 'iam',
    readOnly: false,
    request: (random) => ({
      roleName: `app-${random.below(40)}`,
      policyName: 'inline',
      policyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: ['s3:GetObject'], Resource: `arn:aws:s3:::logs-${random.below(300)}/*` },
        ],
      }),
    }),
  },
  {
    name: 'ListBuckets',
    source: 's3',
    readOnly: true,
    request: () => ({ Host: 's3.amazonaws.com' }),
  },
];

const RARE: Call = {
  name: RARE_EVENT,
  source: 'iam',
  readOnly: false,
  request: (random) => ({ userName: `user-${random.below(5000)}`, tags: [{ key: 'team', value: 'red' }] }),
  response: (random) => ({ user: { userId: `AIDA${random.hex(17).toUpperCase()}`, path: '/' } }),
};

const AGENTS = [
  'aws-cli/2.31.4 md/awscrt#0.27.6 ua/2.1 os/linux#6.8 md/arch#x86_64 lang/python#3.13.7 md/prompt#off md/command#sts.assume-role',
  'APN/1.0 HashiCorp/1.0 Terraform/1.9.2 (+https://www.terraform.io) terraform-provider-aws/5.76.1 aws-sdk-go-v2/1.32.5 os/linux lang/go#1.23.3',
  '[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488 Linux/5.4.247-169.350.amzn2int.x86_64 OpenJDK_64-Bit_Server_VM/25.372-b08 java/1.8.0_372]',
  'secretsmanager.amazonaws.com',
];

/**
 * Made-up records of CloudTrail's shape, 1.3 KB on average, in gzipped files in folders as CloudTrail delivers them. Nothing in
 * them repeats that does not in real ones: identifiers are random, so that they compress as real ones do, to a seventh.
 */
export async function writeTrailFiles(folder: string, records: number, recordsAFile: number): Promise<void> {
  const day = path.join(folder, 'AWSLogs', ACCOUNT, 'CloudTrail', 'us-east-1', '2026', '01', '01');
  await mkdir(day, { recursive: true });
  await chmod(folder, 0o755);
  const random = new Random(1);
  for (let first = 0; first < records; first += recordsAFile) {
    const texts = Array.from({ length: Math.min(recordsAFile, records - first) }, (_, index) =>
      JSON.stringify(recordOf(first + index, random)),
    );
    const name = `${ACCOUNT}_CloudTrail_us-east-1_20260101T0000Z_${random.hex(16)}.json.gz`;
    await writeFile(path.join(day, name), gzipSync(`{"Records":[${texts.join(',')}]}`));
  }
}

function recordOf(position: number, random: Random): unknown {
  const call = position % RARE_IN === RARE_IN - 1 ? RARE : (COMMON[random.below(COMMON.length)] as Call);
  const time = `${new Date(START_MS + position * 100).toISOString().slice(0, 19)}Z`;
  const user = random.below(200);
  const role = `app-${user % 40}`;
  return {
    eventVersion: '1.11',
    userIdentity:
      user % 3 === 0
        ? {
            type: 'IAMUser',
            principalId: `AIDA${String(user).padStart(17, '0')}`,
            arn: `arn:aws:iam::${ACCOUNT}:user/person-${user}`,
            accountId: ACCOUNT,
            accessKeyId: `AKIA${String(user).padStart(16, '0')}`,
            userName: `person-${user}`,
          }
        : {
            type: 'AssumedRole',
            principalId: `AROA${String(user).padStart(17, '0')}:worker-${user}`,
            arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/worker-${user}`,
            accountId: ACCOUNT,
            accessKeyId: `ASIA${random.hex(16).toUpperCase()}`,
            sessionContext: {
              sessionIssuer: {
                type: 'Role',
                principalId: `AROA${String(user % 40).padStart(17, '0')}`,
                arn: `arn:aws:iam::${ACCOUNT}:role/${role}`,
                accountId: ACCOUNT,
                userName: role,
              },
              webIdFederationData: {},
              attributes: { creationDate: time, mfaAuthenticated: 'false' },
            },
          },
    eventTime: time,
    eventSource: `${call.source}.amazonaws.com`,
    eventName: call.name,
    awsRegion: 'us-east-1',
    sourceIPAddress: `198.51.${random.below(100)}.${random.below(250)}`,
    userAgent: AGENTS[random.below(AGENTS.length)],
    ...(call.refused === true && {
      errorCode: 'Client.UnauthorizedOperation',
      errorMessage: `You are not authorized to perform this operation. Encoded authorization failure message: ${random.hex(300)}`,
    }),
    requestParameters: call.request(random),
    responseElements: call.response?.(random) ?? null,
    requestID: random.uuid(),
    eventID: random.uuid(),
    readOnly: call.readOnly,
    ...(call.resources === true && {
      resources: [
        { accountId: ACCOUNT, type: 'AWS::KMS::Key', ARN: `arn:aws:kms:us-east-1:${ACCOUNT}:key/${random.uuid()}` },
      ],
    }),
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: ACCOUNT,
    eventCategory: 'Management',
    tlsDetails: {
      tlsVersion: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      clientProvidedHostHeader: `${call.source}.us-east-1.amazonaws.com`,
    },
  };
}

/** Marsaglia's xorshift32: the same records in every run. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) % limit;
  }

  hex(digits: number): string {
    let text = '';
    while (text.length < digits) text += this.below(0x10000000).toString(16).padStart(7, '0');
    return text.slice(0, digits);
  }

  uuid(): string {
    return `${this.hex(8)}-${this.hex(4)}-4${this.hex(3)}-8${this.hex(3)}-${this.hex(12)}`;
  }
}
