import type { FilterPattern } from './pattern.ts';
import { parseJsonPattern } from './parse-json.ts';
import { parseSpaceDelimited } from './parse-space-delimited.ts';
import { parseTerms } from './parse-terms.ts';

/** Throws InvalidFilterPattern. */
export function parseFilterPattern(text: string): FilterPattern {
  const trimmed = text.trim();
  if (trimmed === '') return { kind: 'everything' };
  if (trimmed.startsWith('{')) return parseJsonPattern(trimmed);
  if (trimmed.startsWith('[')) return parseSpaceDelimited(trimmed);
  return parseTerms(trimmed);
}
