import type { ResponseFields } from '../wire/backend/response-fields.ts';
import { withoutOurContext } from './context.ts';

/** What ran, and what the client thinks ran. */
export interface ExecutedText {
  readonly original: string;
  readonly executed: string;
  /** Characters before `original` in what the client sent. */
  readonly offset: number;
}

/**
 * An error's or notice's position, moved to where it points in the client's text; dropped where it points at none of it.
 * The way through functions of ours is dropped, too.
 */
export function locate(all: ResponseFields, text: ExecutedText): ResponseFields {
  const fields = withoutOurContext(all);
  const position = fields.get('P');
  if (position === undefined) return fields;
  const mapped = mapPosition(Number(position), text);
  const result = new Map(fields);
  if (mapped === undefined) result.delete('P');
  else result.set('P', String(mapped + text.offset));
  return result;
}

/**
 * 1-based, in characters (code points, as PostgreSQL counts them). What was replaced lies between the texts' common
 * beginning and their common end; a position inside of it has no counterpart.
 */
export function mapPosition(position: number, text: Pick<ExecutedText, 'original' | 'executed'>): number | undefined {
  if (text.original === text.executed) return position;
  const original = Array.from(text.original);
  const executed = Array.from(text.executed);
  const shorter = Math.min(original.length, executed.length);
  let prefix = 0;
  while (prefix < shorter && original[prefix] === executed[prefix]) prefix += 1;
  if (position <= prefix) return position;
  let suffix = 0;
  while (suffix < shorter - prefix && original.at(-1 - suffix) === executed.at(-1 - suffix)) suffix += 1;
  return position > executed.length - suffix ? position - executed.length + original.length : undefined;
}
