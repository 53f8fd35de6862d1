import type { Column } from '../catalog/table.ts';
import type { Step } from '../planner/steps.ts';
import type { InputReach, Predicate, Source } from '../sources/source.ts';
import type { KnownRestrictions } from './constants.ts';
import { readsRelation } from './reads-relation.ts';

type Lookup = Extract<Step, { kind: 'lookup' }>;

const NOTHING: KnownRestrictions = { predicates: [], conditions: [], contradiction: false, limit: undefined };

/** Predicates, and what an input must be for the rows that conjuncts ask for, where the statement does not say that itself. */
export function withReach(
  known: KnownRestrictions | undefined,
  step: Lookup,
  source: Source | undefined,
): readonly Predicate[] {
  const { predicates, conditions } = known ?? NOTHING;
  const { reach, column } = openReach(predicates, step, source) ?? {};
  const least = reach?.least({ predicates, conditions });
  return least === undefined || column === undefined
    ? predicates
    : [...predicates, { column, operator: '=', values: [least] }];
}

/**
 * What a look-up leaves out without being wrong.
 *
 * @param predicates those that {@link withReach} gives
 * @param asked how many values its queries gave
 */
export function noticesOf(
  step: Lookup,
  known: KnownRestrictions | undefined,
  predicates: readonly Predicate[],
  asked: number,
  source: Source | undefined,
): readonly string[] {
  const { key, queries, reference } = step;
  const { table } = reference.view;
  if (asked === 0) {
    const what = NO_KEYS[key.type];
    if (what === undefined || queries.some(readsRelation)) return [];
    return [`${table.name} was not asked, since ${key.name} equals none of the values in the statement: ${what}`];
  }
  const { conditions, chosenBy = [] } = known ?? NOTHING;
  const beyond = source?.kind === 'lookup' ? source.reach?.beyond({ predicates, conditions }) : undefined;
  const { reach, column } = openReach(predicates, step, source) ?? {};
  const chosen = chosenBy.find(({ path }) => path !== undefined && path === reach?.path);
  if (chosen === undefined || column?.defaultValue === undefined) return beyond === undefined ? [] : [beyond];
  return [
    `${table.name} was asked with ${column.name} = ${column.defaultValue}, although ${chosen.name} may reach further: name ${column.name} as well`,
  ];
}

const NO_KEYS: Readonly<Record<string, string | undefined>> = {
  inet: 'an address has no mask',
  cidr: 'a network has no bits beyond its mask',
};

/** That of an input which has its default yet. */
function openReach(
  predicates: readonly Predicate[],
  { reference, inputs }: Lookup,
  source: Source | undefined,
): { readonly reach: InputReach; readonly column: Column } | undefined {
  const reach = source?.kind === 'lookup' ? source.reach : undefined;
  const column = reference.view.table.columns.find(({ name }) => name === reach?.input);
  if (reach === undefined || column === undefined || inputs.some((input) => input.column === column)) return undefined;
  return predicates.some((each) => each.column === column && each.operator === '=') ? undefined : { reach, column };
}
