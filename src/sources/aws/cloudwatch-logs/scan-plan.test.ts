import { describe, expect, test } from 'vitest';
import { column, predicate, scanRequest } from '../../../../test/support/source-harness.ts';
import type { Operator } from '../../../catalog/table.ts';
import type { Condition, ScanPlan } from '../../source.ts';
import type { AwsConnectionConfig } from '../connection-config.ts';
import { createAwsConnection } from '../connection.ts';
import { cloudwatchLogsSource } from './source.ts';

const TIMESTAMP = column('timestamp', '@timestamp', 'timestamp with time zone');
const TIMESTAMP_MS = column('timestamp_ms', '@timestamp', 'bigint');
const EVENT_TIME = column('event_time', 'eventTime', 'timestamp with time zone');
const EVENT_NAME = column('event_name', 'eventName');
const READ_ONLY = column('read_only', 'readOnly', 'boolean');
const STREAM = column('log_stream_name', '@log_stream_name');

const CONFIG: AwsConnectionConfig = {
  name: 'aws',
  regions: ['us-east-1'],
  logGroups: ['trail'],
  credentials: { accessKeyId: 'x', secretAccessKey: 'y' },
};

function planOf(
  predicates: readonly ReturnType<typeof predicate>[],
  ...configs: Partial<AwsConnectionConfig>[]
): ScanPlan {
  const connections = (configs.length === 0 ? [{}] : configs).map((config) =>
    createAwsConnection({ ...CONFIG, ...config }),
  );
  return cloudwatchLogsSource(connections).plan(scanRequest(predicates));
}

/** 2026-11-01T00:00:00Z */
const T = 1793491200000;
const at = (offset: number) => new Date(T + offset).toISOString();

describe('timestamp becomes startTime and endTime, to the millisecond and never narrower', () => {
  test.each<[Operator, readonly string[], string]>([
    ['>=', [`${T}`], `startTime=${at(0)}`],
    ['>=', [`${T}.001`], `startTime=${at(1)}`],
    ['>', [`${T}`], `startTime=${at(1)}`],
    ['>', [`${T}.999`], `startTime=${at(1)}`],
    ['<=', [`${T}.999`], `endTime=${at(0)}`],
    ['<', [`${T}`], `endTime=${at(-1)}`],
    ['<', [`${T}.001`], `endTime=${at(0)}`],
    ['=', [`${T}`], `startTime=${at(0)}, endTime=${at(0)}`],
    ['=', [`${T + 5}`, `${T}`], `startTime=${at(0)}, endTime=${at(5)}`],
  ])('timestamp %s %o', (operator, values, expected) => {
    const plan = planOf([predicate(TIMESTAMP, operator, ...values)]);
    expect(plan.parts).toEqual([`connection aws, us-east-1, log group trail: ${expected}`]);
    expect(plan.pushed.map(({ exactness }) => exactness)).toEqual([values.length === 1 ? 'exact' : 'inexact']);
  });

  test('timestamp_ms is the same', () => {
    expect(planOf([predicate(TIMESTAMP_MS, '>=', String(T))]).parts[0]).toContain(`startTime=${at(0)}`);
  });

  test('alternatives bound it as far as all of them do, and event_time with its slack', () => {
    const from = (of: typeof TIMESTAMP, operator: Operator, instant: number): Condition => ({
      kind: 'predicate',
      predicate: predicate(of, operator, String(instant)),
    });
    const source = cloudwatchLogsSource([createAwsConnection({ ...CONFIG, deliverySlackMs: 1000 })]);
    const plan = source.plan({
      ...scanRequest([]),
      conditions: [
        { kind: 'or', of: [from(TIMESTAMP, '>=', T + 5), from(TIMESTAMP, '=', T)] },
        { kind: 'or', of: [from(EVENT_TIME, '<', T + 60), from(EVENT_TIME, '<=', T + 50)] },
        {
          kind: 'or',
          of: [from(EVENT_TIME, '>', T + 90), { kind: 'predicate', predicate: predicate(EVENT_NAME, '=', 'x') }],
        },
      ],
    });
    expect(plan.parts).toEqual([`connection aws, us-east-1, log group trail: startTime=${at(0)}, endTime=${at(1060)}`]);
    expect(plan.pushedConditions?.map(({ exactness, as }) => [exactness, as])).toEqual([
      ['inexact', `startTime=${at(0)}`],
      ['inexact', `endTime=${at(60)}, with delivery slack`],
      ['none', undefined],
    ]);
    expect(plan.notices).toEqual([]);
  });

  test('bounds of several conjuncts are intersected', () => {
    const plan = planOf([
      predicate(TIMESTAMP, '>=', String(T)),
      predicate(TIMESTAMP, '>', String(T + 9)),
      predicate(TIMESTAMP, '<', String(T + 20)),
    ]);
    expect(plan.parts[0]).toContain(`startTime=${at(10)}, endTime=${at(19)}`);
  });

  test.each<[Operator, string, boolean]>([
    ['<', 'Infinity', false],
    ['>', '-Infinity', false],
    ['>', 'Infinity', true],
    ['<', '-Infinity', true],
    ['<', '0', true],
  ])('timestamp %s %s: nothing can satisfy it: %s', (operator, value, empty) => {
    const plan = planOf([predicate(TIMESTAMP, operator, value)]);
    expect([plan.empty, plan.parts.length]).toEqual([empty, empty ? 0 : 1]);
  });

  test('a range that ends before it starts, or an instant between two milliseconds, is empty', () => {
    expect(planOf([predicate(TIMESTAMP, '>', String(T)), predicate(TIMESTAMP, '<', String(T))]).empty).toBe(true);
    expect(planOf([predicate(TIMESTAMP, '=', `${T}.5`)]).empty).toBe(true);
  });
});

