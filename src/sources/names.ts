import type { Predicate } from './source.ts';
import { likeTest } from './like.ts';

/**
 * What predicates say of a name that the source itself gives (a connection, region, log group): parts whose rows could
 * not satisfy them are never read.
 */
export function nameTest(predicates: readonly Predicate[], path: string): (name: string) => boolean {
  const tests = predicates.filter(({ column }) => column.path === path).map(testOf);
  return (name) => tests.every((test) => test(name));
}

function testOf({ operator, values }: Predicate): (name: string) => boolean {
  const [value = ''] = values;
  switch (operator) {
    case '=':
      return (name) => values.includes(name);
    case '<>':
      return (name) => name !== value;
    case 'like':
      return likeTest(value) ?? (() => true);
    case 'not like': {
      const like = likeTest(value);
      return like === undefined ? () => true : (name) => !like(name);
    }
    case 'is null':
      return () => false;
    case '<':
    case '<=':
    case '>':
    case '>=':
    // An order of texts depends on PostgreSQL's collation.
    // And so does what is upper case.
    case 'ilike':
    // What a regular expression finds is for PostgreSQL to say.
    case '~':
    case '~*':
    case 'is not null':
    case 'is true':
    case 'is false':
      return () => true;
  }
}

/** Looks at a name exactly as PostgreSQL does. */
export function isNameOperator({ operator }: Predicate): boolean {
  return operator === '=' || operator === '<>' || operator === 'like' || operator === 'not like';
}

/** The names that an equality allows, in order, without repetition; undefined where there is none. */
export function namesAsked(predicates: readonly Predicate[], path: string): readonly string[] | undefined {
  const equalities = predicates.filter(({ column, operator }) => column.path === path && operator === '=');
  const [first] = equalities;
  if (first === undefined) return undefined;
  return [...new Set(first.values)].filter((name) => equalities.every(({ values }) => values.includes(name)));
}
