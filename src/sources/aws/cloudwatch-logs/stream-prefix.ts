import type { Predicate } from '../../source.ts';
import { parseLike } from '../../like.ts';

/** FilterLogEvents, logStreamNamePrefix: at most 512 characters, neither `:` nor `*`. */
const LONGEST = 512;

/**
 * What all log streams that satisfy the predicates begin with. A prefix always, never `logStreamNames`: one of those
 * that does not exist in a log group makes the whole request fail, and with it the others' events.
 */
export function streamPrefix(predicates: readonly Predicate[]): string | undefined {
  const prefixes = predicates.flatMap(prefixOf).map((prefix) => (/^[^:*]*/.exec(prefix)?.[0] ?? '').slice(0, LONGEST));
  const longest = prefixes.reduce((best, prefix) => (prefix.length > best.length ? prefix : best), '');
  return longest === '' ? undefined : longest;
}

function prefixOf({ operator, values }: Predicate): readonly string[] {
  if (operator === '=') return [values.reduce(commonPrefix)];
  if (operator !== 'like') return [];
  const [first] = parseLike(values[0] ?? '') ?? [];
  return first?.kind === 'text' ? [first.text] : [];
}

function commonPrefix(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a.charAt(length) === b.charAt(length)) length += 1;
  return a.slice(0, length);
}
