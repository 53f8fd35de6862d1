import { AwsError, json11Text } from '../aws/aws-error.ts';
import { decodeToken, encodeToken, queryId } from '../aws/page-token.ts';
import type { Parameters } from '../aws/parameters.ts';
import type { ServiceResponse } from '../service.ts';
import { lowerBound } from './event-store.ts';
import type { EventStore } from './event-store.ts';
import { compileMatcher } from './filter-pattern/evaluate.ts';
import type { EvaluationOptions } from './filter-pattern/evaluate.ts';
import { parseFilterPattern } from './filter-pattern/parse.ts';
import { InvalidFilterPattern } from './filter-pattern/pattern.ts';
import { necessaryTexts } from './filter-pattern/prefilter.ts';
import { findLogGroup, requestedLogGroup } from './find-log-group.ts';
import type { LoadedLogGroup } from './log-groups.ts';

/** "Each page returned can contain up to 1 MB of log events or up to 10,000 log events." */
const PAGE_BYTES = 1_048_576;
const PAGE_EVENTS = 10_000;
/** As PutLogEvents counts an event: its message in UTF-8 plus 26 bytes. */
const EVENT_OVERHEAD_BYTES = 26;
/** `startFromHead: false` is refused for a startTime before. */
const DESCENDING_SINCE = Date.UTC(2024, 0, 1);

export interface FilterLogEventsOptions extends EvaluationOptions {
  /** Events that one request looks at, matching or not: what makes pages short or empty. 25,000 by default. */
  readonly eventsScannedPerPage?: number | undefined;
  /** Each n-th request (n >= 2) gets an empty page with a nextToken at which nothing has been scanned. */
  readonly emptyPageEvery?: number | undefined;
}

/** The API's answers, for one simulator: it counts pages. */
export class FilterLogEvents {
  readonly #options: FilterLogEventsOptions;
  #served = 0;

  constructor(options: FilterLogEventsOptions) {
    if ((options.emptyPageEvery ?? 2) < 2) throw new RangeError('emptyPageEvery must be at least 2, or no scan ends');
    this.#options = options;
  }

  answer(parameters: Parameters, groups: readonly LoadedLogGroup[]): ServiceResponse {
    const { store, arn } = findLogGroup(groups, requestedLogGroup(parameters));
    const limit = parameters.integer('limit', 1, PAGE_EVENTS) ?? PAGE_EVENTS;
    const startTime = parameters.integer('startTime', 0, Number.MAX_SAFE_INTEGER) ?? 0;
    const endTime = parameters.integer('endTime', 0, Number.MAX_SAFE_INTEGER) ?? Number.MAX_SAFE_INTEGER;
    if (startTime > endTime) throw parameters.invalid('startTime must not be after endTime.');
    const pattern = parameters.string('filterPattern', 0, 1024) ?? '';
    const streams = requestedStreams(parameters, store);
    const accepts = this.#filter(store, pattern, streams, parameters);

    const token = parameters.string('nextToken');
    const forward = token === undefined ? parameters.boolean('startFromHead') !== false : token.startsWith('f/');
    if (!forward && startTime < DESCENDING_SINCE) {
      throw parameters.invalid('startFromHead false requires a startTime on or after Jan 1, 2024 00:00:00 UTC.');
    }
    const first = lowerBound(store, startTime);
    const end = lowerBound(store, endTime + 1);
    const query = queryId(arn, startTime, endTime, pattern, streams === undefined ? null : [...streams]);
    let position = forward ? first : end - 1;
    if (token !== undefined) {
      const decoded = decodeToken(token.slice(2), query);
      if (decoded === undefined) throw parameters.invalid('The specified nextToken is invalid.');
      position = decoded.position;
    }

    this.#served += 1;
    const every = this.#options.emptyPageEvery;
    let budget = this.#options.eventsScannedPerPage ?? 25_000;
    if (every !== undefined && this.#served % every === 0) budget = 0;
    const events: string[] = [];
    let bytes = 0;
    const inRange = (): boolean => (forward ? position < end : position >= first);
    for (; inRange() && budget > 0 && events.length < limit; position += forward ? 1 : -1) {
      if (accepts(position)) {
        bytes += store.messageBytes(position) + EVENT_OVERHEAD_BYTES;
        if (bytes > PAGE_BYTES && events.length > 0) break;
        events.push(store.wire(position));
      }
      budget -= 1;
    }
    const nextToken = inRange()
      ? `,"nextToken":"${forward ? 'f' : 'b'}/${encodeToken({ query, position, serial: this.#served })}"`
      : '';
    // "As of May 15, 2020, this parameter [searchedLogStreams] … returns an empty list."
    return json11Text(`{"events":[${events.join(',')}]${nextToken},"searchedLogStreams":[]}`);
  }

  #filter(
    store: EventStore,
    text: string,
    streams: ReadonlySet<number> | undefined,
    parameters: Parameters,
  ): (position: number) => boolean {
    const inStream = (position: number): boolean => streams === undefined || streams.has(store.stream(position));
    let pattern;
    try {
      pattern = parseFilterPattern(text);
    } catch (error) {
      if (error instanceof InvalidFilterPattern) throw parameters.invalid(`Invalid filter pattern: ${error.message}`);
      throw error;
    }
    if (pattern.kind === 'everything') return inStream;
    const matches = compileMatcher(pattern, this.#options);
    const texts = necessaryTexts(pattern);
    const possible = (wire: string): boolean =>
      texts === undefined || texts.some((each) => wire.includes(each)) || wire.includes('\\u');
    return (position) => inStream(position) && possible(store.wire(position)) && matches(store.message(position));
  }
}

/** Numbers of the streams to read; undefined: all. */
function requestedStreams(parameters: Parameters, store: EventStore): ReadonlySet<number> | undefined {
  const names = parameters.strings('logStreamNames', 1, 100);
  const prefix = parameters.string('logStreamNamePrefix', 1, 512);
  if (names !== undefined && prefix !== undefined) {
    throw parameters.invalid('Only one of logStreamNames and logStreamNamePrefix can be provided.');
  }
  if (names !== undefined) {
    const numbers = names.map((name) => store.streams.indexOf(name));
    if (numbers.includes(-1)) {
      throw new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.');
    }
    return new Set(numbers);
  }
  if (prefix === undefined) return undefined;
  return new Set(store.streams.flatMap((name, number) => (name.startsWith(prefix) ? [number] : [])));
}
