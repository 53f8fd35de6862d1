import type { ColumnRef, RangeVar } from '@pgsql/types';
import { outward } from '../sql/names.ts';
import { fieldsOf, type Item, type Level, type Scopes } from '../sql/scope.ts';

/** Relations that columns name by their schemas too, each now under an alias of its own. */
export interface ToldApart {
  readonly relations: ReadonlySet<RangeVar>;
  /** Columns that name one of them, with how many names qualify them in the text. */
  readonly columns: ReadonlyMap<ColumnRef, number>;
}

const NONE: ToldApart = { relations: new Set(), columns: new Map() };

/**
 * `from public.t, other.t where public.t.a = other.t.a`: an alias has no schema, so what stands for one of them in a
 * query needs a name that no other has. Changes the tree.
 *
 * @param schemaOf of a relation named without one, as far as it is known
 * @returns undefined where it cannot be said for sure what a name means
 */
export function tellApart(scopes: Scopes, schemaOf: (rangeVar: RangeVar) => string | undefined): ToldApart | undefined {
  const names = namesToTell(scopes);
  if (names.size === 0) return NONE;
  const isUnique = (name: string): boolean =>
    scopes.items.filter((item) => item.kind !== 'changed' && item.name === name).length === 1;
  const columns = new Map<ColumnRef, number>();
  const itemOf = new Map<ColumnRef, Item>();
  for (const [column, level] of scopes.levelOf) {
    const fields = fieldsOf(column);
    const first = fields[0] ?? '';
    // A whole row, or a column of another table.
    if (fields.length === 1 && names.has(first) && !isUnique(first)) return undefined;
    const [schema, name = ''] = [fields.at(-3), fields.at(-2)];
    if (!names.has(name)) continue;
    const [item, ...others] = named(name, schema, level, schemaOf);
    if (isUnique(name) && item === undefined) continue;
    if (item?.rangeVar === undefined || others.length > 0) return undefined;
    if (!isUnique(name) && scopes.targets.has(item.rangeVar)) return undefined;
    if (!isUnaliased(item)) continue;
    columns.set(column, fields.length - 1);
    itemOf.set(column, item);
  }
  const relations = new Set<RangeVar>();
  for (const item of scopes.items) {
    const { rangeVar, name = '' } = item;
    if (rangeVar === undefined || !isUnaliased(item) || !names.has(name)) continue;
    relations.add(rangeVar);
    rangeVar.alias = { aliasname: isUnique(name) ? name : `${name} ${String(relations.size)}` };
  }
  for (const [column, { rangeVar }] of itemOf) {
    const alias = rangeVar?.alias?.aliasname ?? '';
    column.fields = [{ String: { sval: alias } }, ...(column.fields ?? []).slice(-1)];
  }
  return { relations, columns };
}

/** Names of relations that a column names together with their schema, or that stand twice side by side. */
function namesToTell(scopes: Scopes): Set<string> {
  const items = scopes.items.filter(isUnaliased);
  const qualified = new Set(
    [...scopes.levelOf.keys()].map(fieldsOf).flatMap((fields) => (fields.length > 2 ? [fields.at(-2)] : [])),
  );
  const isTwice = (item: Item): boolean =>
    items.some((other) => other !== item && other.name === item.name && other.level === item.level);
  return new Set(items.filter((item) => qualified.has(item.name) || isTwice(item)).flatMap(({ name }) => name ?? []));
}

function isUnaliased({ kind, rangeVar }: Item): boolean {
  return kind === 'relation' && rangeVar !== undefined && rangeVar.alias === undefined;
}

/** On the nearest level that has one. */
function named(
  name: string,
  schema: string | undefined,
  from: Level,
  schemaOf: (rangeVar: RangeVar) => string | undefined,
): readonly Item[] {
  for (let level: Level | undefined = from; level !== undefined; level = outward(level)) {
    const items = level.items.filter((item) => item.name === name && (schema === undefined || isUnaliased(item)));
    const own = items.map(
      (item) => [item, item.rangeVar?.schemaname ?? (item.rangeVar && schemaOf(item.rangeVar))] as const,
    );
    const exact = own.filter(([, known]) => schema === undefined || known === schema);
    const found = exact.length > 0 ? exact : own.filter(([, known]) => known === undefined);
    if (found.length > 0) return found.map(([item]) => item);
  }
  return [];
}
