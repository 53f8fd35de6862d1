import type { Condition } from '../../source.ts';
import { type PatternPredicate, patternOf, regexIn } from './filter-pattern.ts';

/** Alternatives and conjunctions as one piece of a pattern; undefined where it would not find every record. */
export function patternOfCondition(condition: Condition): PatternPredicate | undefined {
  switch (condition.kind) {
    case 'predicate': {
      const pattern = patternOf(condition.predicate);
      return pattern && { ...pattern, list: undefined, test: undefined };
    }
    case 'and': {
      const all = condition.of.map(patternOfCondition);
      const known = withOneRegex(all.filter((one) => one !== undefined));
      if (known.length === 0) return undefined;
      return {
        condition: (root) => [`(${known.map((one) => anyOf(one, root)).join(' && ')})`],
        ...summary(known, known.length === all.length),
      };
    }
    case 'or': {
      const all = condition.of.map(patternOfCondition);
      const known = withOneRegex(all.filter((one) => one !== undefined));
      if (known.length < all.length) return undefined;
      return { condition: (root) => known.flatMap((one) => one.condition(root)), ...summary(known, true) };
    }
  }
}

function anyOf({ condition }: PatternPredicate, root: string): string {
  const alternatives = condition(root);
  return alternatives.length === 1 ? alternatives.join('') : `(${alternatives.join(' || ')})`;
}

/** A pattern takes two regular expressions, one for each form of a record. */
function withOneRegex(all: readonly PatternPredicate[]): readonly PatternPredicate[] {
  const kept = regexIn(all);
  return all.filter((one) => one.isRegex !== true || one === kept);
}

function summary(
  known: readonly PatternPredicate[],
  whole: boolean,
): Pick<PatternPredicate, 'exactness' | 'isRegex' | 'isCoarse'> {
  const isExact = whole && known.every(({ exactness }) => exactness === 'exact');
  const regex = regexIn(known);
  return {
    exactness: isExact ? 'exact' : 'inexact',
    isRegex: regex !== undefined,
    isCoarse: regex?.isCoarse,
  };
}
