import { isDeepStrictEqual } from 'node:util';
import type { Node } from '@pgsql/types';
import { Deparser } from 'pgsql-deparser';
import { TrailhoundError } from '../kernel/errors.ts';
import { parseOwn } from './parse.ts';

/**
 * The text of a statement that the planner built.
 *
 * The text is parsed again and compared with the tree that it came from: a deparser's mistake must never become
 * another question than the one that was meant.
 */
export function deparse(node: Node): string {
  const text = Deparser.deparse(node, { pretty: false });
  if (!isDeepStrictEqual(shape(parseOwn(text)), shape(node))) {
    throw new TrailhoundError('internal', 'a key query could not be written down', {
      detail: `Written and read again, it is another statement: ${text}`,
      hint: 'Report this statement; rewriting the expression that gives the keys may avoid it.',
    });
  }
  return text;
}

/** The tree without what does not change its meaning: locations, undefined members, empty lists. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value)
    .filter(
      ([name, member]) => !isLocation(name) && member !== undefined && !(Array.isArray(member) && member.length === 0),
    )
    .map(([name, member]) => [name, shape(member)] as const);
  return Object.fromEntries(entries);
}

function isLocation(name: string): boolean {
  return (
    name === 'location' ||
    name.endsWith('_location') ||
    name === 'rexpr_list_start' ||
    name === 'rexpr_list_end' ||
    name === 'list_start' ||
    name === 'list_end'
  );
}
