import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHydrationCounters } from '../hydrate/metrics.ts';
import { startSimulator, type Simulator } from '../simulator/simulator.ts';
import { singleLogGroup } from '../simulator/world.ts';
import type { AwsConnectionConfig } from '../sources/aws/connection-config.ts';
import { createAwsConnection } from '../sources/aws/connection.ts';
import { describeAws } from './describe-aws.ts';

let simulator: Simulator;

beforeEach(async () => {
  simulator = await startSimulator({ world: singleLogGroup({ records: [] }) });
});

afterEach(() => simulator.close());

async function describe(
  config: Partial<AwsConnectionConfig> = {},
  signal = new AbortController().signal,
): Promise<string> {
  const connection = createAwsConnection({
    name: 'aws',
    endpointUrl: simulator.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'made-up' },
    ...config,
  });
  try {
    return await describeAws(connection, createHydrationCounters(), signal);
  } finally {
    connection.close();
  }
}

it('finds out regions and the log groups of trails', async () => {
  expect(await describe()).toBe(
    'the configured access key, us-east-1; log groups: CloudTrail/GlobalServiceEvents (found by DescribeTrails)',
  );
});

it('asks for no trail where log groups are configured', async () => {
  expect(await describe({ regions: ['us-east-1'], logGroups: ['mine'] })).toMatch(/, us-east-1; log groups: mine$/);
  expect(simulator.calls.count({ operation: 'DescribeTrails' })).toBe(0);
});

it('says what stands in the way, and what to do', async () => {
  simulator.fault({
    service: 'account',
    effect: { kind: 'error', status: 403, code: 'UnrecognizedClientException', message: 'no' },
  });
  expect(await describe()).toMatch(/connection aws.*\. [A-Z].*/);
});

it('makes no call once it is aborted', async () => {
  await expect(describe({}, AbortSignal.abort())).rejects.toThrow();
  expect(simulator.calls.count({})).toBe(0);
});
