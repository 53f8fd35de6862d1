import { TrailhoundError } from '../kernel/errors.ts';
import type { Queryable } from './dependents.ts';
import type { LearntNames } from './learnt-names.ts';
import { wordsOf } from './leading.ts';

/** Between a statement's arrival here and at its backend. */
const ON_ITS_WAY_MS = 1_000;

const RUNNING = `select (extract(epoch from pg_catalog.clock_timestamp() - query_start) * 1000)::float8 as ms, query
  from pg_catalog.pg_stat_activity where pid = $1 and query_start is not null`;

/**
 * Whether what a backend runs names something of which this process has heard since: made elsewhere a moment before, so that
 * the statement was passed on as one of nobody's business.
 */
export async function namesLateDefinition(
  learnt: readonly LearntNames[],
  pid: number,
  pool: Queryable,
): Promise<boolean> {
  const { rows } = await pool.query(RUNNING, [pid]);
  const [running] = rows as readonly { readonly ms: number; readonly query: string }[];
  if (running === undefined) return false;
  const begun = Date.now() - running.ms - ON_ITS_WAY_MS;
  const words = new Set(wordsOf(running.query.toLowerCase()));
  return learnt.some((names) => names.after(begun).some((name) => wordsOf(name).every((word) => words.has(word))));
}

export function lateDefinition(): TrailhoundError {
  return new TrailhoundError('serialization_failure', 'definitions changed while the statement was on its way', {
    detail:
      'It names something that another session had just made, and was not planned with it. No call was made for it.',
    hint: 'Run the statement again.',
  });
}
