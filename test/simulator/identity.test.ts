import { ListRegionsCommand } from '@aws-sdk/client-account';
import { DescribeTrailsCommand } from '@aws-sdk/client-cloudtrail';
import { DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import type { World } from '../../src/simulator/world.ts';
import { accountClient, cloudTrailClient, logsClient, stsClient } from './clients.ts';

const group = (name: string) => ({ name, events: { records: [] } });
const world: World = {
  accounts: [
    {
      accountId: '111122223333',
      accessKeyIds: ['AKIAHUB'],
      regions: Array.from({ length: 22 }, (_, index) => ({
        name: index === 0 ? 'us-east-1' : `eu-test-${String(index).padStart(2, '0')}`,
      })),
      trails: [
        { name: 'all', homeRegion: 'us-east-1', logGroupName: 'trail/all', isMultiRegionTrail: true },
        { name: 'local', homeRegion: 'us-east-1' },
        { name: 'one', homeRegion: 'eu-test-01', logGroupName: 'trail/one' },
      ],
    },
    {
      accountId: '444455556666',
      accessKeyIds: ['AKIASPOKE'],
      externalId: 'x-1',
      regions: [{ name: 'us-east-1', logGroups: [group('spoke')] }],
    },
  ],
};

describe('who, where and which log groups', () => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startSimulator({ world });
  });
  afterAll(() => simulator.close());

  it('GetCallerIdentity tells the account of the access key', async () => {
    const identity = async (accessKeyId: string) =>
      (await stsClient(simulator.url, { accessKeyId }).send(new GetCallerIdentityCommand({}))).Account;
    expect([await identity('AKIAHUB'), await identity('AKIASPOKE')]).toEqual(['111122223333', '444455556666']);
    await expect(identity('AKIANOBODY')).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
  });

  it('AssumeRole gives credentials of the role’s account, to those who know the external id', async () => {
    const sts = stsClient(simulator.url, { accessKeyId: 'AKIAHUB' });
    const RoleArn = 'arn:aws:iam::444455556666:role/security/hunt';
    const { Credentials, AssumedRoleUser } = await sts.send(
      new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me', ExternalId: 'x-1' }),
    );
    expect(AssumedRoleUser?.Arn).toBe('arn:aws:sts::444455556666:assumed-role/hunt/me');
    expect(Credentials?.Expiration?.getTime()).toBeGreaterThan(Date.now());
    const logs = logsClient(simulator.url, { accessKeyId: Credentials?.AccessKeyId ?? '' });
    const { logGroups } = await logs.send(new DescribeLogGroupsCommand({}));
    expect(logGroups?.map(({ logGroupName }) => logGroupName)).toEqual(['spoke']);
    await expect(sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });

  it('ListRegions pages through the regions by their state', async () => {
    const account = accountClient(simulator.url, { accessKeyId: 'AKIAHUB' });
    const RegionOptStatusContains = ['ENABLED', 'ENABLED_BY_DEFAULT'] as ['ENABLED', 'ENABLED_BY_DEFAULT'];
    const first = await account.send(new ListRegionsCommand({ RegionOptStatusContains }));
    const second = await account.send(new ListRegionsCommand({ RegionOptStatusContains, NextToken: first.NextToken }));
    const names = [...(first.Regions ?? []), ...(second.Regions ?? [])].map(({ RegionName }) => RegionName);
    expect(names).toEqual(world.accounts[0]?.regions.map(({ name }) => name).sort());
    expect([first.Regions?.length, second.NextToken]).toEqual([20, undefined]);
    const all = await account.send(new ListRegionsCommand({ MaxResults: 50 }));
    expect(all.Regions?.filter(({ RegionOptStatus }) => RegionOptStatus === 'DISABLED').length).toBeGreaterThan(0);
  });

  it('DescribeTrails gives a region its own trails and the shadows of those that cover it', async () => {
    const trails = async (region: string, input = {}) => {
      const client = cloudTrailClient(simulator.url, { region, accessKeyId: 'AKIAHUB' });
      const { trailList } = await client.send(new DescribeTrailsCommand(input));
      return trailList?.map(({ Name, CloudWatchLogsLogGroupArn }) => [Name, CloudWatchLogsLogGroupArn]);
    };
    const all = ['all', 'arn:aws:logs:us-east-1:111122223333:log-group:trail/all:*'];
    const one = ['one', 'arn:aws:logs:eu-test-01:111122223333:log-group:trail/one:*'];
    expect(await trails('us-east-1')).toEqual([all, ['local', undefined]]);
    expect(await trails('eu-test-01')).toEqual([all, one]);
    expect(await trails('eu-test-01', { includeShadowTrails: false })).toEqual([one]);
    expect(await trails('eu-test-02', { includeShadowTrails: false })).toEqual([]);
    expect(
      await trails('eu-test-02', { trailNameList: ['arn:aws:cloudtrail:us-east-1:111122223333:trail/local'] }),
    ).toEqual([['local', undefined]]);
  });
});
