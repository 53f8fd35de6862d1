import type { Refusal, Tally } from './search.ts';

/** The tallies of the parts of one search. */
export function together(parts: readonly Tally[]): Tally {
  const skipped = new Map<string, number>();
  const unchecked = new Map<string, number>();
  const refusals = new Map<string, Refusal>();
  for (const part of parts) {
    for (const [why, times] of part.skipped) skipped.set(why, (skipped.get(why) ?? 0) + times);
    for (const [why, times] of part.unchecked) unchecked.set(why, (unchecked.get(why) ?? 0) + times);
    for (const [reason, { count, examples }] of part.refusals) {
      const known = refusals.get(reason) ?? { count: 0, examples: [] };
      known.count += count;
      known.examples.push(...examples);
      refusals.set(reason, known);
    }
  }
  const sum = (of: (part: Tally) => number): number => parts.reduce((total, part) => total + of(part), 0);
  return {
    statements: sum(({ statements }) => statements),
    skipped,
    unchecked,
    bounded: sum(({ bounded }) => bounded),
    unbounded: sum(({ unbounded }) => unbounded),
    mismatches: parts.flatMap(({ mismatches }) => mismatches),
    refusals,
    refused: sum(({ refused }) => refused),
  };
}
