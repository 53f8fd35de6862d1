import { hasDefaults } from '../catalog/table.ts';
import type { Restrictions } from '../planner/restrictions.ts';
import type { Reference } from '../planner/statement.ts';
import type { CallingStatement } from './callers.ts';
import type { KnownRestrictions } from './constants.ts';

/** What is known of references where nothing is to be read into their conditions: by which columns rows are chosen. */
export function onlyChoices(restrictions: ReadonlyMap<Reference, Restrictions>): ReadonlyMap<Reference, Restrictions> {
  return new Map(
    [...restrictions].map(([reference, { chosenBy }]) => [
      reference,
      { predicates: [], conditions: [], constantConditions: [], limit: [], chosenBy },
    ]),
  );
}

/**
 * The columns of a scan of postgres_fdw by which it may choose rows itself, where conditions stand that it does not send:
 * those that it reads beside others, or that are named in what runs.
 *
 * @param calling undefined: nobody knows what runs
 */
export function withUnsaidChoices(
  known: ReadonlyMap<Reference, KnownRestrictions>,
  calling: CallingStatement | undefined,
): ReadonlyMap<Reference, KnownRestrictions> {
  return new Map(
    [...known].map(([reference, own]) => {
      const { view, used } = reference;
      if (!hasDefaults(view.table)) return [reference, own];
      const isAll = view.columns.every(({ name }) => used.has(name));
      const read = view.columns.flatMap(({ name, column }) =>
        column?.key === 'optional' && used.has(name) && (!isAll || calling?.writes(column.name) !== false)
          ? [column]
          : [],
      );
      return [reference, { ...own, chosenBy: [...new Set([...(own.chosenBy ?? []), ...read])] }];
    }),
  );
}
