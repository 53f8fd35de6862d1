import { literal } from '../sql-literal.ts';
import { RECORD, type Field, type Fields } from './field.ts';
import type { Comparison, Item, Match, Place } from './item.ts';
import {
  hasCase,
  likePattern,
  textWithoutWildcards,
  withAnyAfter,
  withAnyBefore,
  type SigmaText,
} from './sigma-text.ts';
import { anyOf, both, indented, list } from './sql-text.ts';

/** A condition over a row `e`; NULL is as good as false. */
export function itemCondition(item: Item, fields: Fields): string {
  const condition = both(item.all.map((group) => anyOf(alternatives(item.field, group, fields))));
  return item.negated ? `(${condition}) is not true` : condition;
}

/** What a row had there, as jsonb, for whoever wants to know why it matched. */
export function itemValue({ field }: Item, fields: Fields): string {
  return field === undefined ? `to_jsonb(true)` : fields(field).value;
}

function alternatives(name: string | undefined, group: readonly Match[], fields: Fields): readonly string[] {
  if (name === undefined) return textConditions(`${RECORD}::text`, group, recordPatterns);
  const field = fields(name);
  const ofValues: Match[] = [];
  const conditions: string[] = [];
  for (const match of group) {
    const own = fieldCondition(name, field, match, fields);
    if (own === undefined) ofValues.push(match);
    else conditions.push(own);
  }
  if (ofValues.length === 0) return conditions;
  if (field.column !== undefined) return [...conditions, ...textConditions(field.column, ofValues, ownPattern)];
  const value = anyOf(textConditions(`v #>> '{}'`, ofValues, jsonPatterns));
  return [...conditions, `exists (\n  select from ${field.values} as f(v)\n  where ${indented(value)}\n)`];
}

/** What is not asked of each value by its text. */
function fieldCondition(name: string, field: Field, match: Match, fields: Fields): string | undefined {
  switch (match.kind) {
    case 'exists':
      return match.wanted ? field.exists : `${field.exists} is not true`;
    case 'null':
      return field.isNull;
    case 'field':
      return sameCondition(field, fields(match.name), match.place, match.cased);
    case 'time':
      return name === 'eventTime' ? timeCondition('e.event_time', match) : undefined;
    case 'network':
      return name === 'sourceIPAddress' ? `e.source_ip <<= ${literal(match.network)}` : undefined;
    case 'text': {
      const wanted = match.cased ? undefined : textWithoutWildcards(match.text)?.toLowerCase();
      const isBoolean = field.boolean !== undefined && (wanted === 'true' || wanted === 'false');
      return isBoolean ? `${field.boolean} is ${wanted}` : undefined;
    }
    case 'regular expression':
    case 'number':
      return undefined;
  }
}

/** The forms in which a text may stand. */
type Patterns = (text: SigmaText) => readonly string[];

const ownPattern: Patterns = (text) => [likePattern(text)];

/** An object is compared as PostgreSQL writes it: with a space after each colon and comma. */
const jsonPatterns: Patterns = (text) => {
  const pattern = likePattern(text);
  const spaced = /["{[]/.test(pattern) ? pattern.replace(/":(?=\S)/g, '": ').replace(/,(?=\S)/g, ', ') : pattern;
  return [...new Set([pattern, spaced])];
};

/** Somewhere in the record: also in a text within it, where quotation marks and backslashes are escaped. */
const recordPatterns: Patterns = (text) => {
  const somewhere = withAnyBefore(withAnyAfter(text));
  const escaped = somewhere.map((token) =>
    token.kind === 'text' ? { ...token, text: JSON.stringify(token.text).slice(1, -1) } : token,
  );
  return [...new Set([...jsonPatterns(somewhere), likePattern(escaped)])];
};

function textConditions(text: string, group: readonly Match[], patterns: Patterns): readonly string[] {
  const equal: string[] = [];
  const like: string[] = [];
  const ilike: string[] = [];
  const conditions: string[] = [];
  for (const match of group) {
    switch (match.kind) {
      case 'text': {
        const forms = patterns(match.text);
        if (hasCase(match.text) && !match.cased) ilike.push(...forms);
        else if (forms.length > 1 || patterns === recordPatterns) like.push(...forms);
        else {
          const whole = textWithoutWildcards(match.text);
          if (whole === undefined) like.push(...forms);
          else equal.push(whole);
        }
        break;
      }
      case 'regular expression':
        conditions.push(`${text} ${match.ignoreCase ? '~*' : '~'} ${literal(match.pattern)}`);
        break;
      case 'network':
        conditions.push(`try_inet(${text}) <<= ${literal(match.network)}`);
        break;
      case 'number':
        conditions.push(`${numberOf(text)} ${match.operator} ${match.number}`);
        break;
      case 'time':
        conditions.push(timeCondition(timeOf(text), match));
        break;
      case 'exists':
      case 'null':
      case 'field':
    }
  }
  return [
    ...compared(text, '=', equal),
    ...compared(text, 'like', like),
    ...compared(text, 'ilike', ilike),
    ...conditions,
  ];
}

function compared(text: string, operator: '=' | 'like' | 'ilike', given: readonly string[]): readonly string[] {
  const values = [...new Set(given)].map(literal);
  const [only, second] = values;
  if (only === undefined) return [];
  if (second === undefined) return [`${text} ${operator} ${only}`];
  return [operator === '=' ? `${text} in (${list(values)})` : `${text} ${operator} any (array[${list(values)}])`];
}

/** NULL where it is none. Records come from outside: no value of theirs may fail the statement. */
export function numberOf(text: string): string {
  return `(case when ${text} ~ '^[-+]?[0-9.]+(e[-+]?[0-9]{1,3})?$' and pg_input_is_valid(${text}, 'numeric') then (${text})::numeric end)`;
}

function timeOf(text: string): string {
  return `(case when ${text} ~ '^[0-9]{4}-' and pg_input_is_valid(${text}, 'timestamptz') then (${text})::timestamptz end)`;
}

function timeCondition(time: string, match: Extract<Match, { kind: 'time' }>): string {
  return `extract(${match.part} from ${time} at time zone 'UTC') ${match.operator satisfies Comparison} ${match.number}`;
}

function sameCondition(field: Field, other: Field, place: Place, cased: boolean): string {
  const text = (one: Field, alias: string) => one.column ?? `${alias} #>> '{}'`;
  const [left, right] = [text(field, 'v'), text(other, 'w')].map((sql) => (cased ? sql : `lower(${sql})`)) as [
    string,
    string,
  ];
  const condition = placed(left, right, place);
  const from = [
    ...(field.column === undefined ? [`${field.values} as f(v)`] : []),
    ...(other.column === undefined ? [`${other.values} as g(w)`] : []),
  ];
  return from.length === 0 ? condition : `exists (select from ${from.join(', ')} where ${condition})`;
}

function placed(text: string, part: string, place: Place): string {
  switch (place) {
    case 'whole':
      return `${text} = ${part}`;
    case 'start':
      return `starts_with(${text}, ${part})`;
    case 'end':
      return `right(${text}, length(${part})) = ${part}`;
    case 'anywhere':
      return `strpos(${text}, ${part}) > 0`;
  }
}
