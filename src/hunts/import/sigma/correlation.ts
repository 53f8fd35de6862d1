import { UnreadableRule } from '../unreadable-rule.ts';
import { isMembers, textOf, textsOf, type Members } from './rule-members.ts';

export type CorrelationType =
  'event_count' | 'value_count' | 'temporal' | 'temporal_ordered' | 'value_sum' | 'value_avg';
export type Limit = '<' | '<=' | '>' | '>=' | '=' | '<>';

/** Events of several rules within a time span, group by group. */
export interface Correlation {
  readonly type: CorrelationType;
  /** By id or name. */
  readonly rules: readonly string[];
  readonly generate: boolean;
  readonly groupBy: readonly string[];
  readonly timespan: { readonly text: string; readonly seconds: number };
  /** All of them; empty: each rule once. */
  readonly limits: readonly { readonly operator: Limit; readonly number: string }[];
  /** Of `value_…`. */
  readonly fields: readonly string[];
  /** By alias, the field of each rule, by the rule's id or name. */
  readonly aliases: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

const TYPES: readonly CorrelationType[] = [
  'event_count',
  'value_count',
  'temporal',
  'temporal_ordered',
  'value_sum',
  'value_avg',
];
const LIMITS: Readonly<Record<string, Limit>> = { lt: '<', lte: '<=', gt: '>', gte: '>=', eq: '=', neq: '<>' };
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };
const MAX_DAYS = 365;

/**
 * After the Sigma Correlation Rules Specification, 2.1.0.
 *
 * @throws UnreadableRule
 */
export function readCorrelation(definition: unknown): Correlation {
  if (!isMembers(definition)) return refuse('it is no map');
  const type = TYPES.find((each) => each === textOf(definition['type']));
  if (textOf(definition['type']) === 'value_percentile') {
    return refuse('type: of value_percentile, the specification leaves open what is a percentile of what');
  }
  if (type === undefined)
    return refuse(`type: ${textOf(definition['type']) ?? 'none'} is not one of ${TYPES.join(', ')}`);
  const rules = textsOf(definition['rules']);
  if (rules.length === 0) refuse('rules: it names none');
  if (new Set(rules).size < rules.length) refuse('rules: one of them stands twice');
  const correlation = {
    type,
    rules,
    generate: definition['generate'] === true,
    groupBy: textsOf(definition['group-by']),
    timespan: timespanOf(definition['timespan']),
    aliases: aliasesOf(definition['aliases']),
    ...conditionOf(definition['condition']),
  };
  const { limits, fields } = correlation;
  const isValue = type.startsWith('value_');
  if (isValue && fields.length === 0) refuse('condition.field: it names none');
  if (fields.length > 1 && type !== 'value_count') refuse('condition.field: a number is one field');
  if (!isValue && fields.length > 0) refuse(`condition.field: ${type} takes none`);
  if (limits.length === 0 && !type.startsWith('temporal')) refuse('condition: it has no limit');
  if (limits.length > 0 && type === 'temporal_ordered') {
    refuse('condition: of rules in order, all of them have to come; leave it out');
  }
  return correlation;
}

function conditionOf(condition: unknown): Pick<Correlation, 'limits' | 'fields'> {
  if (condition === undefined) return { limits: [], fields: [] };
  if (!isMembers(condition)) return refuse('condition: it is no map');
  const { field, ...rest } = condition;
  const limits = Object.entries(rest).map(([key, value]) => {
    const operator = LIMITS[key];
    const number = typeof value === 'number' && Number.isFinite(value) ? String(value) : textOf(value);
    if (operator === undefined) return refuse(`condition.${key}: it is not one of ${Object.keys(LIMITS).join(', ')}`);
    if (number === undefined || !/^-?\d+(\.\d+)?$/.test(number)) return refuse(`condition.${key}: it takes a number`);
    return { operator, number };
  });
  return { limits, fields: textsOf(field) };
}

function timespanOf(given: unknown): Correlation['timespan'] {
  const text = textOf(given) ?? '';
  const [, count = '', unit = ''] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  const seconds = Number(count) * (UNITS[unit] ?? 0);
  if (seconds === 0) return refuse(`timespan: "${text}" is none: write 10m`);
  if (seconds > MAX_DAYS * 86_400) return refuse(`timespan: ${text} is more than ${MAX_DAYS} days`);
  return { text, seconds };
}

function aliasesOf(given: unknown): Correlation['aliases'] {
  if (given === undefined) return new Map();
  if (!isMembers(given)) return refuse('aliases: it is no map');
  return new Map(
    Object.entries(given).map(([alias, fields]) => [alias, new Map(Object.entries(fieldsOf(alias, fields)))] as const),
  );
}

function fieldsOf(alias: string, fields: unknown): Readonly<Record<string, string>> {
  const members: Members = isMembers(fields) ? fields : refuse(`aliases.${alias}: it is no map`);
  return Object.fromEntries(
    Object.entries(members).map(([rule, field]) => [
      rule,
      textOf(field) ?? refuse(`aliases.${alias}.${rule}: it names no field`),
    ]),
  );
}

function refuse(reason: string): never {
  throw new UnreadableRule(undefined, `correlation.${reason}`);
}
