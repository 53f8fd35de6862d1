import { describe, expect, test } from 'vitest';
import { column, predicate } from '../../../../test/support/source-harness.ts';
import type { Column, Operator } from '../../../catalog/table.ts';
import { compileMatcher } from '../../../simulator/logs/filter-pattern/evaluate.ts';
import { parseFilterPattern } from '../../../simulator/logs/filter-pattern/parse.ts';
import type { Predicate } from '../../source.ts';
import { assemble, fitting } from './assemble-pattern.ts';
import { patternOf } from './filter-pattern.ts';

const EVENT_NAME = column('event_name', 'eventName');
const ERROR_CODE = column('error_code', 'errorCode');
const SOURCE_IP = column('source_ip', undefined, 'inet');
const READ_ONLY = column('read_only', 'readOnly', 'boolean');
const HAS_BUCKET =
  '{ ($.requestParameters.bucketName = * || $.requestParameters.bucketName != "-") || ($.detail.requestParameters.bucketName = * || $.detail.requestParameters.bucketName != "-") }';
const BUCKET = column('request_parameters', 'requestParameters.bucketName');

function patternFor(...predicates: readonly Predicate[]): string | undefined {
  return assemble(
    predicates.flatMap((one) => patternOf(one) ?? []),
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
    [
      EVENT_NAME,
      '<>',
      ['A'],
      '{ ($.eventName != "A") || ($.eventVersion NOT EXISTS && $.eventName = *) || ($.detail.eventName != "A") || ($.detail.eventVersion NOT EXISTS && $.detail.eventName = *) }',
    ],
    [EVENT_NAME, '<>', [''], '{ ($.eventName = *) || ($.detail.eventName = *) }'],
    [EVENT_NAME, 'like', ['Create%'], '{ ($.eventName = "Create*") || ($.detail.eventName = "Create*") }'],
    [
      EVENT_NAME,
      'like',
      ['%User'],
      '{ ($.eventName = "*User") || ($.eventVersion NOT EXISTS && $.eventName = *) || ($.detail.eventName = "*User") || ($.detail.eventVersion NOT EXISTS && $.detail.eventName = *) }',
    ],
    [
      EVENT_NAME,
      'like',
      ['%Bucket%'],
      '{ ($.eventName = "*Bucket*") || ($.eventVersion NOT EXISTS && $.eventName = *) || ($.detail.eventName = "*Bucket*") || ($.detail.eventVersion NOT EXISTS && $.detail.eventName = *) }',
    ],
    [EVENT_NAME, 'like', ['Put%Policy'], '{ ($.eventName = "*Policy") || ($.detail.eventName = "*Policy") }'],
    [EVENT_NAME, 'like', ['Put_'], '{ ($.eventName = "Put*") || ($.detail.eventName = "Put*") }'],
    [
      EVENT_NAME,
      'not like',
      ['Put%'],
      '{ ($.eventName != "Put*") || ($.eventVersion NOT EXISTS && $.eventName = *) || ($.detail.eventName != "Put*") || ($.detail.eventVersion NOT EXISTS && $.detail.eventName = *) }',
    ],
    [
      EVENT_NAME,
      'not like',
      ['%User'],
      '{ ($.eventName != "*User") || ($.eventVersion NOT EXISTS && $.eventName = *) || ($.detail.eventName != "*User") || ($.detail.eventVersion NOT EXISTS && $.detail.eventName = *) }',
    ],
    [
      EVENT_NAME,
      'not like',
      ['%Key%'],
      '{ ($.eventName != "*Key*") || ($.eventVersion NOT EXISTS && $.eventName = *) || ($.detail.eventName != "*Key*") || ($.detail.eventVersion NOT EXISTS && $.detail.eventName = *) }',
    ],
    [
      EVENT_NAME,
      'not like',
      ['Put'],
      '{ ($.eventName != "Put") || ($.eventVersion NOT EXISTS && $.eventName = *) || ($.detail.eventName != "Put") || ($.detail.eventVersion NOT EXISTS && $.detail.eventName = *) }',
    ],
    [
      EVENT_NAME,
      'like',
      ['100\\%'],
      '{ ($.eventName = "100%") || ($.eventVersion NOT EXISTS && $.eventName = *) || ($.detail.eventName = "100%") || ($.detail.eventVersion NOT EXISTS && $.detail.eventName = *) }',
    ],
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
    [
      EVENT_NAME,
      '=',
      ['42', 'true'],
      '{ ($.eventName = "42" || $.eventName = 42 || $.eventName = "true" || $.eventName IS TRUE) || ($.detail.eventName = "42" || $.detail.eventName = 42 || $.detail.eventName = "true" || $.detail.eventName IS TRUE) }',
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
    [BUCKET, '<>', ['a'], HAS_BUCKET],
    [BUCKET, '=', ['{"a":1}'], HAS_BUCKET],
    [BUCKET, '=', ['12345678901234567'], HAS_BUCKET],
    [BUCKET, 'like', ['%a'], HAS_BUCKET],
    [BUCKET, 'not like', ['a%'], HAS_BUCKET],
    [BUCKET, 'ilike', ['a%'], HAS_BUCKET],
    [BUCKET, 'is not null', [], HAS_BUCKET],
    [EVENT_NAME, '=', ['{"a":1}'], undefined],
    [EVENT_NAME, '=', ['12345678901234567'], undefined],
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
      '{ (($.eventName = "A" || $.eventName = "B") && $.errorCode != "X") || ($.eventVersion NOT EXISTS && $.errorCode = *) || (($.detail.eventName = "A" || $.detail.eventName = "B") && $.detail.errorCode != "X") || ($.detail.eventVersion NOT EXISTS && $.detail.errorCode = *) }',
    );
  });

  test("the user's own pattern must hold as well", () => {
    expect(assemble([patternOf(predicate(EVENT_NAME, '=', 'A')) ?? []].flat(), ' { $.a = 1 || $.b = 2 } ')).toBe(
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
