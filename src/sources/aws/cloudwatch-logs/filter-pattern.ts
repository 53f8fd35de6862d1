import { isIP, isIPv4 } from 'node:net';
import type { Predicate } from '../../source.ts';
import { booleanWanted } from '../../contradictions.ts';
import { exactJson, exactNumberText } from '../../exact-number.ts';
import { parseLike } from '../../like.ts';
import { needlesOfPredicate, textOf } from '../../needles.ts';
import type { AssumedTexts } from './assumed-texts.ts';
import { regexOfPatterns } from './ilike-regex.ts';
import type { PatternPredicate } from './pattern-predicate.ts';

/**
 * Predicates as JSON filter patterns, after "Filter pattern syntax for metric filters, subscription filters, filter log
 * events, and Live Tail" of the CloudWatch Logs user guide. A pattern may find too much, never too little, so what the
 * guide leaves open is not relied upon:
 * - how a quotation mark or a backslash is escaped: such values are not pushed;
 * - an asterisk inside a value (a wildcard at the ends only): such values are not pushed;
 * - what `!=` says of a missing field: SQL's `<>` says no, so either reading finds enough;
 * - whether `=` compares a string with a number or a boolean: all forms are asked for;
 * - how numbers, booleans, objects and arrays compare by `!=` and by wildcards. The fields that columns are made of are
 *   strings in CloudTrail's records ("CloudTrail record contents"), so records that are none are asked for besides
 *   (`assumed-texts.ts`); in requestParameters and its like, which are free-form, such conditions ask for what has the field.
 * That `= *` finds every record that has a field is said by the CDK (`FilterPattern.exists` of aws-logs).
 */

const FREE_FORM = new Set([
  // Where it is absent, texts are not taken for granted; so it is not either.
  'eventVersion',
  'requestParameters',
  'responseElements',
  'additionalEventData',
  'resources',
  'serviceEventDetails',
  'tlsDetails',
]);

/** Undefined where no pattern surely finds every record that satisfies the predicate. */
export function patternOf(predicate: Predicate): PatternPredicate | undefined {
  const { column } = predicate;
  if (column.name === 'source_ip') return addressPattern(predicate);
  const path = selectorOf(predicate);
  // No pattern searches the text of all that a field holds.
  if (path === undefined || predicate.steps?.length === 0) return undefined;
  if (predicate.steps !== undefined) return freeFormPattern(predicate, path);
  if (column.type === 'boolean') return booleanPattern(predicate, path);
  if (column.type !== 'text') return undefined;
  return FREE_FORM.has(path.split('.')[0] ?? '') ? freeFormPattern(predicate, path) : textPattern(predicate, path);
}

/** The guide's selectors: letters, digits, hyphen, underscore. Digits alone could mean an array's element. */
function selectorOf({ column, steps = [] }: Predicate): string | undefined {
  const own = column.path === '@record' ? [] : (column.path ?? '').split('.');
  const names = [...own, ...steps].map((step, index) => {
    if (typeof step === 'number') return index > 0 && step >= 0 ? `[${step}]` : undefined;
    return /^[A-Za-z0-9_-]+$/.test(step) && !/^\d+$/.test(step) ? `${index === 0 ? '' : '.'}${step}` : undefined;
  });
  return names.length === 0 || names.includes(undefined) ? undefined : names.join('');
}

/**
 * `source_ip` is sourceIPAddress as PostgreSQL reads it: leading zeros are decimal, `/32` may follow. An IPv6
 * address has too many forms: all of them, and only them, have a colon. (Pages of the guide differ on colons in regular
 * expressions.)
 */
function addressPattern({ operator, values }: Predicate): PatternPredicate | undefined {
  return operator === '=' ? addressesPattern(values) : undefined;
}

function addressesPattern(values: readonly string[]): PatternPredicate | undefined {
  if (values.length === 0 || !values.every((value) => isIP(value) !== 0)) return undefined;
  const forms = new Set(values.filter(isIPv4).map((value) => `^0*${value.replaceAll('.', '\\.0*')}`));
  const areAllIPv4 = values.every(isIPv4);
  return {
    condition: (root) => [
      ...(forms.size === 0 ? [] : [`${root}.sourceIPAddress = %${[...forms].join('|')}%`]),
      ...(areAllIPv4 ? [] : [`${root}.sourceIPAddress = "*:*"`]),
    ],
    exactness: 'inexact',
    isRegex: forms.size > 0,
    ...(areAllIPv4 && {
      list: {
        values,
        path: 'sourceIPAddress',
        part: (some) => addressesPattern(some) as PatternPredicate,
        valueOf: (field) => (typeof field === 'string' ? canonicalIPv4(field) : undefined),
      },
    }),
  };
}

