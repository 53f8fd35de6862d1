import type { Exactness, Predicate, Pushed } from '../../source.ts';
import type { Condition, Criterion } from '../clients/guardduty.ts';
import { booleanWanted } from '../../contradictions.ts';
import { ALWAYS, outerRange } from '../../time-range.ts';

/**
 * Predicates as ListFindings' criteria: https://docs.aws.amazon.com/guardduty/latest/APIReference/API_ListFindings.html.
 * All criteria must hold, and each names one attribute, so what may stand in several places (remote_ip) is not pushed.
 */

/** Documented criteria that are columns; a column's path is the criterion's name. */
const TEXTS = new Set([
  'accountId',
  'id',
  'region',
  'resource.accessKeyDetails.accessKeyId',
  'resource.accessKeyDetails.userName',
  'resource.accessKeyDetails.userType',
  'resource.instanceDetails.instanceId',
  'resource.resourceType',
  'service.action.actionType',
  'service.action.awsApiCallAction.api',
  'service.action.awsApiCallAction.serviceName',
  'service.resourceRole',
  'type',
]);

/** Those that every finding has: what `notEquals` says of a missing attribute is not documented. */
const REQUIRED = new Set(['accountId', 'id', 'region', 'type']);

/** "Max values: 50". */
const MAX_VALUES = 50;

/** `updatedAt` is printed with milliseconds or without; how it is indexed is not documented. */
const UPDATED_AT_SLACK_MS = 1000;

/** The bounds of each label, both taken as inclusive: conditions are whole numbers, and what is too much is filtered. */
const LABELS: Readonly<Record<string, readonly [number, number]>> = {
  LOW: [Number.NEGATIVE_INFINITY, 4],
  MEDIUM: [4, 7],
  HIGH: [7, 9],
  CRITICAL: [9, Number.POSITIVE_INFINITY],
};

interface Bounds {
  readonly low: number;
  readonly high: number;
}

export interface CompiledCriteria {
  readonly criterion: Criterion;
  readonly pushed: readonly Pushed[];
}

export function compileCriteria(predicates: readonly Predicate[]): CompiledCriteria {
  const criterion: Record<string, Condition> = {};
  const pushed = predicates.map((predicate): Pushed => {
    const asked = criterionOf(predicate);
    if (asked === undefined) return { predicate, exactness: 'none' };
    const [attribute, condition] = asked;
    const merged = merge(criterion[attribute], condition);
    if (merged === undefined) return { predicate, exactness: 'none' };
    criterion[attribute] = merged;
    const exactness: Exactness = 'inexact';
    return { predicate, exactness, as: `${attribute} ${describe(condition)}` };
  });
  return { criterion, pushed };
}

/** For EXPLAIN. */
export function describeCriterion(criterion: Criterion): string {
  return Object.entries(criterion)
    .map(([attribute, condition]) => `${attribute} ${describe(condition)}`)
    .join(' and ');
}

function criterionOf(predicate: Predicate): readonly [string, Condition] | undefined {
  const { column, operator, values } = predicate;
  if (column.name === 'severity_label') {
    const labels =
      operator === '=' ? values.flatMap((label) => (LABELS[label] === undefined ? [] : [LABELS[label]])) : [];
    if (labels.length === 0) return undefined;
    const low = Math.min(...labels.map(([least]) => least));
    const high = Math.max(...labels.map(([, greatest]) => greatest));
    return withBounds('severity', { low, high });
  }
  switch (column.path) {
    case undefined:
      return undefined;
    case 'severity':
      return withBounds('severity', boundsOf(predicate));
    case 'updatedAt': {
      const { low, high } = boundsOf(predicate);
      return withBounds('updatedAt', { low: low - UPDATED_AT_SLACK_MS, high: high + UPDATED_AT_SLACK_MS });
    }
    case 'service.archived': {
      const wanted = booleanWanted(predicate);
      return wanted === undefined ? undefined : ['service.archived', { Equals: [String(wanted)] }];
    }
    default:
      return TEXTS.has(column.path) ? textCriterion(column.path, predicate) : undefined;
  }
}

function textCriterion(attribute: string, { operator, values }: Predicate): readonly [string, Condition] | undefined {
  const distinct = [...new Set(values)];
  if (distinct.length === 0 || distinct.length > MAX_VALUES || distinct.includes('')) return undefined;
  if (operator === '=') return [attribute, { Equals: distinct }];
  return operator === '<>' && REQUIRED.has(attribute) ? [attribute, { NotEquals: distinct }] : undefined;
}

/** Rounded outwards: conditions are of type Long, severities are not whole, nor are microseconds. */
function boundsOf(predicate: Predicate): Bounds {
  const { start, end } = outerRange(predicate) ?? ALWAYS;
  return { low: start, high: end };
}

function withBounds(attribute: string, { low, high }: Bounds): readonly [string, Condition] | undefined {
  const condition: Condition = {
    ...(Number.isSafeInteger(low) && { GreaterThanOrEqual: low }),
    ...(Number.isSafeInteger(high) && { LessThanOrEqual: high }),
  };
  return Object.keys(condition).length === 0 ? undefined : [attribute, condition];
}

/** Both must hold. Undefined where one condition cannot say so within its limits. */
function merge(a: Condition | undefined, b: Condition): Condition | undefined {
  if (a === undefined) return b;
  const merged: Condition = { ...a, ...b };
  if (a.Equals !== undefined && b.Equals !== undefined) {
    const both = a.Equals.filter((value) => b.Equals?.includes(value) === true);
    // Nothing satisfies both, which contradicts() has found; an empty list would mean something else to AWS.
    if (both.length === 0) return undefined;
    merged.Equals = both;
  }
  if (a.NotEquals !== undefined && b.NotEquals !== undefined) {
    merged.NotEquals = [...new Set([...a.NotEquals, ...b.NotEquals])];
    if (merged.NotEquals.length > MAX_VALUES) return undefined;
  }
  if (a.GreaterThanOrEqual !== undefined && b.GreaterThanOrEqual !== undefined) {
    merged.GreaterThanOrEqual = Math.max(a.GreaterThanOrEqual, b.GreaterThanOrEqual);
  }
  if (a.LessThanOrEqual !== undefined && b.LessThanOrEqual !== undefined) {
    merged.LessThanOrEqual = Math.min(a.LessThanOrEqual, b.LessThanOrEqual);
  }
  return merged;
}

function describe({ Equals, NotEquals, GreaterThanOrEqual, LessThanOrEqual }: Condition): string {
  return [
    ...(Equals === undefined ? [] : [`equals ${Equals.join(', ')}`]),
    ...(NotEquals === undefined ? [] : [`notEquals ${NotEquals.join(', ')}`]),
    ...(GreaterThanOrEqual === undefined ? [] : [`greaterThanOrEqual ${GreaterThanOrEqual}`]),
    ...(LessThanOrEqual === undefined ? [] : [`lessThanOrEqual ${LessThanOrEqual}`]),
  ].join(', ');
}
