import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { column, predicate } from '../../../../test/support/source-harness.ts';
import type { Column, Operator } from '../../../catalog/table.ts';
import { compileMatcher } from '../../../simulator/logs/filter-pattern/evaluate.ts';
import { parseFilterPattern } from '../../../simulator/logs/filter-pattern/parse.ts';
import type { Predicate } from '../../source.ts';
import { likeTest } from '../../like.ts';
import { MAX_PATTERN_LENGTH, assemble, fitting, patternOf } from './filter-pattern.ts';

const EVENT_NAME = column('event_name', 'eventName');
const ERROR_CODE = column('error_code', 'errorCode');
const USERNAME = column('username', 'userIdentity.userName');
const SOURCE_IP = column('source_ip', undefined, 'inet');
const READ_ONLY = column('read_only', 'readOnly', 'boolean');
const BUCKET = column('request_parameters', 'requestParameters.bucketName');

function patternFor(...predicates: readonly Predicate[]): string | undefined {
  return assemble(
    predicates.flatMap((one) => {
      const pattern = patternOf(one);
      return pattern === undefined ? [] : [pattern.condition];
    }),
    undefined,
  );
}

describe('what is asked for each predicate, of a bare record and of one in an envelope', () => {
  test.each<[Column, Operator, readonly string[], string | undefined]>([
    [EVENT_NAME, '=', ['CreateUser'], '{ ($.eventName = "CreateUser") || ($.detail.eventName = "CreateUser") }'],
    [
      EVENT_NAME,
      '=',
      ['A', 'B', 'A'],
      '{ ($.eventName = "A" || $.eventName = "B") || ($.detail.eventName = "A" || $.detail.eventName = "B") }',
    ],
    [EVENT_NAME, '<>', ['A'], '{ ($.eventName != "A") || ($.detail.eventName != "A") }'],
    [EVENT_NAME, '<>', [''], '{ ($.eventName = *) || ($.detail.eventName = *) }'],
    [EVENT_NAME, 'like', ['Create%'], '{ ($.eventName = "Create*") || ($.detail.eventName = "Create*") }'],
    [EVENT_NAME, 'like', ['%User'], '{ ($.eventName = "*User") || ($.detail.eventName = "*User") }'],
    [EVENT_NAME, 'like', ['%Bucket%'], '{ ($.eventName = "*Bucket*") || ($.detail.eventName = "*Bucket*") }'],
    [EVENT_NAME, 'like', ['Put%Policy'], '{ ($.eventName = "*Policy") || ($.detail.eventName = "*Policy") }'],
    [EVENT_NAME, 'like', ['Put_'], '{ ($.eventName = "Put*") || ($.detail.eventName = "Put*") }'],
    [EVENT_NAME, 'not like', ['Put%'], '{ ($.eventName != "Put*") || ($.detail.eventName != "Put*") }'],
    [EVENT_NAME, 'not like', ['%User'], '{ ($.eventName != "*User") || ($.detail.eventName != "*User") }'],
    [EVENT_NAME, 'not like', ['%Key%'], '{ ($.eventName != "*Key*") || ($.detail.eventName != "*Key*") }'],
    [EVENT_NAME, 'not like', ['Put'], '{ ($.eventName != "Put") || ($.detail.eventName != "Put") }'],
    [EVENT_NAME, 'like', ['100\\%'], '{ ($.eventName = "100%") || ($.detail.eventName = "100%") }'],
    [
      ERROR_CODE,
      'is null',
      [],
      '{ ($.errorCode NOT EXISTS || $.errorCode IS NULL) || ($.detail.errorCode NOT EXISTS || $.detail.errorCode IS NULL) }',
    ],
    [
      ERROR_CODE,
      'is not null',
      [],
      '{ ($.errorCode = * || $.errorCode != "-") || ($.detail.errorCode = * || $.detail.errorCode != "-") }',
    ],
    [
      READ_ONLY,
      'is false',
      [],
      '{ ($.readOnly IS FALSE || $.readOnly = "f*" || $.readOnly = "F*") || ($.detail.readOnly IS FALSE || $.detail.readOnly = "f*" || $.detail.readOnly = "F*") }',
    ],
    [
      BUCKET,
      '=',
      ['42'],
      '{ ($.requestParameters.bucketName = "42" || $.requestParameters.bucketName = 42) || ($.detail.requestParameters.bucketName = "42" || $.detail.requestParameters.bucketName = 42) }',
    ],
    [
      BUCKET,
      '=',
      ['true'],
      '{ ($.requestParameters.bucketName = "true" || $.requestParameters.bucketName IS TRUE) || ($.detail.requestParameters.bucketName = "true" || $.detail.requestParameters.bucketName IS TRUE) }',
    ],
    // What the guide leaves open is left to PostgreSQL.
    [EVENT_NAME, '=', ['a"b'], undefined],
    [EVENT_NAME, '=', ['a\\b'], undefined],
    [EVENT_NAME, '=', ['a*'], undefined],
    [EVENT_NAME, '=', ['a\nb'], undefined],
    [EVENT_NAME, '=', ['\uFFFD'], undefined],
    [EVENT_NAME, '=', [''], undefined],
    [EVENT_NAME, '=', ['plain', 'a"b'], undefined],
    [EVENT_NAME, '<>', ['a*'], undefined],
    [EVENT_NAME, 'like', ['%'], undefined],
    [EVENT_NAME, 'like', ['a\\'], undefined],
    [EVENT_NAME, 'not like', ['%'], undefined],
    [EVENT_NAME, 'not like', ['a_'], undefined],
    [EVENT_NAME, 'not like', ['a%b'], undefined],
    [EVENT_NAME, 'not like', ['a%%'], undefined],
    [EVENT_NAME, 'not like', ['a*%'], undefined],
    [EVENT_NAME, '>', ['a'], undefined],
    [READ_ONLY, '=', ['t', 'f'], undefined],
    [BUCKET, '<>', ['a'], undefined],
    [BUCKET, '=', ['{"a":1}'], undefined],
    [BUCKET, '=', ['12345678901234567'], undefined],
    [BUCKET, 'like', ['%a'], undefined],
    [BUCKET, 'is null', [], undefined],
    [
      SOURCE_IP,
      '=',
      ['192.0.2.1', '10.0.0.1'],
      '{ ($.sourceIPAddress = %^0*192\\.0*0\\.0*2\\.0*1|^0*10\\.0*0\\.0*0\\.0*1%) || ($.detail.sourceIPAddress = %^0*192\\.0*0\\.0*2\\.0*1|^0*10\\.0*0\\.0*0\\.0*1%) }',
    ],
    [SOURCE_IP, '=', ['2001:db8::1'], '{ ($.sourceIPAddress = "*:*") || ($.detail.sourceIPAddress = "*:*") }'],
    [SOURCE_IP, '=', ['192.0.2.0/24'], undefined],
    [SOURCE_IP, '<>', ['192.0.2.1'], undefined],
    [column('region', '@region'), '=', ['us-east-1'], undefined],
    [column('odd', "a.b'c"), '=', ['x'], undefined],
    [column('element', 'resources.0.arn'), '=', ['x'], undefined],
  ])('%o %s %o', (of, operator, values, expected) => {
    expect(patternFor(predicate(of, operator, ...values))).toBe(expected);
  });

  test('conjuncts hold together in one form of the record or in the other', () => {
    expect(patternFor(predicate(EVENT_NAME, '=', 'A', 'B'), predicate(ERROR_CODE, '<>', 'X'))).toBe(
      '{ (($.eventName = "A" || $.eventName = "B") && $.errorCode != "X") || (($.detail.eventName = "A" || $.detail.eventName = "B") && $.detail.errorCode != "X") }',
    );
  });

  test("the user's own pattern must hold as well", () => {
    const condition = patternOf(predicate(EVENT_NAME, '=', 'A'))?.condition;
    expect(assemble(condition === undefined ? [] : [condition], ' { $.a = 1 || $.b = 2 } ')).toBe(
      '{ ($.a = 1 || $.b = 2) && (($.eventName = "A") || ($.detail.eventName = "A")) }',
    );
    expect(assemble([], 'ERROR -debug')).toBe('ERROR -debug');
    expect(assemble([], '  ')).toBeUndefined();
  });

  test('what does not fit in a pattern is left to PostgreSQL, the longest first', () => {
    const long = predicate(EVENT_NAME, '=', ...Array.from({ length: 40 }, (_, index) => `DescribeSomething${index}`));
    const short = predicate(ERROR_CODE, '=', 'AccessDenied');
    const candidates = [long, short].map((one) => ({ one, condition: patternOf(one)?.condition ?? (() => []) }));
    const kept = fitting(candidates, undefined);
    expect(kept.map(({ one }) => one)).toEqual([short]);
    expect(
      fitting(
        [long].map((one) => ({ one, condition: patternOf(one)?.condition ?? (() => []) })),
        undefined,
      ),
    ).toEqual([]);
  });
});

