import type { Condition, Exactness, Predicate, Pushed, PushedCondition, ScanPlan, ScanRequest } from '../../source.ts';
import { ByteFilter } from '../../byte-filter.ts';
import type { AwsConnection } from '../connection.ts';
import { columnsOf } from '../../condition-columns.ts';
import { contradicts } from '../../contradictions.ts';
import { type Needles, needlesOfCondition, needlesOfPredicate, searchedBy } from '../../needles.ts';
import { isNameOperator, namesAsked, nameTest } from '../../names.ts';
import { isRegionPattern } from '../../regions.ts';
import {
  ALWAYS,
  type TimeRange,
  deliveryRange,
  exactRange,
  intersect,
  isEmptyRange,
  LAST_INSTANT,
  outerRange,
  rangeSaid,
} from '../../time-range.ts';
import { patternOfCondition } from './condition-pattern.ts';
import { isJsonPattern } from './assemble-pattern.ts';
import { patternOf } from './filter-pattern.ts';
import { PATHS } from './paths.ts';
import type { PatternPredicate } from './pattern-predicate.ts';
import { type PatternPart, member, requestPatterns } from './request-patterns.ts';
import { requestTimes } from './request-times.ts';
import { streamPrefix } from './stream-prefix.ts';
import { type TimeOrder, timeOrderOf } from './time-order.ts';

/** A request's predicates in CloudWatch Logs' terms: what is asked of each log group, and which are asked. */
export interface CompiledScan {
  readonly pushed: readonly Pushed[];
  readonly pushedConditions: readonly PushedCondition[];
  readonly empty: boolean;
  readonly connections: readonly AwsConnection[];
  /** Where the statement names log groups. */
  readonly logGroupNames: readonly string[] | undefined;
  readonly isLogGroupWanted: (name: string) => boolean;
  readonly isRegionWanted: (region: string) => boolean;
  readonly isAccountWanted: (accountId: string) => boolean;
  readonly logStreamNamePrefix: string | undefined;
  /** The input column's values, each asked for by itself and echoed; undefined: the statement gives none. */
  readonly filters: readonly (string | undefined)[];
  /** What each log group is asked for, each event in one of them. */
  readonly patterns: readonly PatternPart[];
  /** False of messages that nobody needs to parse, by what the patterns do not say. */
  mayHold(message: string): boolean;
  /** Undefined where the connection cannot hold such an event. */
  timeRange(connection: AwsConnection): TimeRange | undefined;
  readonly bounded: boolean;
  /** No event that is wanted happened later; what is delivered later is read all the same. */
  readonly latest: number;
  /** Of the request's order, where log groups can be read in it. */
  readonly order: TimeOrder | undefined;
  /** True for the records (unwrapped) that satisfy every exactly pushed pattern. */
  test(value: unknown): boolean;
}

