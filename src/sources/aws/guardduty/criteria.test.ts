import { describe, expect, test } from 'vitest';
import { column, predicate } from '../../../../test/support/source-harness.ts';
import type { Column, Operator } from '../../../catalog/table.ts';
import type { Condition } from '../clients/guardduty.ts';
import { compileCriteria } from './criteria.ts';

const TYPE = column('type', 'type');
const SEVERITY = column('severity', 'severity', 'double precision');
const LABEL = column('severity_label', undefined);
const UPDATED_AT = column('updated_at', 'updatedAt', 'timestamp with time zone');
const ARCHIVED = column('archived', 'service.archived', 'boolean');
const ACCESS_KEY = column('access_key_id', 'resource.accessKeyDetails.accessKeyId');

describe('conditions never find less than PostgreSQL would', () => {
  test.each<[Column, Operator, readonly string[], Record<string, Condition>]>([
    [TYPE, '=', ['A', 'B', 'A'], { type: { Equals: ['A', 'B'] } }],
    [TYPE, '<>', ['A'], { type: { NotEquals: ['A'] } }],
    [TYPE, 'like', ['A%'], {}],
    [ACCESS_KEY, '=', ['AKIA'], { 'resource.accessKeyDetails.accessKeyId': { Equals: ['AKIA'] } }],
    [ACCESS_KEY, '<>', ['AKIA'], {}],
    [ACCESS_KEY, '=', [''], {}],
    [SEVERITY, '>=', ['6.5'], { severity: { GreaterThanOrEqual: 6 } }],
    [SEVERITY, '>', ['7'], { severity: { GreaterThanOrEqual: 7 } }],
    [SEVERITY, '<', ['4'], { severity: { LessThanOrEqual: 4 } }],
    [SEVERITY, '<=', ['6.5'], { severity: { LessThanOrEqual: 7 } }],
    [SEVERITY, '=', ['5.5', '8'], { severity: { GreaterThanOrEqual: 5, LessThanOrEqual: 8 } }],
    [SEVERITY, '<=', ['NaN'], {}],
    [SEVERITY, '<', ['Infinity'], {}],
    [LABEL, '=', ['HIGH'], { severity: { GreaterThanOrEqual: 7, LessThanOrEqual: 9 } }],
    [LABEL, '=', ['HIGH', 'CRITICAL'], { severity: { GreaterThanOrEqual: 7 } }],
    [LABEL, '=', ['LOW'], { severity: { LessThanOrEqual: 4 } }],
    [LABEL, '=', ['LOW', 'CRITICAL'], {}],
    [LABEL, '=', ['high'], {}],
    [UPDATED_AT, '>', ['1793491200000.5'], { updatedAt: { GreaterThanOrEqual: 1793491199000 } }],
    [UPDATED_AT, '<=', ['1793491200000.5'], { updatedAt: { LessThanOrEqual: 1793491201001 } }],
    [UPDATED_AT, '<', ['Infinity'], {}],
    [ARCHIVED, 'is false', [], { 'service.archived': { Equals: ['false'] } }],
    [ARCHIVED, '=', ['t'], { 'service.archived': { Equals: ['true'] } }],
    [ARCHIVED, '=', ['t', 'f'], {}],
    [column('created_at', 'createdAt', 'timestamp with time zone'), '>', ['5'], {}],
    [column('remote_ip', '@remote_ip', 'inet'), '=', ['192.0.2.1'], {}],
    [column('detector_id', 'service.detectorId'), '=', ['d'], {}],
    [column('db_user', 'resource.rdsDbUserDetails.user'), '=', ['admin'], {}],
  ])('%o %s %o', (of, operator, values, expected) => {
    const one = predicate(of, operator, ...values);
    const { criterion, pushed } = compileCriteria([one]);
    expect(criterion).toEqual(expected);
    expect(pushed).toHaveLength(1);
    expect(pushed[0]?.predicate).toBe(one);
    expect(pushed[0]?.exactness).toBe(Object.keys(expected).length === 0 ? 'none' : 'inexact');
  });

  test('conditions on one attribute are one condition', () => {
    const { criterion } = compileCriteria([
      predicate(SEVERITY, '>=', '2'),
      predicate(LABEL, '=', 'MEDIUM', 'HIGH'),
      predicate(SEVERITY, '<', '8'),
      predicate(TYPE, '=', 'A', 'B'),
      predicate(TYPE, '=', 'B', 'C'),
      predicate(TYPE, '<>', 'X'),
      predicate(TYPE, '<>', 'Y'),
    ]);
    expect(criterion).toEqual({
      severity: { GreaterThanOrEqual: 4, LessThanOrEqual: 8 },
      type: { Equals: ['B'], NotEquals: ['X', 'Y'] },
    });
  });

  test('more values than AWS takes are left to PostgreSQL', () => {
    const values = Array.from({ length: 51 }, (_, index) => `id${index}`);
    expect(compileCriteria([predicate(column('id', 'id'), '=', ...values)]).criterion).toEqual({});
  });
});
