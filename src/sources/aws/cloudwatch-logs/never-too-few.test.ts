import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { column, predicate, scanRequest } from '../../../../test/support/source-harness.ts';
import type { Operator } from '../../../catalog/table.ts';
import { compileMatcher } from '../../../simulator/logs/filter-pattern/evaluate.ts';
import { parseFilterPattern } from '../../../simulator/logs/filter-pattern/parse.ts';
import { likeTest } from '../../like.ts';
import type { Condition, Predicate } from '../../source.ts';
import { MAX_PATTERN_LENGTH } from './assemble-pattern.ts';
import { patternOfCondition } from './condition-pattern.ts';
import { patternOf } from './filter-pattern.ts';
import { requestPatterns } from './request-patterns.ts';
import { compileScan } from './scan-plan.ts';

const EVENT_NAME = column('event_name', 'eventName');
const ERROR_CODE = column('error_code', 'errorCode');
const USERNAME = column('username', 'userIdentity.userName');
const READ_ONLY = column('read_only', 'readOnly', 'boolean');
const BUCKET = column('request_parameters', 'requestParameters.bucketName');

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
  return likeTest(values[0] ?? '')?.(stored(text)) === (operator === 'like');
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

const recordOf = (field: fc.Arbitrary<unknown>, more: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(
    {
      ...more,
      eventName: field,
      errorCode: field,
      userIdentity: fc.oneof(fc.record({ userName: field }), fc.constantFrom(null, undefined, 'text')),
      readOnly: fc.oneof(fc.boolean(), fc.constantFrom('true', 'false', 'True', 'FALSE', null, undefined)),
      requestParameters: fc.oneof(fc.record({ bucketName: anything }), fc.constantFrom(null, 'text')),
    },
    { requiredKeys: Object.keys(more) as never[] },
  );
/** CloudTrail's, and those of anything else, where any field may hold anything. */
const record = fc.oneof(
  recordOf(scalarText, { eventVersion: fc.constantFrom('1.08', '1.11') }),
  recordOf(anything, {}),
);

const textOfAnything = anything.map((value) => (typeof value === 'string' ? value : JSON.stringify(value ?? null)));

/** Values as a statement has them. */
const valueFrom = (pool: fc.Arbitrary<string>) => pool.map((value) => stored(value));
const textPredicate = fc
  .tuple(
    fc.constantFrom(EVENT_NAME, ERROR_CODE, USERNAME),
    fc.constantFrom<Operator>('=', '<>', 'like', 'not like', 'is null', 'is not null'),
    fc.array(valueFrom(fc.oneof(text, textOfAnything)), { minLength: 1, maxLength: 3 }),
  )
  .map(([of, operator, values]) =>
    predicate(of, operator, ...(operator.startsWith('is') ? [] : operator === '=' ? values : values.slice(0, 1))),
  );
const booleanPredicate = fc
  .tuple(fc.constantFrom<Operator>('=', 'is true', 'is false'), fc.constantFrom('t', 'f', 'true', 'false'))
  .map(([operator, value]) => predicate(READ_ONLY, operator, ...(operator === '=' ? [value] : [])));
const freeFormPredicate = fc
  .tuple(
    fc.constantFrom<Operator>('=', '<>', 'like', 'not like', 'is null', 'is not null'),
    valueFrom(fc.oneof(text, textOfAnything)),
  )
  .map(([operator, value]) => predicate(BUCKET, operator, ...(operator.startsWith('is') ? [] : [value])));

const leaf = fc.oneof(textPredicate, textPredicate, booleanPredicate, freeFormPredicate);
const { tree } = fc.letrec<{ tree: Condition }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    leaf.map((one): Condition => ({ kind: 'predicate', predicate: one })),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      of: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
    }),
  ),
}));

function holds(one: unknown, condition: Condition): boolean {
  switch (condition.kind) {
    case 'predicate':
      return satisfies(one, condition.predicate);
    case 'and':
      return condition.of.every((each) => holds(one, each));
    case 'or':
      return condition.of.some((each) => holds(one, each));
  }
}

const escaped = (text: string, of: RegExp) =>
  text.replace(of, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
/** The same JSON in other characters. */
const WRITERS: readonly ((value: unknown) => string)[] = [
  (value) => JSON.stringify(value),
  (value) => JSON.stringify(value, undefined, 2),
  (value) => JSON.stringify(value).replaceAll('/', '\\/'),
  (value) => escaped(JSON.stringify(value), /[^\0-~]/g),
  (value) => escaped(JSON.stringify(value), /[A-Z]/g),
];

describe('never too few', () => {
  test.each([false, true])(
    'every record that satisfies conditions is found, whatever stands in its fields (!= matches a missing field: %s)',
    (notEqualMatchesMissing) => {
      fc.assert(
        fc.property(
          fc.array(record, { minLength: 1, maxLength: 8 }),
          fc.array(leaf, { maxLength: 4 }),
          fc.array(tree, { maxLength: 3 }),
          (records, predicates, conditions) => {
            const candidates = [
              ...predicates.flatMap((one) => patternOf(one) ?? []),
              ...conditions.flatMap((one) => patternOfCondition(one) ?? []),
            ];
            const { parts } = requestPatterns(candidates, undefined);
            const asked = parts.map(({ pattern, owns }) => {
              const text = pattern(undefined) ?? '';
              expect(text.length).toBeLessThanOrEqual(MAX_PATTERN_LENGTH);
              return { text, owns, matches: compileMatcher(parseFilterPattern(text), { notEqualMatchesMissing }) };
            });
            for (const one of records) {
              if (!predicates.every((each) => satisfies(one, each))) continue;
              if (!conditions.every((each) => holds(one, each))) continue;
              for (const event of [one, { 'detail-type': 'AWS API Call via CloudTrail', detail: one }]) {
                const json = JSON.stringify(event);
                const found = asked.filter(({ matches, owns }) => matches(json) && owns(one));
                expect(found.length, `${asked.map(({ text }) => text).join('; ')} on ${json}`).toBe(1);
              }
            }
          },
        ),
        { numRuns: 3000 },
      );
    },
  );

  test('every message that satisfies conditions is parsed, whatever is sent to the service, and however its JSON is written', () => {
    const filter = predicate(column('filter', '@filter'), '=', 'terms of its own');
    fc.assert(
      fc.property(
        record,
        fc.array(leaf, { maxLength: 3 }),
        fc.array(tree, { maxLength: 2 }),
        fc.boolean(),
        fc.constantFrom(...WRITERS),
        (one, predicates, conditions, hasFilter, write) => {
          fc.pre(predicates.every((each) => satisfies(one, each)) && conditions.every((each) => holds(one, each)));
          const asked = scanRequest([...predicates, ...(hasFilter ? [filter] : [])]);
          const scan = compileScan({ ...asked, conditions }, []);
          for (const event of [one, { 'detail-type': 'AWS API Call via CloudTrail', detail: one }]) {
            const message = write(event);
            expect(JSON.parse(message)).toEqual(JSON.parse(JSON.stringify(event)));
            expect(scan.mayHold(message), message).toBe(true);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

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
