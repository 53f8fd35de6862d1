import type { ResponseFields } from '../wire/backend/response-fields.ts';

/** As PostgreSQL names functions of ours on the way of an error: those that set no search_path may have no schema there. */
const OURS: readonly string[] = [
  'PL/pgSQL function trailhound.',
  'PL/pgSQL function keys_missing(bigint)',
  'PL/pgSQL function same_version(boolean)',
];

/** Those in SQL, which stand without a schema around the ones that raise errors. */
const OURS_AROUND = 'SQL function "event_match';

/** Without the way through functions of ours: a client sees their errors as those of PostgreSQL's own functions. */
export function withoutOurContext(fields: ResponseFields): ResponseFields {
  const context = fields.get('W');
  if (context === undefined) return fields;
  // Innermost first: all that one of ours has called comes before it.
  const lines = context.split('\n');
  let last = lines.findLastIndex((line) => OURS.some((own) => line.startsWith(own)));
  if (last === -1) return fields;
  while (lines[last + 1]?.startsWith(OURS_AROUND) === true) last += 1;
  const rest = lines.slice(last + 1).join('\n');
  return new Map(
    [...fields].flatMap(([letter, value]) => (letter !== 'W' ? [[letter, value]] : rest === '' ? [] : [['W', rest]])),
  );
}
