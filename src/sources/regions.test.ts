import { expect, test } from 'vitest';
import { isRegionName, matchesRegion, partitionOf } from './regions.ts';

test.each([
  'us-east-1',
  'ap-southeast-4',
  'us-gov-west-1',
  'us-iso-east-1',
  'cn-north-1',
  'eusc-de-east-1',
  'il-central-1',
])('%s is how regions are named', (name) => {
  expect(isRegionName(name)).toBe(true);
});

test.each(['us_east_1', 'useast1', 'us-east', 'US-EAST-1', '', 'eu-*', 'us-east-1.evil.example'])(
  '%s is not',
  (name) => {
    expect(isRegionName(name)).toBe(false);
  },
);

test.each([
  ['*', 'eu-west-1', true],
  ['eu-*', 'eu-west-1', true],
  ['eu-*', 'us-east-1', false],
  ['us-east-?', 'us-east-2', true],
  ['us-east-?', 'us-east-22', false],
  ['u.-east-1', 'us-east-1', false],
])('%s matches %s: %s', (pattern, region, expected) => {
  expect(matchesRegion(pattern, region)).toBe(expected);
});

test.each([
  ['us-east-1', 'aws'],
  ['cn-north-1', 'aws-cn'],
  ['us-gov-east-1', 'aws-us-gov'],
])('%s is of partition %s', (region, partition) => {
  expect(partitionOf(region)).toBe(partition);
});
