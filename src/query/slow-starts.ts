import type { Node } from '@pgsql/types';
import type { Statement } from '../planner/statement.ts';
import { Slices, type Replacement } from '../sql/substitute.ts';
import { bare } from '../sql/walk.ts';

/**
 * LIMITs as scalar subqueries, which PostgreSQL takes for a tenth of the rows. For a few rows it prefers a semi-join that
 * starts early, and so has postgres_fdw write one down whose comparison only the backend can compute, as inet = text is:
 * with the comparison outside of EXISTS, where nobody knows the other table (42P01; PostgreSQL 18.4).
 */
export function slowStarts(text: string, { scopes, references }: Statement): readonly Replacement[] {
  const isSemiJoin = scopes.levels.some(
    ({ place }) => place.kind === 'sublink' && ['EXISTS_SUBLINK', 'ANY_SUBLINK'].includes(place.node.subLinkType ?? ''),
  );
  if (!isSemiJoin || references.filter(({ below }) => below).length < 2) return [];
  const locations = scopes.levels
    .flatMap(({ select }) => locationOf(select.limitCount) ?? [])
    .filter((location) => location >= 0);
  const slices = locations.length === 0 ? undefined : new Slices(text);
  return locations.flatMap((location) => slices?.asSubquery(location) ?? []);
}

/** Of a number above 0 or a parameter; what is below views and in functions has none. */
function locationOf(count: Node | undefined): number | undefined {
  const constant = bare(count, 'A_Const');
  if (constant !== undefined) return (constant.ival?.ival ?? 0) > 0 ? constant.location : undefined;
  return bare(count, 'ParamRef')?.location;
}