describe('addresses', () => {
  const matcherOf = (...addresses: string[]) =>
    compileMatcher(parseFilterPattern(String(patternFor(predicate(SOURCE_IP, '=', ...addresses)))));

  test.each(['75.50.255.67', '075.050.255.67', '0075.50.255.067', '75.50.255.67/32'])(
    '%s is found',
    (sourceIPAddress) => {
      expect(matcherOf('75.50.255.67', '192.0.2.1')(JSON.stringify({ sourceIPAddress }))).toBe(true);
      expect(matcherOf('192.0.2.1', '75.50.255.67')(JSON.stringify({ detail: { sourceIPAddress } }))).toBe(true);
    },
  );

  test.each(['175.50.255.67', '75.50.25.67', 'AWS Internal', 'x75.50.255.67'])('%s is not', (sourceIPAddress) => {
    expect(matcherOf('75.50.255.67')(JSON.stringify({ sourceIPAddress }))).toBe(false);
  });

  test.each(['2001:db8::1', '2001:0DB8:0:0:0:0:0:1', '2001:db8::0.0.0.1/128', '192.0.2.1'])(
    '%s is found among addresses of both kinds',
    (sourceIPAddress) => {
      const matches = matcherOf('192.0.2.1', '2001:db8::1');
      expect(matches(JSON.stringify({ sourceIPAddress }))).toBe(true);
      expect(matches(JSON.stringify({ sourceIPAddress: '198.51.100.7' }))).toBe(false);
    },
  );

  test('a pattern takes two regular expressions: one condition of them, and none beside those of the filter', () => {
    const conditions = ['192.0.2.1', '192.0.2.2'].flatMap(
      (address) => patternOf(predicate(SOURCE_IP, '=', address)) ?? [],
    );
    expect(fitting(conditions, undefined)).toEqual(conditions.slice(0, 1));
    expect(fitting(conditions, '{ $.a = %x% }')).toEqual([]);
  });
});

