import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import type { World } from '../../src/simulator/world.ts';
import { cloudtrailTrailSource } from '../../src/sources/aws/cloudtrail/trail-source.ts';
import type { Predicate } from '../../src/sources/source.ts';
import { connectTo } from '../support/connect-to.ts';
import { allRecords, column, predicate, scanRequest } from '../support/source-harness.ts';

const NAME = column('name', 'Name');
const REGION = column('region', '@region');
const ACCOUNT_ID = column('account_id', '@account_id');
const IS_LOGGING = column('is_logging', 'status.IsLogging', 'boolean');
const S3_DATA_EVENTS = column('s3_data_events', 'recorded.s3DataEvents', 'boolean');

const WORLD: World = {
  accounts: [
    {
      accountId: '111122223333',
      regions: [{ name: 'us-east-1' }, { name: 'eu-west-1' }, { name: 'eu-central-1' }],
      trails: [
        { name: 'all', homeRegion: 'us-east-1', logGroupName: 'CloudTrail/all', isMultiRegionTrail: true },
        { name: 'stopped', homeRegion: 'eu-west-1', isLogging: false, latestDeliveryError: 'AccessDenied' },
        {
          name: 'objects',
          homeRegion: 'eu-west-1',
          eventSelectors: [
            {
              ReadWriteType: 'All',
              IncludeManagementEvents: false,
              DataResources: [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3'] }],
            },
          ],
        },
        {
          name: 'advanced',
          homeRegion: 'eu-west-1',
          advancedEventSelectors: [
            { FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }] },
            {
              FieldSelectors: [
                { Field: 'eventCategory', Equals: ['Data'] },
                { Field: 'resources.type', Equals: ['AWS::Lambda::Function'] },
              ],
            },
          ],
        },
      ],
    },
  ],
};

let simulator: Simulator;

beforeEach(async () => {
  simulator = await startSimulator({ world: WORLD });
});
afterEach(async () => {
  await simulator.close();
});
const connect = connectTo(() => simulator);
const REGIONS = ['us-east-1', 'eu-west-1', 'eu-central-1'];

async function trails(predicates: readonly Predicate[], columns = [NAME]) {
  const request = { ...scanRequest(predicates, { table: 'cloudtrail_trail' }), columns };
  const found = await allRecords(cloudtrailTrailSource([connect({ regions: REGIONS })]), request);
  return found.toSorted((a, b) => (nameOf(a.value) < nameOf(b.value) ? -1 : 1));
}
const nameOf = (value: unknown) => (value as { Name: string }).Name;
const calls = (operation: string) => simulator.calls.count({ operation });

describe('trails', () => {
  test('come once each, from whichever region shows them', async () => {
    const found = await trails([]);
    expect(found.map(({ value, added }) => [nameOf(value), added['region'], added['account_id']])).toEqual([
      ['advanced', 'eu-west-1', '111122223333'],
      ['all', 'us-east-1', '111122223333'],
      ['objects', 'eu-west-1', '111122223333'],
      ['stopped', 'eu-west-1', '111122223333'],
    ]);
    expect(found[1]?.value).toMatchObject({ logGroupName: 'CloudTrail/all', IsMultiRegionTrail: true });
    expect([calls('DescribeTrails'), calls('GetTrailStatus'), calls('GetEventSelectors')]).toEqual([3, 0, 0]);
  });

  test('are asked for their status where a statement uses it', async () => {
    const found = await trails([predicate(NAME, '=', 'all', 'stopped')], [NAME, IS_LOGGING]);
    expect(found.map(({ value }) => (value as { status: object }).status)).toMatchObject([
      { IsLogging: true, LatestDeliveryTime: expect.any(Number) as number },
      { IsLogging: false, LatestDeliveryError: 'AccessDenied' },
    ]);
    const [{ value } = { value: undefined }] = found;
    const { status } = value as { status: { LatestDeliveryTime: number } };
    expect(Math.abs(Date.now() - status.LatestDeliveryTime)).toBeLessThan(3_600_000);
    expect([calls('GetTrailStatus'), calls('GetEventSelectors')]).toEqual([2, 0]);
  });

  test('are asked what they record where a statement uses that, in either kind of selectors', async () => {
    const found = await trails([], [NAME, S3_DATA_EVENTS]);
    expect(
      found.map(({ value }) => {
        const { recorded } = value as { recorded: { managementEvents: boolean; s3DataEvents: boolean } };
        return [nameOf(value), recorded.managementEvents, recorded.s3DataEvents];
      }),
    ).toEqual([
      ['advanced', true, false],
      ['all', true, false],
      ['objects', false, true],
      ['stopped', true, false],
    ]);
    expect([calls('GetTrailStatus'), calls('GetEventSelectors')]).toEqual([0, 4]);
  });

  test('that satisfy no condition are asked for nothing more', async () => {
    expect(
      (await trails([predicate(REGION, '=', 'us-east-1')], [IS_LOGGING])).map(({ value }) => nameOf(value)),
    ).toEqual(['all']);
    expect(await trails([predicate(ACCOUNT_ID, '=', '444455556666')], [IS_LOGGING])).toEqual([]);
    expect(await trails([predicate(NAME, 'like', 'x%')], [IS_LOGGING])).toEqual([]);
    expect(calls('GetTrailStatus')).toBe(1);
  });
});
