import { describe, expect, test } from 'vitest';
import { column, predicate } from '../../../../test/support/source-harness.ts';
import type { Condition, Predicate } from '../../source.ts';
import { patternOfCondition } from './condition-pattern.ts';

const leaf = (one: Predicate): Condition => ({ kind: 'predicate', predicate: one });
const and = (...of: Condition[]): Condition => ({ kind: 'and', of });
const or = (...of: Condition[]): Condition => ({ kind: 'or', of });

const A = leaf(predicate(column('event_name', 'eventName'), '=', 'A', 'B'));
const X = leaf(predicate(column('error_code', 'errorCode'), '=', 'X'));
const LONGER = leaf(predicate(column('event_name', 'eventName'), '>', 'A'));
const ilike = (name: string, path: string, ...patterns: string[]) =>
  leaf(predicate(column(name, path), 'ilike', ...patterns));
const NAME = ilike('event_name', 'eventName', 'ab');
const OTHER_NAME = ilike('event_name', 'eventName', 'cd%');
const SOURCE = ilike('event_source', 'eventSource', 'e');
const AGENT = ilike('user_agent', 'userAgent', 'f');
const ADDRESS = leaf(predicate(column('source_ip', undefined, 'inet'), '=', '192.0.2.1'));

function json(name: string, path: string, ...steps: (string | number)[]): Condition {
  return leaf({ ...predicate(column(name, path, 'jsonb'), '=', 'x'), steps });
}

function asked(condition: Condition): string | undefined {
  return patternOfCondition(condition)?.condition('$').join(' || ');
}

describe('a condition of several predicates', () => {
  test.each<[string, Condition, string | undefined, string | undefined]>([
    ['alternatives', or(A, X), '$.eventName = "A" || $.eventName = "B" || $.errorCode = "X"', 'exact'],
    ['a conjunction', and(A, X), '(($.eventName = "A" || $.eventName = "B") && $.errorCode = "X")', 'exact'],
    ['a conjunction of what can be asked', and(X, LONGER), '($.errorCode = "X")', 'inexact'],
    ['no alternatives one of which cannot be asked', or(X, LONGER), undefined, undefined],
    ['one address', or(X, ADDRESS), '$.errorCode = "X" || $.sourceIPAddress = %^0*192\\.0*0\\.0*2\\.0*1%', 'inexact'],
    ['no more regular expressions than a pattern takes', or(ADDRESS, ADDRESS), undefined, undefined],
    ['a text in any case', NAME, '$.eventName = %^[Aa][Bb]$%', 'inexact'],
    ['the field that tells more', and(SOURCE, NAME), '($.eventName = %^[Aa][Bb]$%)', 'inexact'],
    ['alternatives of one field', or(NAME, OTHER_NAME), '$.eventName = %^[Aa][Bb]$|^[Cc][Dd]%', 'inexact'],
    [
      'alternatives that have a field in common',
      or(and(SOURCE, NAME), X, and(AGENT, OTHER_NAME)),
      '$.errorCode = "X" || $.eventName = %^[Aa][Bb]$|^[Cc][Dd]%',
      'inexact',
    ],
    ['no alternatives that have none', or(NAME, AGENT), undefined, undefined],
    ['no address and a text', or(NAME, ADDRESS), undefined, undefined],
    ['nothing of a field that one alternative leaves open', and(or(or(NAME, X), OTHER_NAME)), undefined, undefined],
    ['a member', json('p', 'requestParameters', 'a', 'b'), '$.requestParameters.a.b = "x"', 'inexact'],
    ['an element', json('r', 'resources', 0, 'ARN'), '$.resources[0].ARN = "x"', 'inexact'],
    ['a member of the record', json('e', '@record', 'userIdentity', 'arn'), '$.userIdentity.arn = "x"', 'inexact'],
    ['no element from the end', json('r', 'resources', -1, 'ARN'), undefined, undefined],
    ['no member with another name', json('p', 'requestParameters', 'a b'), undefined, undefined],
    ['no number as a name', json('p', 'requestParameters', '0'), undefined, undefined],
    ['no whole record', json('e', '@record'), undefined, undefined],
  ])('%s', (_what, condition, pattern, exactness) => {
    expect(asked(condition)).toBe(pattern);
    expect(patternOfCondition(condition)?.exactness).toBe(exactness);
  });
});