describe('event_time is bounded with slack for the delivery, never exactly', () => {
  test('five minutes before, a day after', () => {
    const plan = planOf([predicate(EVENT_TIME, '>=', `${T}.5`), predicate(EVENT_TIME, '<=', `${T + 1000}.5`)]);
    expect(plan.parts[0]).toContain(`startTime=${at(-300_000)}, endTime=${at(86_400_000 + 1001)}`);
    expect(plan.pushed.map(({ exactness }) => exactness)).toEqual(['inexact', 'inexact']);
  });

  test('each connection has its own slack; none: no end', () => {
    const plan = planOf(
      [predicate(EVENT_TIME, '=', String(T))],
      { deliverySlackMs: 60_000 },
      { deliverySlackMs: 'none' },
    );
    expect(plan.parts[0]).toContain(`startTime=${at(-300_000)}, endTime=${at(60_000)}`);
    expect(plan.parts[1]).toMatch(new RegExp(`startTime=${at(-300_000)}$`));
  });

  test('both times bound the request', () => {
    const plan = planOf([predicate(EVENT_TIME, '>', String(T)), predicate(TIMESTAMP, '>', String(T + 600_000))]);
    expect(plan.parts[0]).toContain(`startTime=${at(600_001)}`);
  });

  test('an event_time after every wanted timestamp cannot be there', () => {
    const plan = planOf([predicate(EVENT_TIME, '>=', String(T + 3_600_000)), predicate(TIMESTAMP, '<=', String(T))]);
    expect(plan.parts).toEqual([]);
  });
});