export function compileScan(request: ScanRequest, all: readonly AwsConnection[]): CompiledScan {
  const { predicates, conditions = [], order } = request;
  const times = compileTimes(request);
  const filters = namesAsked(predicates, PATHS.filter) ?? [undefined];
  const longestFilter = filters.reduce(
    (longest, filter) => ((filter?.length ?? 0) > (longest?.length ?? 0) ? filter : longest),
    undefined,
  );
  const combinable = filters.every((filter) => filter === undefined || isJsonPattern(filter));

  const candidates: readonly Candidate[] = combinable
    ? [
        ...predicates.flatMap((of): Candidate[] => candidate(of, patternOf(of))),
        ...conditions.flatMap((of): Candidate[] => candidate(of, patternOfCondition(of))),
      ]
    : [];
  const { used, parts } = requestPatterns(candidates, longestFilter);
  const patternOfUsed = new Map<Predicate | Condition, PatternPredicate>(used.map((one) => [one.of, one]));
  const tests = used.flatMap(({ of, exactness, test }) =>
    exactness === 'exact' && test !== undefined && 'column' in of
      ? [{ steps: (of.column.path ?? '').split('.'), test }]
      : [],
  );

  const needlesOf = searchedFor(request, patternOfUsed);
  const messages = needlesOf.size === 0 ? undefined : new ByteFilter([...needlesOf.values()]);

  const isConnectionWanted = nameTest(predicates, PATHS.connectionName);
  const connections = all.filter(({ name }) => isConnectionWanted(name));
  const logGroupNames = namesAsked(predicates, PATHS.logGroupName);
  const isLogGroupWanted = nameTest(predicates, PATHS.logGroupName);
  const prefix = streamPrefix(predicates.filter(({ column }) => column.path === PATHS.logStreamName));

  return {
    pushed: predicates.map((predicate) => pushedAs(predicate, patternOfUsed, needlesOf, prefix)),
    pushedConditions: conditions.map((condition) => {
      const pattern = patternOfUsed.get(condition);
      const columns = columnsOf(condition);
      const times = timesText(condition);
      const needles = pattern === undefined ? needlesOf.get(condition) : undefined;
      const as = [
        ...(pattern === undefined ? [] : [patternText(pattern)]),
        ...(times === '' ? [] : [times]),
        ...(needles === undefined ? [] : [searchedBy(needles)]),
      ].join(', ');
      if (as === '') return { columns, exactness: 'none' as const };
      return { columns, exactness: times === '' && pattern !== undefined ? pattern.exactness : 'inexact', as };
    }),
    empty:
      times.empty ||
      filters.length === 0 ||
      (logGroupNames !== undefined && !logGroupNames.some(isLogGroupWanted)) ||
      contradicts(predicates),
    connections,
    logGroupNames: logGroupNames?.filter(isLogGroupWanted),
    isLogGroupWanted,
    isRegionWanted: nameTest(predicates, PATHS.region),
    isAccountWanted: nameTest(predicates, PATHS.accountId),
    logStreamNamePrefix: prefix,
    filters,
    patterns: parts,
    mayHold: (message) => messages?.mayHold(Buffer.from(message)) !== false,
    timeRange: (connection) => {
      const range = intersect(times.timestamp, deliveryRange(times.eventTime, connection.deliverySlackMs));
      return isEmptyRange(range) ? undefined : range;
    },
    bounded: Number.isFinite(Math.max(times.timestamp.start, times.eventTime.start)),
    latest: times.eventTime.end,
    order: order && timeOrderOf(order, predicates, connections),
    test: (value) => tests.every(({ steps, test }) => test(steps.reduce(member, value))),
  };
}

interface Candidate extends PatternPredicate {
  readonly of: Predicate | Condition;
}

function candidate(of: Predicate | Condition, pattern: PatternPredicate | undefined): Candidate[] {
  return pattern === undefined ? [] : [{ of, ...pattern }];
}

/** Of conditions of which the service may find too much: what must stand in a message. */
function searchedFor(
  { predicates, conditions = [] }: ScanRequest,
  patterns: ReadonlyMap<Predicate | Condition, PatternPredicate>,
): ReadonlyMap<Predicate | Condition, Needles> {
  const all: readonly (readonly [Predicate | Condition, Needles | undefined])[] = [
    ...predicates.map((of) => [of, needlesOfPredicate(of)] as const),
    ...conditions.map((of) => [of, needlesOfCondition(of)] as const),
  ];
  return new Map(
    all.flatMap(([of, needles]) =>
      needles === undefined || patterns.get(of)?.exactness === 'exact' ? [] : [[of, needles] as const],
    ),
  );
}

/** What EXPLAIN shows: nothing that would take a call to find out. */
export function describeScan(scan: CompiledScan, table: string): ScanPlan {
  const parts = scan.connections.flatMap((connection) => {
    const range = scan.timeRange(connection);
    if (range === undefined) return [];
    const named = connection.regionPatterns?.filter((region) => isRegionPattern(region) || scan.isRegionWanted(region));
    if (named?.length === 0) return [];
    const groups = scan.logGroupNames ?? connection.logGroups?.filter(scan.isLogGroupWanted);
    if (groups?.length === 0) return [];
    const where = named?.join(', ') ?? 'enabled regions';
    const what = groups === undefined ? 'log groups of its trails' : `log group ${groups.join(', ')}`;
    return scan.filters.flatMap((filter) =>
      scan.patterns.map(({ pattern }) => {
        const asked = requestText(scan, range, pattern(filter));
        return `connection ${connection.name}, ${where}, ${what}${asked === '' ? '' : `: ${asked}`}`;
      }),
    );
  });
  return {
    pushed: scan.pushed,
    pushedConditions: scan.pushedConditions,
    empty: scan.empty,
    parts: scan.empty ? [] : parts,
    order: scan.order === undefined ? 'none' : 'exact',
    notices:
      scan.bounded || scan.empty || scan.order !== undefined
        ? []
        : [
            `${table} is read from its log groups' beginning, as no condition bounds timestamp or event_time from below; AWS allows 5 pages of 1 MB a second`,
          ],
  };
}

