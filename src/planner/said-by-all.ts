import { withoutLocations } from '../sql/walk.ts';
import type { OpenPredicate } from './predicates.ts';

/** What every one of several sets of conjuncts says: the same predicate, or `=`, whose values are put together. */
export function saidByAll(sets: readonly (readonly OpenPredicate[])[]): OpenPredicate[] {
  const [first = [], ...others] = sets;
  return first.flatMap((predicate) => {
    if (others.every((set) => set.some((each) => isSame(each, predicate)))) return [predicate];
    if (predicate.operator !== '=') return [];
    const alike = others.map((set) => set.find((each) => isAlike(each, predicate)));
    if (!alike.every((each) => each !== undefined)) return [];
    return [{ ...predicate, values: [predicate, ...alike].flatMap(({ values }) => values) }];
  });
}

function isAlike(a: OpenPredicate, b: OpenPredicate): boolean {
  const [list] = b.values.map((value) => value.list);
  return a.column === b.column && a.operator === b.operator && a.values.every((value) => value.list === list);
}

function isSame(a: OpenPredicate, b: OpenPredicate): boolean {
  return a.column === b.column && a.operator === b.operator && textOf(a) === textOf(b);
}

function textOf({ values }: OpenPredicate): string {
  return JSON.stringify(withoutLocations(values));
}
