import type { Condition, Conjuncts } from './source.ts';

/** Equal for conditions that say the same in the same way. */
export function conditionText(condition: Condition): string {
  switch (condition.kind) {
    case 'predicate': {
      const { column, steps = [], operator, values } = condition.predicate;
      return JSON.stringify([column.name, steps, operator, [...values].sort()]);
    }
    case 'and':
    case 'or':
      return JSON.stringify([condition.kind, condition.of.map(conditionText)]);
  }
}

/** All of them as conditions. */
export function conjunctsOf({ predicates, conditions = [] }: Conjuncts): readonly Condition[] {
  return [...predicates.map((predicate) => ({ kind: 'predicate', predicate }) as const), ...conditions];
}