describe('what is told', () => {
  test('no lower bound of time costs a read from the beginning', () => {
    expect(planOf([]).notices).toHaveLength(1);
    expect(planOf([predicate(EVENT_TIME, '<', String(T))]).notices).toHaveLength(1);
    expect(planOf([predicate(EVENT_TIME, '>', String(T))]).notices).toEqual([]);
    expect(planOf([predicate(TIMESTAMP, '=', String(T))]).notices).toEqual([]);
  });

  test('every predicate has its exactness, in order, and what it is asked as', () => {
    const plan = planOf([
      predicate(EVENT_NAME, '=', 'CreateUser'),
      predicate(EVENT_NAME, 'like', 'Create%'),
      predicate(EVENT_NAME, 'not like', 'Create%'),
      predicate(READ_ONLY, 'is true'),
      predicate(column('user_identifier', undefined), '=', 'x'),
    ]);
    expect(plan.pushed.map(({ exactness, as }) => [exactness, as])).toEqual([
      ['exact', '{ $.eventName = "CreateUser" }'],
      ['inexact', '{ $.eventName = "Create*" }'],
      ['inexact', '{ $.eventName != "Create*" }'],
      ['inexact', '{ $.readOnly IS TRUE || $.readOnly = "t*" || $.readOnly = "T*" }'],
      ['none', undefined],
    ]);
  });

  test('what takes a call to find out is described', () => {
    expect(planOf([], { regions: undefined, logGroups: undefined }).parts).toEqual([
      'connection aws, enabled regions, log groups of its trails',
    ]);
  });

  test('a list too long for one pattern is divided among several, each beside the other conditions', () => {
    const names = Array.from({ length: 40 }, (_, index) => `DescribeSomething${index}`);
    const plan = planOf([predicate(EVENT_NAME, '=', ...names), predicate(READ_ONLY, 'is true')]);
    expect(plan.pushed.map(({ exactness }) => exactness)).toEqual(['exact', 'inexact']);
    expect(plan.parts).toHaveLength(4);
    const patterns = plan.parts.map((part) => part.split('filterPattern=')[1] ?? '');
    expect(patterns.every((pattern) => pattern.length <= 1024 && pattern.includes('$.readOnly IS TRUE'))).toBe(true);
    expect(patterns.flatMap((pattern) => pattern.match(/\$\.eventName = "[^"]+"/g) ?? [])).toEqual(
      names.map((name) => `$.eventName = "${name}"`),
    );
  });

  test('where a pattern is too long, messages are searched, and PostgreSQL looks at what is left', () => {
    const names = Array.from({ length: 60 }, (_, index) => `DescribeSomething${index}`);
    const plan = planOf([predicate(EVENT_NAME, '=', ...names)]);
    expect(plan.pushed).toMatchObject([
      { exactness: 'inexact', as: expect.stringMatching(/ in their bytes$/) as string },
    ]);
    expect(plan.parts).toEqual(['connection aws, us-east-1, log group trail']);
  });
});

describe('contradictions', () => {
  test.each<[string, readonly ReturnType<typeof predicate>[], boolean]>([
    ['two values of one text', [predicate(EVENT_NAME, '=', 'A'), predicate(EVENT_NAME, '=', 'B')], true],
    ['lists that share a value', [predicate(EVENT_NAME, '=', 'A', 'B'), predicate(EVENT_NAME, '=', 'B', 'C')], false],
    ['a list of what is refused', [predicate(EVENT_NAME, '=', 'A'), predicate(EVENT_NAME, '<>', 'A')], true],
    ['null and equal', [predicate(EVENT_NAME, 'is null'), predicate(EVENT_NAME, 'like', 'A%')], true],
    ['null and not null', [predicate(EVENT_NAME, 'is null'), predicate(EVENT_NAME, 'is not null')], true],
    ['true and false', [predicate(READ_ONLY, 'is true'), predicate(READ_ONLY, '=', 'f')], true],
    ['true twice', [predicate(READ_ONLY, 'is true'), predicate(READ_ONLY, '=', 't')], false],
  ])('%s', (_what, predicates, empty) => {
    expect(planOf(predicates).empty).toBe(empty);
  });
});

describe('log streams', () => {
  test.each<[Operator, readonly string[], string | undefined]>([
    ['=', ['111_CloudTrail_us-east-1'], '111_CloudTrail_us-east-1'],
    ['=', ['111_CloudTrail_us-east-1', '111_CloudTrail_us-west-2'], '111_CloudTrail_us-'],
    ['=', ['a', 'b'], undefined],
    ['like', ['111\\_%'], '111_'],
    ['like', ['%us-east-1'], undefined],
    ['=', ['a:b'], 'a'],
    ['<>', ['a'], undefined],
  ])('log_stream_name %s %o', (operator, values, prefix) => {
    const plan = planOf([predicate(STREAM, operator, ...values)]);
    expect(plan.pushed[0]?.exactness).toBe(prefix === undefined ? 'none' : 'inexact');
    expect(plan.parts[0]?.includes('logStreamNamePrefix=')).toBe(prefix !== undefined);
    if (prefix !== undefined) expect(plan.parts[0]).toContain(`logStreamNamePrefix=${prefix}`);
  });
});

test('connections and configured regions that cannot hold a row have no part', () => {
  const region = column('region', '@region');
  const name = column('connection_name', '@connection_name');
  const two = [{}, { name: 'eu', regions: ['eu-west-1', 'eu-central-1'] }];
  expect(planOf([predicate(region, '=', 'eu-west-1')], ...two).parts).toEqual([
    'connection eu, eu-west-1, log group trail',
  ]);
  expect(planOf([predicate(name, '<>', 'eu')], ...two).parts).toEqual(['connection aws, us-east-1, log group trail']);
});
