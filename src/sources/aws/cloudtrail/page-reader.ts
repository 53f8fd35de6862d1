import { type CallContext, type Page, SourceError, type SourceRecord } from '../../source.ts';
import { parseLoggedRecord } from '../../trail-record.ts';
import type { LookedUpEvent } from '../clients/cloudtrail.ts';
import type { Place } from '../each-place.ts';
import { KEPT_MS, type Lookup } from './lookup-plan.ts';

/** Two requests a second: more than that many at once would only wait. */
export const CONCURRENCY = 4;

/**
 * The pages of one look-up in one region: "The events list is sorted by time. The most recent event is listed first."
 * https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
 */
export class PageReader {
  readonly #place: Place;
  readonly #lookup: Lookup;
  readonly #now: number;
  #nextToken: string | undefined;
  #oldest = Number.POSITIVE_INFINITY;
  #isSorted = true;
  #ended = false;

  constructor(place: Place, lookup: Lookup, now: number) {
    this.#place = place;
    this.#lookup = lookup;
    this.#now = now;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** No event of a later page happened after: milliseconds since the epoch, infinite where that is not known. */
  get reached(): number {
    return this.#isSorted ? this.#oldest : Number.POSITIVE_INFINITY;
  }

  async next(context: CallContext): Promise<Page> {
    const { connection, region, accountId } = this.#place;
    const { attribute, range } = this.#lookup;
    const limit = {
      key: `cloudtrail:LookupEvents:${accountId ?? connection.name}:${region}`,
      concurrency: CONCURRENCY,
      requestsPerSecond: connection.lookupRequestsPerSecond,
    };
    const request = {
      attribute: attribute && { key: attribute.key, value: attribute.value },
      // A time before what is kept says nothing, and may be refused.
      startTime: range.start > this.#now - KEPT_MS ? wholeSecond(Math.floor, range.start) : undefined,
      endTime: range.end < this.#now ? wholeSecond(Math.ceil, range.end) : undefined,
      nextToken: this.#nextToken,
    };
    const { events, nextToken, bytes } = await connection.call(
      context,
      limit,
      { region, action: 'cloudtrail:LookupEvents', subject: 'the event history' },
      (signal) => connection.cloudTrail(region).lookupEvents(request, signal),
    );
    if (nextToken !== undefined && nextToken === this.#nextToken) throw stuck(this.#place);
    this.#nextToken = nextToken;
    this.#ended = nextToken === undefined;
    const newest = this.#pass(events);
    const records = events
      .filter((event) => hasResource(event, this.#lookup))
      .map((event) => recordOf(event, this.#place, this.#lookup))
      .filter((record) => isAsked(record, this.#lookup));
    return { records, bytes, newest };
  }

  /** When the newest of them happened. */
  #pass(events: readonly LookedUpEvent[]): number | undefined {
    const times = events.flatMap(({ EventTime: seconds }) => (typeof seconds === 'number' ? [seconds * 1_000] : []));
    if (times.length === 0) return undefined;
    const newest = Math.max(...times);
    this.#isSorted &&= times.length === events.length && newest <= this.#oldest;
    // The service knows whole seconds, a record may know more.
    this.#oldest = Math.min(this.#oldest, ...times.map((time) => Math.floor(time / 1_000) * 1_000 + 999));
    return newest;
  }
}

function wholeSecond(round: (seconds: number) => number, milliseconds: number): Date {
  return new Date(round(milliseconds / 1000) * 1000);
}

/** One attribute was asked for: what the other inputs say of resources is looked at here. */
function hasResource({ Resources = [] }: LookedUpEvent, { inputs: { resourceName, resourceType } }: Lookup): boolean {
  if (resourceName === undefined && resourceType === undefined) return true;
  return Resources.some(
    ({ ResourceName, ResourceType }) =>
      (resourceName === undefined || resourceName === ResourceName) &&
      (resourceType === undefined || resourceType === ResourceType),
  );
}

/** Of a list's values each look-up gives its own, so that no event comes twice however the service compares. */
function isAsked({ value, added }: SourceRecord, { attribute }: Lookup): boolean {
  if (attribute === undefined || attribute.key === 'ReadOnly') return true;
  const own = attribute.path.startsWith('@')
    ? added[attribute.path.slice(1)]
    : attribute.path
        .split('.')
        .reduce<unknown>((at, name) => (at as Readonly<Record<string, unknown>> | undefined)?.[name], value);
  return own === attribute.value;
}

function recordOf(event: LookedUpEvent, place: Place, { inputs }: Lookup): SourceRecord {
  const { connection, region, partition, accountId } = place;
  const text = event.CloudTrailEvent ?? '';
  const record = parseLoggedRecord(text);
  if (record === undefined) throw unreadable(place, event);
  return {
    value: record.value,
    added: {
      username: event.Username,
      resource_name: inputs.resourceName,
      resource_type: inputs.resourceType,
      start_time: inputs.startTime,
      end_time: inputs.endTime,
      partition,
      region,
      account_id: accountId,
      connection_name: connection.name,
    },
    text: record.text,
    origin: () => `event ${event.EventId ?? '?'} of the event history in ${region}`,
  };
}

function unreadable({ connection, region }: Place, { EventId: id }: LookedUpEvent): SourceError {
  return new SourceError(
    'nonsense',
    connection.name,
    `the event history of ${region} holds an event that is no JSON object`,
    {
      detail: `It is event ${id ?? '?'}, of connection ${connection.name}.`,
      hint: 'Leave it out by a condition on event_time.',
    },
  );
}

function stuck({ connection, region }: Place): SourceError {
  return new SourceError(
    'nonsense',
    connection.name,
    `the event history of ${region} answers the same page token again and again`,
    {
      detail: `Connection ${connection.name} tried cloudtrail:LookupEvents in ${region}.`,
      hint: 'Run the statement again.',
    },
  );
}