function requestText(scan: CompiledScan, range: TimeRange, pattern: string | undefined): string {
  const { startTime, endTime } = requestTimes(range);
  return [
    ...(startTime === undefined ? [] : [`startTime=${new Date(startTime).toISOString()}`]),
    ...(endTime === undefined ? [] : [`endTime=${new Date(endTime).toISOString()}`]),
    ...(scan.logStreamNamePrefix === undefined ? [] : [`logStreamNamePrefix=${scan.logStreamNamePrefix}`]),
    ...(pattern === undefined ? [] : [`filterPattern=${pattern}`]),
  ].join(', ');
}

interface Times {
  readonly timestamp: TimeRange;
  readonly eventTime: TimeRange;
  readonly empty: boolean;
}

function compileTimes({ predicates, conditions = [] }: ScanRequest): Times {
  let timestamp = ALWAYS;
  let eventTime = ALWAYS;
  for (const predicate of predicates) {
    const { path } = predicate.column;
    if (path === PATHS.timestamp) timestamp = intersect(timestamp, exactRange(predicate) ?? ALWAYS);
    if (path === PATHS.eventTime) eventTime = intersect(eventTime, outerRange(predicate) ?? ALWAYS);
  }
  timestamp = intersect(timestamp, rangeOf(conditions, PATHS.timestamp));
  eventTime = intersect(eventTime, rangeOf(conditions, PATHS.eventTime));
  return { timestamp, eventTime, empty: isEmptyRange(timestamp) || eventTime.start > eventTime.end };
}

/** What alternatives leave of a time. */
function rangeOf(conditions: readonly Condition[], path: string): TimeRange {
  return rangeSaid({ predicates: [], conditions }, ({ column }) => column.path === path) ?? ALWAYS;
}

function timesText(condition: Condition): string {
  const [timestamp, eventTime] = [PATHS.timestamp, PATHS.eventTime].map((path) =>
    rangeText(rangeOf([condition], path)),
  );
  return [timestamp, eventTime === '' ? '' : `${eventTime ?? ''}, with delivery slack`].filter(Boolean).join(', ');
}

function pushedAs(
  predicate: Predicate,
  patterns: ReadonlyMap<Predicate | Condition, PatternPredicate>,
  needlesOf: ReadonlyMap<Predicate | Condition, Needles>,
  prefix: string | undefined,
): Pushed {
  const push = (exactness: Exactness, as?: string): Pushed => ({
    predicate,
    exactness,
    ...(as !== undefined && { as }),
  });
  const pattern = patterns.get(predicate);
  if (pattern !== undefined) return push(pattern.exactness, patternText(pattern));
  switch (predicate.column.path) {
    case PATHS.timestamp: {
      const range = exactRange(predicate);
      if (range === undefined) return push('none');
      return push(new Set(predicate.values).size === 1 ? 'exact' : 'inexact', rangeText(range));
    }
    case PATHS.eventTime: {
      const range = outerRange(predicate);
      return range === undefined ? push('none') : push('inexact', `${rangeText(range)}, with delivery slack`);
    }
    case PATHS.filter:
      return predicate.operator === '=' ? push('exact', 'filterPattern') : push('none');
    case PATHS.logGroupName:
      return isNameOperator(predicate) ? push('exact', 'which log groups are read') : push('none');
    case PATHS.region:
    case PATHS.connectionName:
      return isNameOperator(predicate) ? push('exact', 'which regions are read') : push('none');
    case PATHS.accountId:
      // The account may be unknown: such log groups are read, and PostgreSQL decides.
      return isNameOperator(predicate) ? push('inexact', 'which accounts are read') : push('none');
    case PATHS.logStreamName:
      return prefix !== undefined && streamPrefix([predicate]) !== undefined
        ? push('inexact', `logStreamNamePrefix=${prefix}`)
        : push('none');
    case undefined:
    default: {
      const needles = needlesOf.get(predicate);
      return needles === undefined ? push('none') : push('inexact', searchedBy(needles));
    }
  }
}

function rangeText({ start, end }: TimeRange): string {
  const text = (instant: number) =>
    Math.abs(instant) <= LAST_INSTANT ? new Date(instant).toISOString() : String(instant);
  return [
    ...(start > 0 ? [`startTime=${text(start)}`] : []),
    ...(Number.isFinite(end) ? [`endTime=${text(end)}`] : []),
  ].join(', ');
}

function patternText({ condition }: PatternPredicate): string {
  return `{ ${condition('$').join(' || ')} }`;
}
