import { boundingOperator } from './bounding.ts';
import { conjunctsOf } from './condition-text.ts';
import type { Condition, Conjuncts, Predicate } from './source.ts';

/** Milliseconds since the epoch, both inclusive; infinite where nothing bounds them. */
export interface TimeRange {
  readonly start: number;
  readonly end: number;
}

export const ALWAYS: TimeRange = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };

/** What a Date can hold; CloudWatch Logs accepts events up to two hours ahead, so nothing lies beyond. */
export const LAST_INSTANT = 8.64e15;
/** CloudTrail's clock may run ahead of CloudWatch Logs' by this much. */
export const CLOCK_SLACK_MS = 5 * 60_000;

/** CloudTrail delivers what happened within about this time. */
export const DELIVERED_AFTER_MS = 15 * 60_000;

export function isEmptyRange(range: TimeRange): boolean {
  // CloudWatch Logs holds no event before 1970.
  return range.start > range.end || range.end < 0 || range.start > LAST_INSTANT;
}

export function intersect(a: TimeRange, b: TimeRange): TimeRange {
  return { start: Math.max(a.start, b.start), end: Math.min(a.end, b.end) };
}

/** The whole milliseconds that satisfy it; undefined for operators that bound nothing. */
export function exactRange(predicate: Predicate): TimeRange | undefined {
  const values = numbers(predicate);
  if (values === undefined) return undefined;
  const least = Math.min(...values);
  const greatest = Math.max(...values);
  switch (boundingOperator(predicate.operator)) {
    case '=':
      return { start: Math.ceil(least), end: Math.floor(greatest) };
    case '<':
      return { ...ALWAYS, end: Math.ceil(least) - 1 };
    case '<=':
      return { ...ALWAYS, end: Math.floor(least) };
    case '>':
      return { ...ALWAYS, start: Math.floor(greatest) + 1 };
    case '>=':
      return { ...ALWAYS, start: Math.ceil(greatest) };
    case undefined:
      return undefined;
  }
}

/** Rounded outwards to whole milliseconds: for times that are not the log event's own. */
export function outerRange(predicate: Predicate): TimeRange | undefined {
  const values = numbers(predicate);
  if (values === undefined) return undefined;
  const start = Math.floor(Math.min(...values));
  const end = Math.ceil(Math.max(...values));
  switch (boundingOperator(predicate.operator)) {
    case '=':
      return { start, end };
    case '<':
    case '<=':
      return { ...ALWAYS, end };
    case '>':
    case '>=':
      return { ...ALWAYS, start };
    case undefined:
      return undefined;
  }
}

/**
 * Between which values, rounded outwards, conjuncts say that a row's must lie. Undefined: none of them says anything of
 * them; infinite: those that do say no bound.
 *
 * @param concerns whether a predicate is on these values
 */
export function rangeSaid(conjuncts: Conjuncts, concerns: (predicate: Predicate) => boolean): TimeRange | undefined {
  const said = conjunctsOf(conjuncts).flatMap((condition) => rangeIn(condition, concerns) ?? []);
  return said.length === 0 ? undefined : said.reduce(intersect);
}

function rangeIn(condition: Condition, concerns: (predicate: Predicate) => boolean): TimeRange | undefined {
  switch (condition.kind) {
    case 'predicate':
      return concerns(condition.predicate) ? (outerRange(condition.predicate) ?? ALWAYS) : undefined;
    case 'and': {
      const said = condition.of.flatMap((each) => rangeIn(each, concerns) ?? []);
      return said.length === 0 ? undefined : said.reduce(intersect);
    }
    case 'or': {
      const said = condition.of.map((each) => rangeIn(each, concerns));
      return said.every((range) => range === undefined) ? undefined : said.map((range) => range ?? ALWAYS).reduce(hull);
    }
  }
}

function hull(a: TimeRange, b: TimeRange): TimeRange {
  if (a.start > a.end) return b;
  if (b.start > b.end) return a;
  return { start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}

/**
 * When an event of this time can have reached the log group: AWS guarantees no delivery time, so the end is bounded only
 * by what the connection says (undefined: by nothing).
 */
export function deliveryRange(eventTime: TimeRange, deliverySlackMs: number | undefined): TimeRange {
  return {
    start: eventTime.start - CLOCK_SLACK_MS,
    end: deliverySlackMs === undefined ? Number.POSITIVE_INFINITY : eventTime.end + deliverySlackMs,
  };
}

function numbers({ values }: Predicate): readonly number[] | undefined {
  const parsed = values.map(Number);
  return parsed.length === 0 || parsed.some(Number.isNaN) ? undefined : parsed;
}