/** PostgreSQL's answer, written down independently of the compiler. */
function satisfies(record: unknown, { column: of, operator, values }: Predicate): boolean {
  const field = (of.path ?? '')
    .split('.')
    .reduce<unknown>(
      (node, name) => (typeof node === 'object' && node !== null ? (node as Record<string, unknown>)[name] : undefined),
      record,
    );
  if (operator === 'is null') return field === null || field === undefined;
  if (field === null || field === undefined) return false;
  if (operator === 'is not null') return true;
  if (of.type === 'boolean') {
    if (typeof field === 'string' && field.toLowerCase() !== 'true' && field.toLowerCase() !== 'false') return false;
    const value = field === true || (typeof field === 'string' && field.toLowerCase() === 'true');
    return operator === 'is true'
      ? value
      : operator === 'is false'
        ? !value
        : values.some((one) => one.startsWith('t') === value);
  }
  const text = typeof field === 'string' ? field : JSON.stringify(field);
  if (operator === '=') return values.includes(stored(text));
  if (operator === '<>') return stored(text) !== values[0];
  return likeTest(values[0] ?? '')?.(stored(text)) === true;
}

/** PostgreSQL holds neither U+0000 nor lone surrogates. */
function stored(value: string): string {
  return Buffer.from(value.replaceAll('\0', '\uFFFD'), 'utf8').toString('utf8');
}

const NASTY = [
  '"',
  '\\',
  '*',
  '%',
  '_',
  '\0',
  '\uFFFD',
  '\n',
  '&&',
  '||',
  '(',
  '}',
  '{',
  '$.a',
  ' ',
  'é',
  '漢',
  '\u{1F600}',
  '\uD800',
  '-',
  '5',
  '1.5',
  'true',
  '',
];
const fragment = fc.oneof(
  fc.constantFrom('Create', 'User', 'AccessDenied', 'a', 'A', 't', 'f'),
  fc.constantFrom(...NASTY),
);
const text = fc.array(fragment, { maxLength: 4 }).map((fragments) => fragments.join(''));
const scalarText = fc.oneof(text, fc.constant(null), fc.constant(undefined));
const anything = fc.oneof(
  scalarText,
  fc.integer(),
  fc.double({ noDefaultInfinity: true, noNaN: true }),
  fc.boolean(),
  fc.array(fc.integer(), { maxLength: 2 }),
  fc.record({ a: fc.integer() }),
);

