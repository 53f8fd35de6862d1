import type { Predicate } from './source.ts';

/** True where conjuncts over one column exclude one another, whatever its value is. */
export function contradicts(predicates: readonly Predicate[]): boolean {
  return [...byColumn(predicates).values()].some((group) => {
    const type = group[0]?.column.type;
    return (
      excludesAll(group) || (type === 'text' && textsExclude(group)) || (type === 'boolean' && booleansExclude(group))
    );
  });
}

function byColumn(predicates: readonly Predicate[]): Map<string, Predicate[]> {
  const groups = new Map<string, Predicate[]>();
  for (const predicate of predicates)
    groups.set(predicate.column.name, [...(groups.get(predicate.column.name) ?? []), predicate]);
  return groups;
}

/** Every operator but IS NULL is true of no NULL. */
function excludesAll(group: readonly Predicate[]): boolean {
  return group.some(({ operator }) => operator === 'is null') && group.some(({ operator }) => operator !== 'is null');
}

/** Equality of texts is equality of their bytes, under every collation that a column may have by default. */
function textsExclude(group: readonly Predicate[]): boolean {
  const equalities = group.filter(({ operator }) => operator === '=');
  const [first] = equalities;
  if (first === undefined) return false;
  const refused = new Set(group.filter(({ operator }) => operator === '<>').flatMap(({ values }) => values));
  return !first.values.some((value) => !refused.has(value) && equalities.every(({ values }) => values.includes(value)));
}

function booleansExclude(group: readonly Predicate[]): boolean {
  const wanted = new Set(group.map(booleanWanted));
  return wanted.has(true) && wanted.has(false);
}

/** The one value of a boolean that satisfies it; undefined where both would do. */
export function booleanWanted({ operator, values }: Predicate): boolean | undefined {
  if (operator === 'is true') return true;
  if (operator === 'is false') return false;
  if (operator !== '=') return undefined;
  // PostgreSQL prints `t`, its cast to text `true`.
  const wanted = new Set(values.map((value) => value.startsWith('t')));
  return wanted.size === 1 ? wanted.has(true) : undefined;
}
