import type { Replacement, Slices } from '../sql/substitute.ts';

/** A condition more, for the rows of the SELECT, UPDATE, DELETE or MERGE that names a relation. */
export interface TextCondition {
  /** The relation's, in bytes. */
  readonly location: number;
  readonly merged: boolean;
  readonly sql: string;
}

/** Several of one place share its WHERE. All of them have a place. */
export function writtenConditions(conditions: readonly TextCondition[], slices: Slices): readonly Replacement[] {
  const byPlace = new Map<string, TextCondition>();
  for (const condition of conditions) {
    const { location, merged, sql } = condition;
    const place = JSON.stringify(slices.condition(location, merged, '')?.map(({ start, end }) => [start, end]));
    const known = byPlace.get(place);
    byPlace.set(place, known === undefined ? condition : { ...known, sql: `${known.sql} and ${sql}` });
  }
  return [...byPlace.values()].flatMap(({ location, merged, sql }) => slices.condition(location, merged, sql) ?? []);
}
