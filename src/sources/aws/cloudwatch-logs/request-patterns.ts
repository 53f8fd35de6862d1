import { MAX_PATTERN_LENGTH, assemble, fitting, lengthOf } from './assemble-pattern.ts';
import type { PatternPredicate, ValueList } from './pattern-predicate.ts';

/** Each part reads the whole time range: more of them cost more than what they leave out. */
const MAX_PARTS = 4;

/** What one request asks for. Several parts have a list's values between them. */
export interface PatternPart {
  readonly pattern: (filter: string | undefined) => string | undefined;
  /** True of the records (unwrapped) that this part gives; others give the rest. */
  readonly owns: (value: unknown) => boolean;
}

export interface RequestPatterns<T> {
  /** Those that are asked for. */
  readonly used: readonly T[];
  readonly parts: readonly PatternPart[];
}

/**
 * All that fits in one pattern beside the filter, or in several that divide a list's values among them; of what does
 * not, the longest is left to PostgreSQL first.
 */
export function requestPatterns<T extends PatternPredicate>(
  candidates: readonly T[],
  filter: string | undefined,
): RequestPatterns<T> {
  const inOne = fitting(candidates, filter);
  const left = candidates.filter((one) => !inOne.includes(one));
  for (const one of left) {
    // The filter may hold regular expressions of its own.
    if (one.list === undefined || (one.isRegex === true && filter?.includes('%') === true)) continue;
    const others = inOne.filter((other) => other.isRegex !== true || one.isRegex !== true);
    const parts = divide(one.list, others, filter);
    if (parts !== undefined && others.length === inOne.length) {
      return { used: [...others, one], parts: parts.map((part) => partOf([...others, part.pattern], part)) };
    }
  }
  return { used: inOne, parts: [partOf(inOne, undefined)] };
}

interface ListPart {
  readonly list: ValueList;
  readonly values: ReadonlySet<string>;
  readonly pattern: PatternPredicate;
}

function divide(
  list: ValueList,
  others: readonly PatternPredicate[],
  filter: string | undefined,
): readonly ListPart[] | undefined {
  const parts: ListPart[] = [];
  let rest = list.values;
  while (rest.length > 0) {
    if (parts.length === MAX_PARTS) return undefined;
    const count = mostThat(
      (some) => lengthOf([...others, list.part(rest.slice(0, some))], filter) <= MAX_PATTERN_LENGTH,
      rest.length,
    );
    if (count === 0) return undefined;
    const values = rest.slice(0, count);
    parts.push({ list, values: new Set(values), pattern: list.part(values) });
    rest = rest.slice(count);
  }
  return parts;
}

/** The greatest number up to `most` that fits, where all smaller ones do. */
function mostThat(fits: (count: number) => boolean, most: number): number {
  let [least, beyond] = [0, most + 1];
  while (beyond - least > 1) {
    const middle = (least + beyond) >>> 1;
    if (fits(middle)) least = middle;
    else beyond = middle;
  }
  return least;
}

function partOf(patterns: readonly PatternPredicate[], part: ListPart | undefined): PatternPart {
  const pattern = (filter: string | undefined) => assemble(patterns, filter);
  if (part === undefined) return { pattern, owns: () => true };
  const { list, values } = part;
  const steps = list.path.split('.');
  return {
    pattern,
    owns: (record) => {
      const value = list.valueOf(steps.reduce(member, record));
      return value !== undefined && values.has(value);
    },
  };
}

export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
