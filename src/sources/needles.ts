import { parseLike } from './like.ts';
import { parseRegex, type RegexBranches } from './regex.ts';
import type { Condition, Predicate, ScanRequest } from './source.ts';

/** A text as it stands, or in any case: in lower case then. */
export type Needle = string | { readonly anyCase: string };

/** Texts of which one, at the least, stands in the bytes of every record that satisfies a condition, but for escapes. */
export type Needles = readonly Needle[];

/** Of fewer bytes, a needle is found nearly everywhere. */
const SHORTEST = 3;
/** They are told to each thread that reads files, time and again. */
const MOST_NEEDLES = 2_000;

/**
 * What a condition says of a record's bytes: ASCII texts that JSON writes as they are, or by an escape such as `\u0041` or
 * `\/`. Undefined where it says nothing, as of what the source adds, of numbers and of what PostgreSQL writes in its own way.
 */
export function needlesOfCondition(condition: Condition): Needles | undefined {
  switch (condition.kind) {
    case 'predicate':
      return needlesOfPredicate(condition.predicate);
    case 'and':
      return condition.of.map(needlesOfCondition).reduce<Needles | undefined>(better, undefined);
    case 'or':
      return bounded(condition.of.map(needlesOfCondition));
  }
}

export function needlesOfPredicate({ column, operator, values }: Predicate): Needles | undefined {
  const { path, type } = column;
  if (path === undefined || (path.startsWith('@') && path !== '@record') || !(type === 'text' || type === 'jsonb')) {
    return undefined;
  }
  switch (operator) {
    case '=':
      return bounded(values.map((value) => within([value], value)));
    case 'like':
      return bounded(values.map(withinPattern));
    case 'ilike':
      return bounded(values.map((value) => withinPattern(value)?.map(inAnyCase)));
    case '~':
      return bounded(values.map((value) => withinRegex(value, false)));
    case '~*':
      return bounded(values.map((value) => withinRegex(value, true)));
    case '<>':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case 'not like':
    case 'is null':
    case 'is not null':
    case 'is true':
    case 'is false':
      return undefined;
  }
}

/** Of a request: one entry a conjunct, each of which must be found in a record. */
export function needlesOf({ predicates, conditions = [] }: ScanRequest): readonly Needles[] {
  return [...predicates.map(needlesOfPredicate), ...conditions.map(needlesOfCondition)].filter(
    (needles) => needles !== undefined,
  );
}

const MOST_SAID = 16;

/** What EXPLAIN says of it. */
export function searchedBy(needles: Needles): string {
  const texts = needles
    .slice(0, MOST_SAID)
    .map((needle) => (typeof needle === 'string' ? needle : `${needle.anyCase} in any case`));
  const others = needles.length > MOST_SAID ? [`one of ${needles.length - MOST_SAID} others`] : [];
  return `which records are parsed, by ${[...texts, ...others].join(' or ')} in their bytes`;
}

/** What a letter's other case is depends on the collation: of ASCII's letters it is one of them, or none of ASCII. */
function inAnyCase(needle: Needle): Needle {
  return { anyCase: textOf(needle).toLowerCase() };
}

export function textOf(needle: Needle): string {
  return typeof needle === 'string' ? needle : needle.anyCase;
}

function bounded(alternatives: readonly (Needles | undefined)[]): Needles | undefined {
  const known = alternatives.filter((needles) => needles !== undefined);
  const all = [...new Map(known.flat().map((needle) => [JSON.stringify(needle), needle])).values()];
  return known.length < alternatives.length || all.length > MOST_NEEDLES ? undefined : all;
}

function better(one: Needles | undefined, other: Needles | undefined): Needles | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const shortest = (needles: Needles) => Math.min(...needles.map((needle) => textOf(needle).length));
  return shortest(other) > shortest(one) ? other : one;
}

function withinPattern(pattern: string): Needles | undefined {
  const tokens = parseLike(pattern) ?? [];
  const texts = tokens.flatMap((token) => (token.kind === 'text' ? [token.text] : []));
  return within(texts, tokens[0]?.kind === 'text' ? tokens[0].text : undefined);
}

function withinRegex(pattern: string, anyCase: boolean): Needles | undefined {
  const regex = parseRegex(pattern);
  const needles = regex && withinBranches(regex.branches);
  return regex?.anyCase === true || anyCase ? needles?.map(inAnyCase) : needles;
}

function withinBranches(branches: RegexBranches): Needles | undefined {
  return bounded(
    branches.map(({ texts, groups }) =>
      [within(texts, undefined), ...groups.map(withinBranches)].reduce<Needles | undefined>(better, undefined),
    ),
  );
}

/**
 * The longest piece of the texts that stands so in the record. `start`: how the whole value begins, where that is known.
 * Where a value may be an object, a list or a number, its text is PostgreSQL's or ours, not the record's: spaces and digits
 * are not taken from it then.
 */
function within(texts: readonly string[], start: string | undefined): Needles | undefined {
  const isString = start !== undefined && start !== '' && !/^[\s{[]/.test(start);
  const pieces = texts.flatMap((text) => text.split(isString ? /[^ -~]|["\\]/ : /[^\w./@-]/));
  const sure = pieces.filter((piece) => piece.length >= SHORTEST && !/^[\d.eE+-]+$/.test(piece));
  const [longest] = sure.sort((one, other) => other.length - one.length);
  return longest === undefined ? undefined : [longest];
}
