import { assumedByAll, otherRecords } from './assumed-texts.ts';
import type { PatternPredicate } from './pattern-predicate.ts';

/** FilterLogEvents, filterPattern. */
export const MAX_PATTERN_LENGTH = 1024;

type Asked = Pick<PatternPredicate, 'condition' | 'assumes'>;

/** A record as it is, or in an envelope of EventBridge. */
const ROOTS = ['$', '$.detail'];

/** One record form or the other, and the user's own pattern where there is one. */
export function assemble(patterns: readonly Asked[], filter: string | undefined): string | undefined {
  const user = filter === undefined || filter.trim() === '' ? undefined : filter;
  if (patterns.length === 0) return user;
  const assumed = assumedByAll(patterns.map(({ assumes }) => assumes));
  const ours = ROOTS.flatMap((root) => [
    `(${conjunction(patterns, root)})`,
    ...(assumed === undefined ? [] : [`(${otherRecords(assumed, root)})`]),
  ]).join(' || ');
  if (user === undefined) return `{ ${ours} }`;
  return `{ (${jsonExpression(user) ?? ''}) && (${ours}) }`;
}

function conjunction(patterns: readonly Asked[], root: string): string {
  const operands = patterns.map(({ condition }) => condition(root));
  const alone = operands.length === 1;
  return operands.map((any) => (alone || any.length === 1 ? any.join(' || ') : `(${any.join(' || ')})`)).join(' && ');
}

/** True where other conditions can be and-ed to it: `{ … }`, not terms or space-delimited fields. */
export function isJsonPattern(filter: string): boolean {
  return filter.trim() === '' || jsonExpression(filter) !== undefined;
}

function jsonExpression(filter: string): string | undefined {
  return /^\s*\{(.*)\}\s*$/s.exec(filter)?.[1]?.trim();
}

export function lengthOf(all: readonly Asked[], filter: string | undefined): number {
  return assemble(all, filter)?.length ?? 0;
}

/** Those that fit in one pattern together with the filter: the longest are left to PostgreSQL first. */
export function fitting<T extends Asked & Pick<PatternPredicate, 'isRegex' | 'isCoarse'>>(
  all: readonly T[],
  filter: string | undefined,
): readonly T[] {
  // The filter may hold regular expressions of its own.
  const regex = filter?.includes('%') === true ? undefined : regexIn(all);
  const kept = all.filter((one) => one.isRegex !== true || one === regex);
  while (kept.length > 0 && lengthOf(kept, filter) > MAX_PATTERN_LENGTH) {
    const lengths = kept.map(({ condition }) => condition('$').join(' || ').length);
    kept.splice(lengths.indexOf(Math.max(...lengths)), 1);
  }
  return kept;
}

/** The one regular expression of a pattern. */
export function regexIn<T extends Pick<PatternPredicate, 'isRegex' | 'isCoarse'>>(all: readonly T[]): T | undefined {
  const regexes = all.filter(({ isRegex }) => isRegex === true);
  return regexes.find(({ isCoarse }) => isCoarse !== true) ?? regexes[0];
}
