import { mergeParts, type Part } from '../../merge-parts.ts';
import { nameTest } from '../../names.ts';
import { isNewestFirst } from '../../null-order.ts';
import { isRegionPattern } from '../../regions.ts';
import type { CallContext, Page, ScanPlan, ScanRequest, ScanSource } from '../../source.ts';
import { DELIVERED_AFTER_MS } from '../../time-range.ts';
import type { AwsConnection } from '../connection.ts';
import { type Place, eachPlace, placesOf } from '../each-place.ts';
import { type Lookup, type LookupPlan, placeTests, planLookups } from './lookup-plan.ts';
import { readNewestFirst } from './newest-first.ts';
import { CONCURRENCY, PageReader } from './page-reader.ts';

/** CloudTrail's event history, by LookupEvents in every region of every connection. */
export function cloudtrailLookupSource(
  connections: readonly AwsConnection[],
  now: () => number = () => Date.now(),
): ScanSource {
  return {
    kind: 'scan',
    settled: { path: 'eventTime', afterMs: DELIVERED_AFTER_MS },
    wholeRecords: true,
    plan: (request) => describe(planLookups(request, now()), request, connections),
    scan: (request, context) => scan(request, planLookups(request, now()), connections, context, now()),
    close: () => Promise.resolve(),
  };
}

function describe(
  plan: LookupPlan,
  { predicates, table, order }: ScanRequest,
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
    order: order !== undefined && isNewestFirst(order, predicates) ? 'exact' : 'none',
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
  { predicates, limit, order }: ScanRequest,
  plan: LookupPlan,
  connections: readonly AwsConnection[],
  context: CallContext,
  now: number,
): AsyncGenerator<Page, void, undefined> {
  if (plan.empty) return;
  const readersOf = (place: Place) => plan.lookups.map((lookup) => new PageReader(place, lookup, now));
  const wanted = placeTests(predicates);
  // What fails is left out once.
  if (order !== undefined && context.partial !== true) {
    const places = await placesOf(connections, predicates, context, wanted);
    yield* readNewestFirst(places.flatMap(readersOf), context);
    return;
  }
  let missing = limit ?? Number.POSITIVE_INFINITY;
  const pages = eachPlace(connections, predicates, context, wanted, (place, partContext) =>
    mergeParts(readersOf(place).map(allPages), partContext, { concurrency: CONCURRENCY }),
  );
  for await (const page of pages) {
    yield page.records.length > missing ? { ...page, records: page.records.slice(0, missing) } : page;
    missing -= page.records.length;
    if (missing <= 0) return;
  }
}

function allPages(reader: PageReader): Part<Page> {
  return async function* pages(context) {
    do yield await reader.next(context);
    while (!reader.ended);
  };
}
