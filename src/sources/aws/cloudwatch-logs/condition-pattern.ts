import type { Condition } from '../../source.ts';
import { regexIn } from './assemble-pattern.ts';
import { assumedByAll, assumedByAny } from './assumed-texts.ts';
import { ilikePattern, patternOf } from './filter-pattern.ts';
import type { IlikePatterns, PatternPredicate } from './pattern-predicate.ts';

/** Alternatives and conjunctions as one piece of a pattern; undefined where it would not find every record. */
export function patternOfCondition(condition: Condition): PatternPredicate | undefined {
  switch (condition.kind) {
    case 'predicate': {
      const pattern = patternOf(condition.predicate);
      return pattern && { ...pattern, list: undefined, test: undefined };
    }
    case 'and': {
      const all = condition.of.map(patternOfCondition);
      const asked = all.filter((one) => one !== undefined);
      const known = withOneRegex(asked);
      if (known.length === 0) return undefined;
      return {
        condition: (root) => [`(${known.map((one) => anyOf(one, root)).join(' && ')})`],
        ...summary(known, known.length === all.length),
        assumes: assumedByAll(known.map(({ assumes }) => assumes)),
        ilike: new Map(asked.flatMap(({ ilike }) => [...(ilike ?? [])])),
      };
    }
    case 'or': {
      const all = condition.of.map(patternOfCondition);
      if (!all.every((one) => one !== undefined)) return undefined;
      const known = withMergedRegex(all);
      return (
        known && {
          condition: (root) => known.flatMap((one) => one.condition(root)),
          ...summary(known, true),
          assumes: assumedByAny(known.map(({ assumes }) => assumes)),
          ilike: saidByAll(all),
        }
      );
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

/**
 * Alternatives with a regular expression each: one expression for all of them, of a field that all of them ask ILIKE of. Undefined
 * where there is none.
 */
function withMergedRegex(all: readonly PatternPredicate[]): readonly PatternPredicate[] | undefined {
  const regexes = all.filter(({ isRegex }) => isRegex === true);
  if (regexes.length < 2) return all;
  const merged = [...saidByAll(regexes)].map(([path, patterns]) => ilikePattern(patterns, path));
  const regex = regexIn(merged.filter((one) => one !== undefined));
  return regex && [...all.filter(({ isRegex }) => isRegex !== true), regex];
}

function saidByAll(all: readonly PatternPredicate[]): IlikePatterns {
  const [first] = all;
  const paths = [...(first?.ilike?.keys() ?? [])].filter((path) => all.every(({ ilike }) => ilike?.has(path) === true));
  return new Map(paths.map((path) => [path, all.flatMap(({ ilike }) => ilike?.get(path) ?? [])]));
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
