import { isIP, isIPv4 } from 'node:net';
import type { Exactness, Predicate } from '../../source.ts';
import { booleanWanted } from '../../contradictions.ts';
import { parseLike } from '../../like.ts';
import { regexOfPatterns } from './ilike-regex.ts';

/**
 * Predicates as JSON filter patterns, after "Filter pattern syntax for metric filters, subscription filters, filter log
 * events, and Live Tail" of the CloudWatch Logs user guide. A pattern may find too much, never too little, so what the
 * guide leaves open is not relied upon:
 * - how a quotation mark or a backslash is escaped: such values are not pushed;
 * - an asterisk inside a value (a wildcard at the ends only): such values are not pushed;
 * - what `!=` says of a missing field: SQL's `<>` says no, so either reading finds enough;
 * - whether `=` compares a string with a number: where a record may hold either, both forms are asked for. The fields
 *   that columns are made of are strings in every record ("CloudTrail record contents"); requestParameters and its like
 *   are free-form.
 */

/** FilterLogEvents, filterPattern. */
export const MAX_PATTERN_LENGTH = 1024;

/** Alternatives, any of which will do, for a record at `$`, or at `$.detail` within an EventBridge envelope. */
export type Condition = (root: string) => readonly string[];

export interface PatternPredicate {
  readonly condition: Condition;
  readonly exactness: Exactness;
  /** A pattern takes two regular expressions: one condition, for both forms of a record. */
  readonly isRegex?: boolean | undefined;
  /** Another regular expression leaves out more records. */
  readonly isCoarse?: boolean | undefined;
  /** What ILIKE says of every record that it finds: by a field's path, the patterns one of which its value matches. */
  readonly ilike?: IlikePatterns | undefined;
  /** PostgreSQL's answer for a record's value, for exact ones; what the pattern finds may be more. */
  readonly test?: ((value: unknown) => boolean) | undefined;
  /** Of a list that may be asked for in parts, each record of which is in one. */
  readonly list?: ValueList | undefined;
}

export type IlikePatterns = ReadonlyMap<string, readonly string[]>;

export interface ValueList {
  readonly values: readonly string[];
  /** Where the record has what is compared. */
  readonly path: string;
  part(values: readonly string[]): PatternPredicate;
  /** Which value a record's is; undefined: none, such a record satisfies the predicate by none of the parts. */
  valueOf(field: unknown): string | undefined;
}

const FREE_FORM = new Set([
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
  if (path === undefined) return undefined;
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

/** One record form or the other, and the user's own pattern where there is one. */
export function assemble(conditions: readonly Condition[], filter: string | undefined): string | undefined {
  const user = filter === undefined || filter.trim() === '' ? undefined : filter;
  if (conditions.length === 0) return user;
  const ours = `(${conjunction(conditions, '$')}) || (${conjunction(conditions, '$.detail')})`;
  if (user === undefined) return `{ ${ours} }`;
  return `{ (${jsonExpression(user) ?? ''}) && (${ours}) }`;
}

function conjunction(conditions: readonly Condition[], root: string): string {
  const operands = conditions.map((condition) => condition(root));
  const alone = operands.length === 1;
  return operands.map((any) => (alone || any.length === 1 ? any.join(' || ') : `(${any.join(' || ')})`)).join(' && ');
}

/** True where other conditions can be and-ed to it: `{ … }`, not terms or space-delimited fields. */
export function isJsonPattern(filter: string): boolean {
  return filter.trim() === '' || jsonExpression(filter) !== undefined;
}

function jsonExpression(filter: string): string | undefined {
  return /^\s*\{(.*)\}\s*$/s.exec(filter)?.[1]?.trim();
}

export function lengthOf(all: readonly Pick<PatternPredicate, 'condition'>[], filter: string | undefined): number {
  return (
    assemble(
      all.map(({ condition }) => condition),
      filter,
    )?.length ?? 0
  );
}

/** Those that fit in one pattern together with the filter: the longest are left to PostgreSQL first. */
export function fitting<T extends Pick<PatternPredicate, 'condition' | 'isRegex' | 'isCoarse'>>(
  all: readonly T[],
  filter: string | undefined,
): readonly T[] {
  // The filter may hold regular expressions of its own.
  const regex = filter?.includes('%') === true ? undefined : regexIn(all);
  const kept = all.filter((one) => one.isRegex !== true || one === regex);
  while (kept.length > 0 && lengthOf(kept, filter) > MAX_PATTERN_LENGTH) {
    const lengths = kept.map(({ condition }) => condition('$').join(' || ').length);
    kept.splice(lengths.indexOf(Math.max(...lengths)), 1);
  }
  return kept;
}

/** The one regular expression of a pattern. */
export function regexIn<T extends Pick<PatternPredicate, 'isRegex' | 'isCoarse'>>(all: readonly T[]): T | undefined {
  const regexes = all.filter(({ isRegex }) => isRegex === true);
  return regexes.find(({ isCoarse }) => isCoarse !== true) ?? regexes[0];
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
  const text = (field: unknown) => (typeof field === 'string' ? field : JSON.stringify(field));
  const present = (field: unknown) => field !== null && field !== undefined;
  switch (operator) {
    case '=': {
      if (values.length === 0 || !values.every(isPlain)) return undefined;
      const wanted = new Set(values);
      return {
        condition: (root) => [...wanted].map((one) => `${root}.${path} = "${one}"`),
        exactness: 'exact',
        test: (field) => present(field) && wanted.has(text(field)),
        list: {
          values: [...wanted],
          path,
          part: (some) => textPattern({ ...predicate, values: some }, path) as PatternPredicate,
          valueOf: (field) => (present(field) ? text(field) : undefined),
        },
      };
    }
    case '<>': {
      const test = (field: unknown) => present(field) && text(field) !== value;
      if (value === '') return { condition: (root) => [`${root}.${path} = *`], exactness: 'exact', test };
      return isPlain(value)
        ? { condition: (root) => [`${root}.${path} != "${value}"`], exactness: 'exact', test }
        : undefined;
    }
    case 'like':
      return likePattern(value, path);
    case 'ilike':
      return ilikePattern(values, path);
    case 'is null':
      return {
        condition: (root) => [`${root}.${path} NOT EXISTS`, `${root}.${path} IS NULL`],
        exactness: 'exact',
        test: (field) => !present(field),
      };
    case 'is not null':
      // There is no EXISTS. `*` may or may not match an empty string, which is not "-".
      return {
        condition: (root) => [`${root}.${path} = *`, `${root}.${path} != "-"`],
        exactness: 'exact',
        test: present,
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
  return { condition: (root) => [`${root}.${path} != "${open}${only.text}${close}"`], exactness: 'inexact' };
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
  if (operator === '=') {
    const forms = values.map((value) => freeFormLiterals(value));
    if (forms.length === 0 || !forms.every((form) => form !== undefined)) return undefined;
    return { condition: (root) => forms.flat().map((literal) => `${root}.${path} ${literal}`), exactness: 'inexact' };
  }
  if (operator !== 'like') return undefined;
  const [first] = parseLike(values[0] ?? '') ?? [];
  // What begins like a number, a boolean, an object or an array may be one, which no text pattern is known to find.
  return first?.kind === 'text' && !/^[-\d{["tf]/.test(first.text) ? likePattern(values[0] ?? '', path) : undefined;
}

/** How JavaScript prints a number, and so what `->>` of a record's number is. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]\d+)?$/;
/** A double holds that many decimal digits whatever they are. */
const SAFE_DIGITS = 15;

/** The value in every type that its text may come from. */
function freeFormLiterals(value: string): readonly string[] | undefined {
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