function canonicalIPv4(text: string): string | undefined {
  const [, ...numbers] = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/\d+)?$/.exec(text) ?? [];
  return numbers.length === 0 ? undefined : numbers.map((number) => number.replace(/^0+(?=\d)/, '')).join('.');
}

function textPattern(predicate: Predicate, path: string): PatternPredicate | undefined {
  const { operator, values } = predicate;
  const [value = ''] = values;
  const text = (field: unknown) => (typeof field === 'string' ? (exactNumberText(field) ?? field) : exactJson(field));
  const isPresent = (field: unknown) => field !== null && field !== undefined;
  switch (operator) {
    case '=': {
      const wanted = new Set(values);
      const literals = equalTo([...wanted]);
      if (literals === undefined) return undefined;
      return {
        condition: (root) => literals.map((literal) => `${root}.${path} ${literal}`),
        exactness: 'exact',
        test: (field) => isPresent(field) && wanted.has(text(field)),
        list: {
          values: [...wanted],
          path,
          part: (some) => textPattern({ ...predicate, values: some }, path) as PatternPredicate,
          valueOf: (field) => (isPresent(field) ? text(field) : undefined),
        },
      };
    }
    case '<>': {
      const test = (field: unknown) => isPresent(field) && text(field) !== value;
      if (value === '') return { condition: (root) => [`${root}.${path} = *`], exactness: 'exact', test };
      return isPlain(value)
        ? { condition: (root) => [`${root}.${path} != "${value}"`], exactness: 'exact', assumes: textAt(path), test }
        : undefined;
    }
    case 'like': {
      const pattern = likePattern(value, path);
      return pattern && { ...pattern, ...(mayBeginOther(value) && { assumes: textAt(path) }) };
    }
    case 'ilike':
      return ilikePattern(values, path);
    case '~':
    case '~*':
      return regexPattern(predicate, path);
    case 'is null':
      return {
        condition: (root) => [`${root}.${path} NOT EXISTS`, `${root}.${path} IS NULL`],
        exactness: 'exact',
        test: (field) => !isPresent(field),
      };
    case 'is not null':
      // There is no EXISTS. `*` might not match an empty string, which is not "-".
      return {
        condition: (root) => [`${root}.${path} = *`, `${root}.${path} != "-"`],
        exactness: 'exact',
        test: isPresent,
      };
    case 'not like':
      return notLikePattern(value, path);
    case '<':
    case '<=':
    case '>':
    case '>=':
    case 'is true':
    case 'is false':
      return undefined;
  }
}

/** What stands in each match, somewhere. */
function regexPattern(predicate: Predicate, path: string): PatternPredicate | undefined {
  const needles = needlesOfPredicate(predicate) ?? [];
  if (needles.length === 0 || needles.length > MOST_IN_REGEXES) return undefined;
  const likes = needles.map((needle) => `%${textOf(needle).replaceAll('_', '\\_')}%`);
  if (needles.some((needle) => typeof needle !== 'string')) return ilikePattern(likes, path);
  const patterns = likes.map((like) => likePattern(like, path));
  return {
    condition: (root) => patterns.flatMap((pattern) => pattern?.condition(root) ?? []),
    exactness: 'inexact',
    assumes: textAt(path),
  };
}

/** `AccessDenied%`, `%Operation`, `%Denied%` as they are; of anything else the longest piece. */
function likePattern(like: string, path: string): PatternPredicate | undefined {
  const tokens = parseLike(like);
  if (tokens === undefined) return undefined;
  const pieces = tokens.flatMap((token, index) => {
    if (token.kind !== 'text' || !isPlain(token.text)) return [];
    const open = index > 0 ? '*' : '';
    const close = index < tokens.length - 1 ? '*' : '';
    return [{ length: token.text.length, pattern: `${open}${token.text}${close}` }];
  });
  const longest = pieces.reduce<(typeof pieces)[number] | undefined>(
    (best, piece) => (best === undefined || piece.length > best.length ? piece : best),
    undefined,
  );
  if (longest === undefined) return undefined;
  return { condition: (root) => [`${root}.${path} = "${longest.pattern}"`], exactness: 'inexact' };
}

/** A pattern has room for 1,024 characters, and other conditions want some of it. */
const MOST_IN_REGEXES = 8;

/** Fields of which most records have one of a few values, such as iam.amazonaws.com: they tell little apart. */
const COARSE = new Set(['eventSource', 'eventType', 'eventCategory', 'awsRegion', 'userIdentity.type']);

