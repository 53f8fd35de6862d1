import { TrailhoundError } from '../kernel/errors.ts';
import type { LockedRelation } from '../planner/locked-relations.ts';
import { lockedBy, type Step } from '../planner/steps.ts';
import { quoteIdent, Slices } from '../sql/substitute.ts';
import type { TextCondition } from './text-conditions.ts';

/**
 * Conditions in a text that fail it as it comes to a row in a newer version than its snapshot has. In READ COMMITTED a
 * statement waits for whoever changes a row that it is to lock, and computes anew what it reads of the row (EvalPlanQual):
 * look-ups whose keys nobody asked for would be empty.
 *
 * @param readable columns that the current role may read, by name as the statement has it
 * @throws not_supported where that cannot be seen
 */
export function sameVersion(
  text: string,
  steps: readonly Step[],
  readable: ReadonlyMap<string, ReadonlySet<string> | 'all'>,
): readonly TextCondition[] {
  const relations = lockedBy(steps);
  const slices = relations.length === 0 ? undefined : new Slices(text);
  return relations.flatMap((locked) => {
    // System columns are no part of privileges on some columns.
    const isReadable = readable.get(locked.relation ?? '') === 'all';
    const found = slices && isReadable ? conditionOf(locked, slices) : undefined;
    if (found === undefined) throw unseen(locked);
    return found;
  });
}

function conditionOf({ item, relation, merged }: LockedRelation, slices: Slices): TextCondition | undefined {
  const { rangeVar, name } = item;
  if (relation === undefined || rangeVar?.location === undefined || name === undefined) return undefined;
  const own = quoteIdent(name);
  const equal = (column: string): string => `trailhound_seen.${column} operator(pg_catalog.=) ${own}.${column}`;
  const seen = `select from ${relation} as trailhound_seen where ${equal('ctid')} and ${equal('tableoid')}`;
  const { location } = rangeVar;
  // Beside WHERE CURRENT OF it has no place.
  if (slices.condition(location, merged, '') === undefined) return undefined;
  return { location, merged, sql: `trailhound.same_version(exists (${seen}))` };
}

function unseen({ item }: LockedRelation): TrailhoundError {
  const name = item.rangeVar?.relname ?? '';
  return new TrailhoundError(
    'not_supported',
    `rows of ${name} cannot give keys while they are locked in read committed`,
    {
      detail:
        'Another transaction may change such a row while this one waits for it, and the new values were not looked up.',
      hint: 'Run it in a transaction of its own: begin isolation level repeatable read.',
    },
  );
}
