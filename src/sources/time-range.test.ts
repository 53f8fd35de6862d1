import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { column, predicate } from '../../test/support/source-harness.ts';
import type { Operator } from '../catalog/table.ts';
import type { Condition, Predicate } from './source.ts';
import { ALWAYS, rangeSaid } from './time-range.ts';

const TIME = column('event_time', 'eventTime', 'timestamp with time zone');
const NAME = column('event_name', 'eventName');
const isTime = ({ column: of }: Predicate) => of === TIME;
const of = (operator: Operator, ...values: number[]): Condition => ({
  kind: 'predicate',
  predicate: predicate(TIME, operator, ...values.map(String)),
});
const other: Condition = { kind: 'predicate', predicate: predicate(NAME, '=', 'x') };

describe('what conditions leave of a range', () => {
  test.each<[string, readonly Condition[], { start: number; end: number } | undefined]>([
    ['nothing is said', [other], undefined],
    ['conjuncts', [of('>=', 5), of('<', 9), other], { start: 5, end: 9 }],
    [
      'alternatives',
      [{ kind: 'or', of: [{ kind: 'and', of: [of('>', 5), of('<', 7)] }, of('=', 20, 30)] }],
      { start: 5, end: 30 },
    ],
    ['an alternative of something else', [{ kind: 'or', of: [of('>', 5), other] }], ALWAYS],
    ['an alternative that has no value', [{ kind: 'or', of: [of('>', 5), of('is null')] }], ALWAYS],
    [
      'an alternative that nothing satisfies',
      [{ kind: 'or', of: [of('=', 5), { kind: 'and', of: [of('>', 9), of('<', 1)] }] }],
      { start: 5, end: 5 },
    ],
  ])('%s', (_name, conditions, range) => {
    expect(rangeSaid({ predicates: [], conditions }, isTime)).toEqual(range);
  });

  test('no value outside of it satisfies them', () => {
    const leaf = fc.oneof(
      fc.constant(other),
      fc
        .tuple(fc.constantFrom<Operator>('=', '<>', '<', '<=', '>', '>='), fc.integer({ min: 0, max: 8 }))
        .map(([operator, value]) => of(operator, value)),
    );
    const { tree } = fc.letrec<{ tree: Condition }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.record({
          kind: fc.constantFrom('and' as const, 'or' as const),
          of: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
        }),
      ),
    }));
    fc.assert(
      fc.property(fc.array(tree, { maxLength: 3 }), (conditions) => {
        const { start, end } = rangeSaid({ predicates: [], conditions }, isTime) ?? ALWAYS;
        for (let value = -1; value < 10; value += 0.5)
          if (conditions.every((each) => mayHold(each, value))) expect(value >= start && value <= end).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

function mayHold(condition: Condition, value: number): boolean {
  switch (condition.kind) {
    case 'and':
      return condition.of.every((each) => mayHold(each, value));
    case 'or':
      return condition.of.some((each) => mayHold(each, value));
    case 'predicate': {
      const { operator, values } = condition.predicate;
      const bound = Number(values[0]);
      if (!isTime(condition.predicate)) return true;
      if (operator === '=') return value === bound;
      if (operator === '<>') return value !== bound;
      if (operator.startsWith('<')) return operator === '<' ? value < bound : value <= bound;
      return operator === '>' ? value > bound : value >= bound;
    }
  }
}
