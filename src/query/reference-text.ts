import type { RangeVar } from '@pgsql/types';
import type { Reference, Statement } from '../planner/statement.ts';
import { fieldsOf } from '../sql/scope.ts';
import { quoteIdent, type Replacement, type Slices } from '../sql/substitute.ts';

/** A reference in the user's text, replaced by a SELECT in parentheses that keeps its name. */
export function referenceText(reference: Reference, own: string, slices: Slices): Replacement {
  const alias = reference.ownAlias ? undefined : quoteIdent(reference.item.name ?? '');
  return slices.reference(reference.location, reference.parts, own, alias);
}

/** The same for another name in FROM. */
export function relationText(
  { relname = '', schemaname, catalogname, alias, location = 0 }: RangeVar,
  own: string,
  slices: Slices,
): Replacement {
  const parts = 1 + [schemaname, catalogname].filter((part) => part !== undefined).length;
  return slices.reference(location, parts, own, alias === undefined ? quoteIdent(relname) : undefined);
}

/** `schema.table.column`: the place of a table that was replaced has an alias, which no schema qualifies. */
export function unqualifiedColumns(
  replaced: readonly Reference[],
  statement: Statement,
  slices: Slices,
): readonly Replacement[] {
  const own = replaced.filter(({ ownAlias, below }) => !ownAlias && !below);
  const aliases = new Set(own.map(({ item }) => item.name));
  return [...statement.qualified].flatMap(([column, parts]) => {
    const [alias = ''] = fieldsOf(column);
    if (column.location === undefined || !aliases.has(alias)) return [];
    return [slices.qualification(column.location, parts, quoteIdent(alias))];
  });
}
