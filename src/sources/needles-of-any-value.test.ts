import fc from 'fast-check';
import { expect, test } from 'vitest';
import { column, predicate } from '../../test/support/source-harness.ts';
import type { Operator } from '../catalog/table.ts';
import { likeTest } from './like.ts';
import type { Predicate } from './source.ts';
import { needlesOfPredicate, textOf } from './needles.ts';

const TEXT = column('error_code', 'errorCode');
const PLACE = column('request_parameters', 'requestParameters', 'jsonb');

const word = fc.constantFrom(
  'Access',
  'Denied',
  'true',
  'null',
  '12',
  '1.50',
  '1e21',
  '-0',
  '{"a"',
  ': 1',
  '[1, 2]',
  'é',
  '/',
  ' ',
  '"',
);
const text = fc.array(word, { maxLength: 4 }).map((words) => words.join(''));
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    text,
    fc.integer(),
    fc.double({ noDefaultInfinity: true, noNaN: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(word, tie('value'), { maxKeys: 2 }),
  ),
}));

/** What PostgreSQL may have as the text of a value: our JSON, or its own, which has spaces. */
function textsOf(of: unknown): readonly string[] {
  if (of === null || of === undefined) return [];
  return typeof of === 'string' ? [of] : [JSON.stringify(of), spaced(of)];
}

function spaced(of: unknown): string {
  if (Array.isArray(of)) return `[${of.map(spaced).join(', ')}]`;
  if (typeof of !== 'object' || of === null) return JSON.stringify(of);
  return `{${Object.entries(of)
    .map(([name, member]) => `${JSON.stringify(name)}: ${spaced(member)}`)
    .join(', ')}}`;
}

function satisfies(of: unknown, { operator, values }: Predicate): boolean {
  return textsOf(of).some((own) =>
    operator === '=' ? values.includes(own) : likeTest(values[0] ?? '')?.(own) === true,
  );
}

test('a record that satisfies a condition has one of its needles, whatever stands in the field', () => {
  const escaped = (part: string) => part.replace(/[\\%_]/g, '\\$&');
  const wanted = fc
    .tuple(value, fc.nat(8), fc.nat(8), fc.constantFrom('=', 'start', 'end', 'within'))
    .map(([of, from, length, how]): { of: unknown; operator: Operator; pattern: string } => {
      const whole = textsOf(of).at(-1) ?? '';
      switch (how) {
        case '=':
          return { of, operator: '=', pattern: whole };
        case 'start':
          return { of, operator: 'like', pattern: `${escaped(whole.slice(0, from + length))}%` };
        case 'end':
          return { of, operator: 'like', pattern: `%${escaped(whole.slice(from))}` };
        case 'within':
          return { of, operator: 'like', pattern: `%${escaped(whole.slice(from, from + length))}%` };
      }
    });
  fc.assert(
    fc.property(wanted, fc.constantFrom(TEXT, PLACE), fc.boolean(), ({ of, operator, pattern }, place, isIndented) => {
      const asked = { ...predicate(place, operator, pattern), ...(place === PLACE && { steps: ['x'] }) };
      fc.pre(satisfies(of, asked));
      const record = place === PLACE ? { requestParameters: { x: of } } : { errorCode: of };
      const bytes = JSON.stringify(record, undefined, isIndented ? 1 : undefined);
      const needles = needlesOfPredicate(asked);
      expect(
        needles === undefined || needles.some((needle) => bytes.includes(textOf(needle))),
        `${JSON.stringify(needles)} in ${bytes}`,
      ).toBe(true);
    }),
    { numRuns: 5000 },
  );
});
