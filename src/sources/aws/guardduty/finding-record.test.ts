import { expect, test } from 'vitest';
import { createAwsConnection } from '../connection.ts';
import type { Place } from '../each-place.ts';
import { findingRecord } from './finding-record.ts';

const PLACE: Place = {
  connection: createAwsConnection({ name: 'aws', credentials: { accessKeyId: 'x', secretAccessKey: 'y' } }),
  region: 'us-east-1',
  partition: 'aws',
  accountId: '111122223333',
};

const remote = (address: object, country: string) => ({
  ...address,
  city: { cityName: 'Ghent' },
  country: { countryName: country },
  organization: { asn: '64500', asnOrg: 'Example AS', isp: 'Example ISP', org: 'Example Org' },
});

function added(finding: object) {
  return findingRecord(PLACE, { id: 'f1', region: 'eu-west-1', partition: 'aws', ...finding }).added;
}

test.each(['networkConnectionAction', 'awsApiCallAction', 'kubernetesApiCallAction', 'rdsLoginAttemptAction'])(
  'the remote address of %s',
  (action) => {
    expect(
      added({
        service: { action: { [action]: { remoteIpDetails: remote({ ipAddressV4: '198.51.100.7' }, 'Belgium') } } },
      }),
    ).toMatchObject({
      remote_ip: '198.51.100.7',
      remote_ips: ['198.51.100.7'],
      remote_country: 'Belgium',
      remote_city: 'Ghent',
      remote_asn: '64500',
      remote_asn_org: 'Example AS',
      remote_isp: 'Example ISP',
      remote_org: 'Example Org',
    });
  },
);

test('of a port probe all addresses, the first of which is told of', () => {
  const portProbeDetails = [
    { remoteIpDetails: remote({ ipAddressV4: '', ipAddressV6: '2001:db8::7' }, 'Belgium') },
    { remoteIpDetails: remote({ ipAddressV4: '198.51.100.8' }, 'France') },
    { remoteIpDetails: remote({ ipAddressV4: '198.51.100.8' }, 'France') },
  ];
  expect(added({ service: { action: { portProbeAction: { portProbeDetails } } } })).toMatchObject({
    remote_ip: '2001:db8::7',
    remote_ips: ['2001:db8::7', '198.51.100.8'],
    remote_country: 'Belgium',
  });
});

test('without a remote address there is none, and what is no address is not one', () => {
  expect(added({ service: { action: { dnsRequestAction: { domain: 'example.com' } } } })).toMatchObject({
    remote_ip: undefined,
    remote_ips: undefined,
  });
  expect(
    added({ service: { action: { networkConnectionAction: { remoteIpDetails: { ipAddressV4: 'GeneratedValue' } } } } }),
  ).toMatchObject({
    remote_ip: undefined,
    remote_ips: [],
  });
});

test('names from lists; an absent list is NULL, an empty one is empty', () => {
  const threatIntelligenceDetails = [
    { threatListName: 'Amazon', threatNames: ['tor', 'scanner'] },
    { threatListName: 'Own', threatNames: null },
  ];
  const finding = {
    resource: { s3BucketDetails: [{ name: 'logs' }, {}] },
    service: { evidence: { threatIntelligenceDetails } },
  };
  expect(added(finding)).toMatchObject({
    bucket_names: ['logs'],
    threat_list_names: ['Amazon', 'Own'],
    threat_names: ['tor', 'scanner'],
  });
  expect(added({ resource: { s3BucketDetails: [] } })).toMatchObject({
    bucket_names: [],
    threat_list_names: undefined,
    threat_names: undefined,
  });
});

test.each([
  [{ service: { additionalInfo: { sample: true } } }, true],
  [{ service: { additionalInfo: { value: '{"sample":true}', type: 'default' } } }, true],
  [{ service: { additionalInfo: { value: 'no json', type: 'default' } } }, false],
  [{ title: '[SAMPLE] Something' }, true],
  [{ title: 'Something', service: {} }, false],
  [{ service: null }, false],
])('%j: sample %s', (finding, sample) => {
  expect(added(finding)).toMatchObject({ sample });
});

test('the console of the finding’s own region and partition', () => {
  expect(added({})).toMatchObject({
    console_url:
      'https://eu-west-1.console.aws.amazon.com/guardduty/home?region=eu-west-1#/findings?search=id%3Df1&macros=all&fId=f1',
  });
  expect(String(added({ partition: 'aws-cn', region: 'cn-north-1' })['console_url'])).toContain('console.amazonaws.cn');
  expect(added({ partition: 'aws-iso' })).toMatchObject({ console_url: undefined });
});
