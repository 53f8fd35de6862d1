import { mergeParts, type Part } from '../../merge-parts.ts';
import { nameTest } from '../../names.ts';
import { isRegionPattern } from '../../regions.ts';
import type { CallContext, Page, ScanPlan, ScanRequest, ScanSource, SourceRecord } from '../../source.ts';
import { SourceError } from '../../source.ts';
import { parseLoggedRecord } from '../../trail-record.ts';
import type { LookedUpEvent } from '../clients/cloudtrail.ts';
import type { AwsConnection } from '../connection.ts';
import { type Place, eachPlace } from '../each-place.ts';
import { KEPT_MS, type Lookup, type LookupPlan, placeTests, planLookups } from './lookup-plan.ts';

/** Two requests a second: more than that many at once would only wait. */
const CONCURRENCY = 4;

/** CloudTrail's event history, by LookupEvents in every region of every connection. */
export function cloudtrailLookupSource(
  connections: readonly AwsConnection[],
  now: () => number = () => Date.now(),
): ScanSource {
  return {
    kind: 'scan',
    plan: (request) => describe(planLookups(request, now()), request, connections),
    scan: (request, context) => scan(request, planLookups(request, now()), connections, context, now()),
    close: () => Promise.resolve(),
  };
}

function describe(
  plan: LookupPlan,
  { predicates, table }: ScanRequest,
  connections: readonly AwsConnection[],
): ScanPlan {
  const isConnectionWanted = nameTest(predicates, '@connection_name');
  const { region: isRegionWanted } = placeTests(predicates);
  const parts = connections
    .filter(({ name }) => isConnectionWanted(name))
    .flatMap(({ name, regionPatterns }) => {
      const named = regionPatterns?.filter((region) => isRegionPattern(region) || isRegionWanted(region));
      if (named?.length === 0) return [];
      return plan.lookups.map(
        (lookup) => `connection ${name}, ${named?.join(', ') ?? 'enabled regions'}${askedText(lookup)}`,
      );
    });
  return {
    pushed: plan.pushed,
    empty: plan.empty,
    parts: plan.empty ? [] : parts,
    notices: [
      ...(plan.reachesTooFar ? [`${table.name} has the last 90 days only: events before them are not there`] : []),
      ...(!plan.empty && plan.lookups.some(({ attribute, range }) => attribute === undefined && range.start < 0)
        ? [
            `${table.name} reads 90 days of every region, 50 events a request and 2 requests a second, as no condition bounds event_time from below or gives an attribute`,
          ]
        : []),
    ],
  };
}

function askedText({ attribute, range }: Lookup): string {
  const asked = [
    ...(attribute === undefined ? [] : [`${attribute.key}=${attribute.value}`]),
    ...(range.start > 0 ? [`StartTime=${new Date(range.start).toISOString()}`] : []),
    ...(Number.isFinite(range.end) ? [`EndTime=${new Date(range.end).toISOString()}`] : []),
  ];
  return asked.length === 0 ? '' : `: ${asked.join(', ')}`;
}

async function* scan(
  { predicates, limit }: ScanRequest,
  plan: LookupPlan,
  connections: readonly AwsConnection[],
  context: CallContext,
  now: number,
): AsyncGenerator<Page, void, undefined> {
  if (plan.empty) return;
  let missing = limit ?? Number.POSITIVE_INFINITY;
  const pages = eachPlace(connections, predicates, context, placeTests(predicates), (place, partContext) => {
    const parts = plan.lookups.map(
      (lookup): Part<Page> =>
        (lookupContext) =>
          read(place, lookup, lookupContext, now),
    );
    return mergeParts(parts, partContext, { concurrency: CONCURRENCY });
  });
  for await (const page of pages) {
    yield page.records.length > missing ? { ...page, records: page.records.slice(0, missing) } : page;
    missing -= page.records.length;
    if (missing <= 0) return;
  }
}

async function* read(
  place: Place,
  lookup: Lookup,
  context: CallContext,
  now: number,
): AsyncGenerator<Page, void, undefined> {
  const { connection, region, accountId } = place;
  const { attribute, range } = lookup;
  const limit = {
    key: `cloudtrail:LookupEvents:${accountId ?? connection.name}:${region}`,
    concurrency: CONCURRENCY,
    requestsPerSecond: connection.lookupRequestsPerSecond,
  };
  let nextToken: string | undefined;
  do {
    const request = {
      attribute: attribute && { key: attribute.key, value: attribute.value },
      // A time before what is kept says nothing, and may be refused.
      startTime: range.start > now - KEPT_MS ? wholeSecond(Math.floor, range.start) : undefined,
      endTime: range.end < now ? wholeSecond(Math.ceil, range.end) : undefined,
      nextToken,
    };
    const answer = await connection.call(
      context,
      limit,
      { region, action: 'cloudtrail:LookupEvents', subject: 'the event history' },
      (signal) => connection.cloudTrail(region).lookupEvents(request, signal),
    );
    if (answer.nextToken !== undefined && answer.nextToken === nextToken) throw stuck(place);
    nextToken = answer.nextToken;
    const records = answer.events
      .filter((event) => hasResource(event, lookup))
      .map((event) => recordOf(event, place, lookup));
    yield { records: records.filter((record) => isAsked(record, lookup)), bytes: answer.bytes };
  } while (nextToken !== undefined);
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
