import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { type AwsConnection, createAwsConnection } from '../../src/sources/aws/connection.ts';
import { cloudwatchLogsSource } from '../../src/sources/aws/cloudwatch-logs/source.ts';
import { guarddutyFindingSource } from '../../src/sources/aws/guardduty/finding-source.ts';
import { likeTest } from '../../src/sources/like.ts';
import type { Predicate, SourceRecord } from '../../src/sources/source.ts';
import { allRecords, column, predicate, scanRequest } from '../support/source-harness.ts';

/** Records that others wrote: a folder with cloudtrail/*.ndjson.gz and guardduty/findings.ndjson. */
const DATA = process.env['TRAILHOUND_TEST_DATA'];

const TEXTS = [
  'eventName',
  'eventSource',
  'errorCode',
  'errorMessage',
  'userAgent',
  'sourceIPAddress',
  'recipientAccountId',
  'requestID',
  'userIdentity.arn',
  'userIdentity.userName',
  'userIdentity.invokedBy',
  'userIdentity.accessKeyId',
  'userIdentity.sessionContext.sessionIssuer.arn',
].map((path) => column(path, path));
const BOOLEANS = ['readOnly', 'managementEvent'].map((path) => column(path, path, 'boolean'));

function fieldOf(value: unknown, { column: { path } }: Predicate): unknown {
  return (path ?? '')
    .split('.')
    .reduce<unknown>(
      (node, name) => (typeof node === 'object' && node !== null ? (node as Record<string, unknown>)[name] : undefined),
      value,
    );
}

function satisfies(record: SourceRecord, wanted: Predicate): boolean {
  const field = fieldOf(record.value, wanted);
  const [value = ''] = wanted.values;
  if (wanted.operator === 'is null') return field === null || field === undefined;
  if (field === null || field === undefined) return false;
  const text = typeof field === 'string' ? field : JSON.stringify(field);
  if (wanted.operator === '=') return wanted.values.includes(text);
  if (wanted.operator === '<>') return text !== value;
  if (wanted.operator === 'like') return likeTest(value)?.(text) === true;
  if (wanted.operator === 'is true') return text.toLowerCase() === 'true';
  if (wanted.operator === 'is false') return text.toLowerCase() === 'false';
  return true;
}

describe.skipIf(DATA === undefined)('records that nobody here wrote (TRAILHOUND_TEST_DATA)', () => {
  let simulator: Simulator;
  let connection: AwsConnection;

  beforeAll(async () => {
    const folder = join(DATA ?? '', 'cloudtrail');
    const files = readdirSync(folder).map((name) => join(folder, name));
    simulator = await startSimulator({
      world: {
        accounts: [
          {
            accountId: '111122223333',
            regions: [
              {
                name: 'us-east-1',
                logGroups: [{ name: 'trail', events: { files, delivery: { fallbackTime: Date.UTC(2020, 0, 1) } } }],
                detectors: [
                  {
                    detectorId: '12abc34d567e8fa901bc2d34e56789f0',
                    findings: { files: [join(DATA ?? '', 'guardduty/findings.ndjson')] },
                  },
                ],
              },
            ],
          },
        ],
      },
    });
    connection = createAwsConnection({
      name: 'aws',
      endpointUrl: simulator.url,
      credentials: { accessKeyId: 'AKIAAUDIT', secretAccessKey: 'x' },
      region: 'us-east-1',
      regions: ['us-east-1'],
      logGroups: ['trail'],
    });
  });

  afterAll(async () => {
    connection.close();
    await simulator.close();
  });

  test('what is pushed finds every record that satisfies it, whatever the column and value', async () => {
    const source = cloudwatchLogsSource([connection]);
    const idOf = ({ added }: SourceRecord) => `${String(added['log_stream_name'])}/${String(added['timestamp'])}`;
    const all = await allRecords(source, scanRequest([]));
    expect(all.length).toBeGreaterThan(1000);
    const predicates = TEXTS.flatMap((of) => {
      const values = [...new Set(all.map(({ value }) => fieldOf(value, predicate(of, '='))))].filter(
        (value) => typeof value === 'string',
      );
      const chosen = values.filter((_value, index) => index % Math.ceil(values.length / 2) === 0);
      return [
        predicate(of, 'is null'),
        predicate(of, 'is not null'),
        ...chosen.flatMap((value) => [
          predicate(of, '=', value),
          predicate(of, '<>', value),
          predicate(of, 'like', `${value.slice(0, 5)}%`),
          predicate(of, 'like', `%${value.slice(2, 6)}%`),
        ]),
      ];
    });
    for (const wanted of [
      ...predicates,
      ...BOOLEANS.flatMap((of) => [predicate(of, 'is true'), predicate(of, 'is false')]),
    ]) {
      const found = await allRecords(source, scanRequest([wanted]));
      const expected = all
        .filter((record) => satisfies(record, wanted))
        .map(idOf)
        .sort();
      const actual = found
        .filter((record) => satisfies(record, wanted))
        .map(idOf)
        .sort();
      expect(actual, `${wanted.column.name} ${wanted.operator} ${wanted.values.join()}`).toEqual(expected);
    }
  });

  test('every finding is read, and its address is one', async () => {
    const findings = await allRecords(guarddutyFindingSource([connection]), scanRequest([]));
    expect(findings.length).toBeGreaterThan(20);
    expect(findings.filter(({ added }) => added['remote_ip'] !== undefined).length).toBeGreaterThan(10);
  });
});
