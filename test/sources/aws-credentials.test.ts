import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { singleLogGroup } from '../../src/simulator/world.ts';
import type { AwsConnectionConfig } from '../../src/sources/aws/connection-config.ts';
import { type AwsConnection, createAwsConnection } from '../../src/sources/aws/connection.ts';
import { cloudwatchLogsSource } from '../../src/sources/aws/cloudwatch-logs/source.ts';
import { allRecords, failure, scanRequest } from '../support/source-harness.ts';

let simulator: Simulator;
let folder: string;
let opened: AwsConnection[];

beforeEach(async () => {
  opened = [];
  simulator = await startSimulator({
    world: singleLogGroup({ records: [{ eventID: 'a', eventTime: '2026-11-01T00:00:00Z' }] }),
  });
  folder = mkdtempSync(join(tmpdir(), 'trailhound-aws-'));
  // The SDK's own environment, of which nothing of the machine's may be left.
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'));
});

afterEach(async () => {
  for (const connection of opened) connection.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
  await simulator.close();
});

function read(config: Partial<AwsConnectionConfig> = {}) {
  const connection = createAwsConnection({ name: 'aws', endpointUrl: simulator.url, ...config });
  opened.push(connection);
  return allRecords(cloudwatchLogsSource([connection]), scanRequest([]));
}

test('no credentials anywhere: an error that says what was tried, and never no rows', async () => {
  const error = await failure(read({ region: 'us-east-1' }));
  expect([error.kind, error.message]).toEqual(['credentials', 'no credentials for connection aws']);
  expect(error.detail).toContain("the AWS SDK's default chain");
  expect(simulator.calls.count()).toBe(0);
});

test('no region anywhere: said with what to set', async () => {
  const error = await failure(read());
  expect([error.kind, error.message]).toEqual(['credentials', 'connection aws has no region']);
  expect(error.hint).toContain('AWS_REGION');
});

test("the SDK's environment is enough: keys, region, endpoint", async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAENV');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ENDPOINT_URL', simulator.url);
  expect(await read({ endpointUrl: undefined })).toHaveLength(1);
});

test('a profile gives credentials and region; one that does not exist is named', async () => {
  writeFileSync(
    join(folder, 'credentials'),
    '[audit]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = secret\n',
  );
  writeFileSync(join(folder, 'config'), '[profile audit]\nregion = us-east-1\n');
  expect(await read({ profile: 'audit' })).toHaveLength(1);
  const error = await failure(read({ profile: 'nope', region: 'us-east-1' }));
  expect(error.kind).toBe('credentials');
  expect(error.detail).toContain('profile nope');
});

test('a role is assumed once for all clients of a connection', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAENV');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  expect(await read({ roleArn: 'arn:aws:iam::111122223333:role/hunt', region: 'us-east-1' })).toHaveLength(1);
  expect(simulator.calls.count({ operation: 'AssumeRole' })).toBe(1);
});

test('a role that may not be assumed is an error of credentials that says so', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAENV');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  simulator.fault({
    service: 'sts',
    operation: 'AssumeRole',
    times: Infinity,
    effect: {
      kind: 'error',
      status: 403,
      code: 'AccessDenied',
      message: 'User: x is not authorized to perform: sts:AssumeRole on resource: y',
    },
  });
  const error = await failure(read({ roleArn: 'arn:aws:iam::111122223333:role/hunt', region: 'us-east-1' }));
  expect([error.kind, error.message]).toEqual(['credentials', 'connection aws may not assume its role']);
});

test('a role asks for its external id, and only the right one opens the account', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAENV');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  const other = await startSimulator({
    world: {
      accounts: [
        { accountId: '111122223333', accessKeyIds: ['AKIAENV'], regions: [{ name: 'us-east-1' }] },
        {
          accountId: '444455556666',
          externalId: 'agreed',
          regions: [
            {
              name: 'us-east-1',
              logGroups: [
                { name: 'trail', events: { records: [{ eventID: 'b', eventTime: '2026-11-01T00:00:00Z' }] } },
              ],
            },
          ],
        },
      ],
    },
  });
  const role = {
    roleArn: 'arn:aws:iam::444455556666:role/hunt',
    region: 'us-east-1',
    endpointUrl: other.url,
    logGroups: ['trail'],
  };
  try {
    const [record] = await read({ ...role, externalId: 'agreed' });
    expect(record?.added['account_id']).toBe('444455556666');
    const error = await failure(read({ ...role, externalId: 'guessed' }));
    expect([error.kind, error.message]).toEqual(['credentials', 'connection aws may not assume its role']);
    expect(error.hint).toContain('external_id');
  } finally {
    await other.close();
  }
});

test('the hint names the profile, and where it is set', async () => {
  const configured = await failure(read({ profile: 'nope', region: 'us-east-1' }));
  expect(configured.detail).toContain('profile nope (connections.aws.profile)');
  expect(configured.hint).toMatch(
    /^Correct connections\.aws\.profile \(without it, AWS_PROFILE counts\), or profile nope .* --profile nope/,
  );
  vi.stubEnv('AWS_PROFILE', 'typo');
  const environment = await failure(read({ environmentProfile: 'typo', region: 'us-east-1' }));
  expect(environment.detail).toContain('profile typo (AWS_PROFILE)');
  expect(environment.hint).toMatch(/^Correct AWS_PROFILE, or profile typo/);
});