const record = fc.record(
  {
    eventName: scalarText,
    errorCode: scalarText,
    userIdentity: fc.oneof(fc.record({ userName: scalarText }), fc.constantFrom(null, undefined, 'text')),
    readOnly: fc.oneof(fc.boolean(), fc.constantFrom('true', 'false', 'True', 'FALSE', null, undefined)),
    requestParameters: fc.oneof(fc.record({ bucketName: anything }), fc.constantFrom(null, 'text')),
  },
  { requiredKeys: [] },
);

/** Values as a statement has them. */
const valueFrom = (pool: fc.Arbitrary<string>) => pool.map((value) => stored(value));
const textPredicate = fc
  .tuple(
    fc.constantFrom(EVENT_NAME, ERROR_CODE, USERNAME),
    fc.constantFrom<Operator>('=', '<>', 'like', 'is null', 'is not null'),
    fc.array(valueFrom(text), { minLength: 1, maxLength: 3 }),
  )
  .map(([of, operator, values]) =>
    predicate(of, operator, ...(operator.startsWith('is') ? [] : operator === '=' ? values : values.slice(0, 1))),
  );
const booleanPredicate = fc
  .tuple(fc.constantFrom<Operator>('=', 'is true', 'is false'), fc.constantFrom('t', 'f', 'true', 'false'))
  .map(([operator, value]) => predicate(READ_ONLY, operator, ...(operator === '=' ? [value] : [])));
const freeFormPredicate = fc
  .tuple(
    fc.constantFrom<Operator>('=', '<>', 'like', 'is null', 'is not null'),
    valueFrom(
      fc.oneof(
        text,
        anything.map((value) => (typeof value === 'string' ? value : JSON.stringify(value ?? null))),
      ),
    ),
  )
  .map(([operator, value]) => predicate(BUCKET, operator, ...(operator.startsWith('is') ? [] : [value])));

describe('never too few', () => {
  test.each([false, true])(
    'every record that satisfies the predicates is found (!= matches a missing field: %s)',
    (notEqualMatchesMissing) => {
      fc.assert(
        fc.property(
          fc.array(record, { minLength: 1, maxLength: 8 }),
          fc.array(fc.oneof(textPredicate, textPredicate, booleanPredicate, freeFormPredicate), {
            minLength: 1,
            maxLength: 4,
          }),
          (records, predicates) => {
            const candidates = predicates.flatMap((one) => {
              const pattern = patternOf(one);
              return pattern === undefined ? [] : [{ one, ...pattern }];
            });
            const kept = fitting(candidates, undefined);
            const pattern = assemble(
              kept.map(({ condition }) => condition),
              undefined,
            );
            if (pattern === undefined) return;
            expect(pattern.length).toBeLessThanOrEqual(MAX_PATTERN_LENGTH);
            const matches = compileMatcher(parseFilterPattern(pattern), { notEqualMatchesMissing });
            for (const one of records) {
              if (!predicates.every((wanted) => satisfies(one, wanted))) continue;
              expect(matches(JSON.stringify(one)), `${pattern} on ${JSON.stringify(one)}`).toBe(true);
              const enveloped = JSON.stringify({ 'detail-type': 'AWS API Call via CloudTrail', detail: one });
              expect(matches(enveloped), `${pattern} on ${enveloped}`).toBe(true);
            }
          },
        ),
        { numRuns: 2000 },
      );
    },
  );

  test('an exact predicate tells the records that satisfy it from all others', () => {
    fc.assert(
      fc.property(record, textPredicate, (one, wanted) => {
        const pattern = patternOf(wanted);
        if (pattern?.exactness !== 'exact') return;
        const field = (wanted.column.path ?? '')
          .split('.')
          .reduce<unknown>(
            (node, name) =>
              typeof node === 'object' && node !== null ? (node as Record<string, unknown>)[name] : undefined,
            one,
          );
        expect(pattern.test?.(field)).toBe(satisfies(one, wanted));
      }),
      { numRuns: 2000 },
    );
  });
});
