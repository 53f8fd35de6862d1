import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoWorld } from '../../src/simulator/demo/demo-world.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { Model } from './model.ts';

const testData = process.env['TRAILHOUND_TEST_DATA'] ?? '';
const GROUP = 'CloudTrail/GlobalServiceEvents';
const DETECTOR = '12abc34d567e8fa901bc2d34e56789f0';

/** What any AWS service may answer besides its model: "Common Error Types" of each API reference. */
const COMMON_ERRORS = ['ThrottlingException', 'UnrecognizedClientException', 'ServiceUnavailableException'];

describe.skipIf(testData === '')('held against AWS’s own models (TRAILHOUND_TEST_DATA)', () => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startSimulator({ world: demoWorld(new Date()) });
  });
  afterAll(() => simulator.close());

  async function send(
    method: string,
    path: string,
    headers: Record<string, string>,
    input: unknown,
    region = 'us-east-1',
  ) {
    const response = await fetch(`${simulator.url}${path}`, {
      method,
      headers: {
        ...headers,
        authorization: `AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261121/${region}/any/aws4_request, SignedHeaders=host, Signature=0`,
      },
      ...(method === 'POST' ? { body: JSON.stringify(input) } : {}),
    });
    return { response, body: (await response.json()) as Record<string, unknown> };
  }

  const json11 = (target: string, operation: string, input: unknown) =>
    send(
      'POST',
      '/',
      { 'x-amz-target': `${target}.${operation}`, 'content-type': 'application/x-amz-json-1.1' },
      input,
    );
  const logs = (operation: string, input: unknown) => json11('Logs_20140328', operation, input);

  it('every response of CloudWatch Logs has only members and types of its output shape', async () => {
    const model = new Model(testData, 'logs_2014-03-28.service-2.json');
    for (const [operation, input] of [
      ['FilterLogEvents', { logGroupName: GROUP }],
      ['FilterLogEvents', { logGroupName: GROUP, limit: 1 }],
      ['FilterLogEvents', { logGroupName: GROUP, filterPattern: '{ $.eventName = "Nobody" }' }],
      ['DescribeLogGroups', {}],
      ['DescribeLogGroups', { logGroupNamePattern: 'Global' }],
      ['DescribeLogStreams', { logGroupName: GROUP }],
    ] as const) {
      const { response, body } = await logs(operation, input);
      expect([response.status, model.problems(operation, body)]).toEqual([200, []]);
      expect(response.headers.get('content-type')).toBe('application/x-amz-json-1.1');
      expect(response.headers.get('x-amzn-requestid')).not.toBeNull();
    }
  });

  it('every error of CloudWatch Logs is one of the operation’s or of all services', async () => {
    const model = new Model(testData, 'logs_2014-03-28.service-2.json');
    const seen = new Set<string>();
    simulator.fault({ service: 'logs', operation: 'FilterLogEvents', key: 'throttled', effect: { kind: 'throttle' } });
    simulator.fault({ service: 'logs', key: 'broken', effect: { kind: 'error', status: 500 } });
    for (const input of [
      { logGroupName: 'none' },
      { limit: 1 },
      { logGroupName: 'throttled' },
      { logGroupName: 'broken' },
    ]) {
      const { response, body } = await logs('FilterLogEvents', input);
      expect(response.status).toBeGreaterThanOrEqual(400);
      seen.add(String(body['__type']));
    }
    for (const name of seen) {
      expect([...model.errorsOf('FilterLogEvents'), ...COMMON_ERRORS]).toContain(name);
      expect(model.hasShape(name) || COMMON_ERRORS.includes(name)).toBe(true);
    }
    expect(seen).toEqual(
      new Set([
        'ResourceNotFoundException',
        'InvalidParameterException',
        'ThrottlingException',
        'ServiceUnavailableException',
      ]),
    );
  });

  it('every response of CloudTrail has only members and types of its output shape', async () => {
    const model = new Model(testData, 'cloudtrail_2013-11-01.service-2.json');
    const target = 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101';
    const { body } = await json11(target, 'DescribeTrails', {});
    expect(model.problems('DescribeTrails', body)).toEqual([]);
    expect((body['trailList'] as unknown[]).length).toBe(1);
    const attribute = { AttributeKey: 'EventName', AttributeValue: 'ConsoleLogin' };
    for (const input of [{}, { LookupAttributes: [attribute] }]) {
      const history = await json11(target, 'LookupEvents', input);
      expect(model.problems('LookupEvents', history.body)).toEqual([]);
      expect((history.body['Events'] as unknown[]).length).toBeGreaterThan(0);
    }
  });

  it('every response of GuardDuty has only members and types of its output shape', async () => {
    const model = new Model(testData, 'guardduty_2017-11-28.service-2.json');
    for (const region of ['us-east-1', 'eu-west-1', 'ap-southeast-2']) {
      const detectors = await send('GET', '/detector', {}, undefined, region);
      expect(model.problems('ListDetectors', detectors.body)).toEqual([]);
      const [detectorId] = detectors.body['detectorIds'] as string[];
      const detector = await send('GET', `/detector/${detectorId}`, {}, undefined, region);
      expect(model.problems('GetDetector', detector.body)).toEqual([]);
      const list = await send('POST', `/detector/${detectorId}/findings`, {}, {}, region);
      expect(model.problems('ListFindings', list.body)).toEqual([]);
      const findingIds = list.body['findingIds'] as string[];
      expect(findingIds.length).toBeGreaterThan(0);
      const findings = await send('POST', `/detector/${detectorId}/findings/get`, {}, { findingIds }, region);
      expect(model.problems('GetFindings', findings.body)).toEqual([]);
    }
  });

  it('every error of GuardDuty is one of the operation’s, named in its header', async () => {
    const model = new Model(testData, 'guardduty_2017-11-28.service-2.json');
    simulator.fault({ service: 'guardduty', operation: 'ListDetectors', effect: { kind: 'error', status: 500 } });
    const failed = await send('GET', '/detector', {}, undefined);
    const refused = await send('POST', `/detector/${DETECTOR}/findings`, {}, { maxResults: 51 });
    expect(
      [failed, refused].map(({ response }) => [response.status, response.headers.get('x-amzn-errortype')]),
    ).toEqual([
      [500, 'InternalServerErrorException'],
      [400, 'BadRequestException'],
    ]);
    for (const name of ['InternalServerErrorException', 'BadRequestException']) {
      expect(model.errorsOf('ListFindings')).toContain(name);
    }
  });
});
