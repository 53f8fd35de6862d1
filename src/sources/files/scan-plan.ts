import { columnsOf } from '../condition-columns.ts';
import { contradicts } from '../contradictions.ts';
import { parseLike } from '../like.ts';
import { isNameOperator, nameTest } from '../names.ts';
import { isNewestFirst } from '../null-order.ts';
import { partitionOf } from '../regions.ts';
import type { Condition, Predicate, Pushed, PushedCondition, ScanPlan, ScanRequest } from '../source.ts';
import { ALWAYS, type TimeRange, deliveryRange, outerRange, rangeSaid } from '../time-range.ts';
import { isBucketPath } from './bucket-path.ts';
import type { FilesConnection } from './connection.ts';
import { type Needles, needlesOfCondition, needlesOfPredicate, searchedBy } from '../needles.ts';
import { type TrailPath, parseTrailPath } from './trail-path.ts';

/** A request's predicates in terms of paths: which files can hold a row that satisfies them. */
export interface CompiledScan {
  readonly pushed: readonly Pushed[];
  readonly pushedConditions: readonly PushedCondition[];
  readonly empty: boolean;
  /** Whether there is any connection of kind files. */
  readonly configured: boolean;
  readonly connections: readonly FilesConnection[];
  readonly notices: readonly string[];
  /** When the events that are asked for happened. */
  readonly eventTime: TimeRange;
  /** The newest events are wanted first. */
  readonly newestFirst: boolean;
  /** Files below the folder may be wanted; `path` ends in a slash. */
  isFolderWanted(connection: FilesConnection, path: string): boolean;
  /** Of a folder that is wanted: a longer path below it says nothing that a condition looks at. */
  isAllBelowWanted(path: string): boolean;
  isFileWanted(connection: FilesConnection, path: string): boolean;
}

/** Where the path says it, that is where the records are: they have no other region or account of this kind. */
const PLACES = ['@region', '@account_id', '@partition'] as const;
const DAY_MS = 86_400_000;
/** Columns of CloudTrail's events in CloudWatch Logs that no file has. */
const ABSENT = ['@log_group_name', '@log_stream_name', '@filter'];

export function compileScan(request: ScanRequest, all: readonly FilesConnection[]): CompiledScan {
  const { predicates, table, order } = request;
  const names = predicates.filter(isNameOperator);
  const isConnectionWanted = nameTest(names, '@connection_name');
  const isPathWanted = nameTest(names, '@path');
  const isPrefixWanted = prefixTest(names.filter(({ column }) => column.path === '@path'));
  const eventTime = timeRange(request);
  const absent = predicates.filter(
    ({ column, operator }) => ABSENT.includes(column.path ?? '') && operator !== 'is null',
  );

  const isPlaceWanted = placeTest(names);
  const isTimed = Number.isFinite(eventTime.start) || Number.isFinite(eventTime.end);
  const asked = names.map(({ column }) => column.path);
  const isAllSaid = ({ accountId, region, delivered }: TrailPath) =>
    !asked.includes('@path') &&
    (accountId !== undefined || !asked.includes('@account_id')) &&
    (region !== undefined || !(asked.includes('@region') || asked.includes('@partition'))) &&
    (!isTimed || delivered.some(({ from, before }) => before - from <= DAY_MS));
  const isTimeWanted = ({ deliverySlackMs }: FilesConnection, { delivered }: TrailPath) => {
    const range = deliveryRange(eventTime, deliverySlackMs === 'none' ? undefined : deliverySlackMs);
    return delivered.every(({ from, before }) => range.start < before && range.end >= from);
  };
  return {
    pushed: predicates.map(pushedAs),
    pushedConditions: (request.conditions ?? []).map(conditionPushedAs),
    empty: contradicts(predicates) || eventTime.start > eventTime.end || absent.length > 0,
    configured: all.length > 0,
    connections: all.filter(({ name }) => isConnectionWanted(name)),
    notices: absent.map(
      ({ column }) => `${column.name} is NULL in every row of ${table.name}: files are in no log group`,
    ),
    eventTime,
    newestFirst: order !== undefined && isNewestFirst(order, predicates),
    isFolderWanted: (connection, path) => {
      const said = parseTrailPath(path);
      return !said.eventless && isPrefixWanted(path) && isPlaceWanted(said, 'folder') && isTimeWanted(connection, said);
    },
    isAllBelowWanted: (path) => isAllSaid(parseTrailPath(path)),
    isFileWanted: (connection, path) => {
      const said = parseTrailPath(path);
      return !said.eventless && isPathWanted(path) && isPlaceWanted(said, 'file') && isTimeWanted(connection, said);
    },
  };
}