export function ilikePattern(patterns: readonly string[], path: string): PatternPredicate | undefined {
  const regex = regexOfPatterns(patterns);
  if (regex === undefined) return undefined;
  return {
    condition: (root) => [`${root}.${path} = %${regex}%`],
    exactness: 'inexact',
    isRegex: true,
    isCoarse: COARSE.has(path),
    assumes: textAt(path),
    ilike: new Map([[path, patterns]]),
  };
}

/** What is wider than LIKE is narrower than NOT LIKE: only what an asterisk at either end says in full. */
function notLikePattern(like: string, path: string): PatternPredicate | undefined {
  const tokens = parseLike(like) ?? [];
  const texts = tokens.filter((token) => token.kind === 'text');
  const [only] = texts;
  const isWhole =
    tokens.length <= 3 &&
    tokens.every(({ kind }, index) => kind !== '_' && (kind === '%') === (tokens[index] !== only));
  if (only === undefined || texts.length > 1 || !isWhole || !isPlain(only.text)) return undefined;
  const open = tokens[0] === only ? '' : '*';
  const close = tokens.at(-1) === only ? '' : '*';
  if (tokens.length !== 1 + open.length + close.length) return undefined;
  const condition = (root: string) => [`${root}.${path} != "${open}${only.text}${close}"`];
  return { condition, exactness: 'inexact', assumes: textAt(path) };
}

function textAt(path: string): AssumedTexts {
  return { paths: [path], sure: true };
}

/** A boolean, or the same as text in any case: `readOnly` and `mfaAuthenticated` come as both. */
function booleanPattern(predicate: Predicate, path: string): PatternPredicate | undefined {
  const wanted = booleanWanted(predicate);
  if (wanted === undefined) return undefined;
  const initial = wanted ? 't' : 'f';
  return {
    condition: (root) => [
      `${root}.${path} IS ${wanted ? 'TRUE' : 'FALSE'}`,
      `${root}.${path} = "${initial}*"`,
      `${root}.${path} = "${initial.toUpperCase()}*"`,
    ],
    exactness: 'inexact',
  };
}

function freeFormPattern({ operator, values }: Predicate, path: string): PatternPredicate | undefined {
  const [value = ''] = values;
  switch (operator) {
    case '=': {
      const literals = equalTo(values);
      if (literals === undefined) return present(path);
      return { condition: (root) => literals.map((literal) => `${root}.${path} ${literal}`), exactness: 'inexact' };
    }
    case 'like':
      return (mayBeginOther(value) ? undefined : likePattern(value, path)) ?? present(path);
    case '<>':
    case 'not like':
    case 'ilike':
    case '~':
    case '~*':
    case 'is not null':
      return present(path);
    case '<':
    case '<=':
    case '>':
    case '>=':
    case 'is null':
    case 'is true':
    case 'is false':
      return undefined;
  }
}

/** What every record has of which a comparison is true. */
function present(path: string): PatternPredicate {
  return { condition: (root) => [`${root}.${path} = *`, `${root}.${path} != "-"`], exactness: 'inexact' };
}

/** What begins like a number, a boolean, an object or an array may be one, which no text pattern is known to find. */
function mayBeginOther(like: string): boolean {
  const [first] = parseLike(like) ?? [];
  return first?.kind !== 'text' || /^[-\d{["tf]/.test(first.text);
}

/** How JavaScript prints a number, and so what `->>` of a record's number is. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]\d+)?$/;
/** A double holds that many decimal digits whatever they are. */
const SAFE_DIGITS = 15;

/** The values in every type that their texts may come from; undefined where one of them cannot be asked for. */
function equalTo(values: readonly string[]): readonly string[] | undefined {
  const forms = values.map(formsOf);
  return forms.length > 0 && forms.every((form) => form !== undefined) ? forms.flat() : undefined;
}

function formsOf(value: string): readonly string[] | undefined {
  if (!isPlain(value) || /^[{[]/.test(value)) return undefined;
  const asText = `= "${value}"`;
  if (value === 'true' || value === 'false') return [asText, `IS ${value.toUpperCase()}`];
  if (!NUMBER.test(value)) return [asText];
  return value.includes('e') || value.replace(/\D/g, '').length > SAFE_DIGITS ? undefined : [asText, `= ${value}`];
}

/** What can stand between quotation marks as itself. U+FFFD also stands for what PostgreSQL cannot store. */
function isPlain(value: string): boolean {
  return value !== '' && !/["\\*\p{Cc}\uFFFD]/u.test(value);
}