export function describeScan(scan: CompiledScan): ScanPlan {
  const { start, end } = scan.eventTime;
  const bounds = [
    ...(Number.isFinite(start) ? [`from ${textOf(start)}`] : []),
    ...(Number.isFinite(end) ? [`to ${textOf(end)}`] : []),
  ].join(' ');
  const folders = bounds === '' ? '' : `: CloudTrail's folders of events ${bounds}`;
  return {
    pushed: scan.pushed,
    pushedConditions: scan.pushedConditions,
    empty: scan.empty,
    order: scan.newestFirst ? 'exact' : 'none',
    parts: scan.empty
      ? []
      : scan.connections.map(({ name, paths }) => `connection ${name}, ${paths.join(', ')}${folders}`),
    calls: callsOf(scan.connections),
    notices: scan.notices,
  };
}

function callsOf(connections: readonly FilesConnection[]): string {
  return connections.some(({ paths }) => paths.some(isBucketPath))
    ? 'one a file, of objects one a MiB; one a folder of a bucket that conditions look at, and one for each 1,000 keys'
    : 'one a file';
}

function timeRange(request: ScanRequest): TimeRange {
  return rangeSaid(request, isOfTime) ?? ALWAYS;
}

function isOfTime({ column }: Predicate): boolean {
  return column.path === 'eventTime' || column.path === '@timestamp' || column.name === 'timestamp_ms';
}

function placeTest(names: readonly Predicate[]): (said: TrailPath, of: 'folder' | 'file') => boolean {
  const asked = PLACES.filter((path) => names.some(({ column }) => column.path === path));
  const tests = new Map(PLACES.map((path) => [path, nameTest(names, path)]));
  return ({ accountId, region }, of) => {
    const values = {
      '@region': region,
      '@account_id': accountId,
      '@partition': region === undefined ? undefined : partitionOf(region),
    };
    return asked.every((path) => {
      const value = values[path];
      // Below a folder that says nothing, others may; of a file it is NULL, which satisfies no comparison.
      return value === undefined ? of === 'folder' : tests.get(path)?.(value) === true;
    });
  };
}

/** Whether a path that satisfies the predicates can begin with a folder's. */
function prefixTest(predicates: readonly Predicate[]): (folder: string) => boolean {
  const tests = predicates.flatMap(({ operator, values }): ((folder: string) => boolean)[] => {
    if (operator === '=') return [(folder) => values.some((value) => value.startsWith(folder))];
    const [first] = operator === 'like' ? (parseLike(values[0] ?? '') ?? []) : [];
    if (first?.kind !== 'text') return [];
    return [(folder) => folder.startsWith(first.text) || first.text.startsWith(folder)];
  });
  return (folder) => tests.every((test) => test(folder));
}

function pushedAs(predicate: Predicate): Pushed {
  const { column } = predicate;
  if (isOfTime(predicate) && outerRange(predicate) !== undefined) {
    return { predicate, exactness: 'inexact', as: "which of CloudTrail's folders are read, with delivery slack" };
  }
  if (isNameOperator(predicate)) {
    if (column.path === '@path') return { predicate, exactness: 'exact', as: 'which files are read' };
    if (column.path === '@connection_name') return { predicate, exactness: 'exact', as: 'which paths are read' };
    if (PLACES.some((path) => path === column.path)) {
      return { predicate, exactness: 'exact', as: 'which files are read, by their paths' };
    }
  }
  return { predicate, ...parsedFor(needlesOfPredicate(predicate)) };
}

function conditionPushedAs(condition: Condition): PushedCondition {
  return { columns: columnsOf(condition), ...parsedFor(needlesOfCondition(condition)) };
}

function parsedFor(needles: Needles | undefined): Pick<Pushed, 'exactness' | 'as'> {
  return needles === undefined ? { exactness: 'none' } : { exactness: 'inexact', as: searchedBy(needles) };
}

function textOf(instant: number): string {
  return Math.abs(instant) <= 8.64e15 ? new Date(instant).toISOString() : String(instant);
}
