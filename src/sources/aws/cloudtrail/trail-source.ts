import type { Column } from '../../../catalog/table.ts';
import { contradicts } from '../../contradictions.ts';
import { isNameOperator, nameTest } from '../../names.ts';
import type { CallContext, Page, Predicate, Pushed, ScanRequest, ScanSource } from '../../source.ts';
import type { Trail } from '../clients/cloudtrail.ts';
import type { AwsConnection } from '../connection.ts';
import { type Place, describePlaces, eachPlace } from '../each-place.ts';
import { recordedBy } from './event-selectors.ts';

/** What DescribeTrails says of a trail: those that satisfy no condition on it are asked for nothing more. */
const PRUNING = ['Name', 'TrailARN', 'HomeRegion', '@partition', '@region', '@account_id'] as const;
/** GetTrailStatus and GetEventSelectors allow 10 requests a second; trails are few. */
const CONCURRENCY = 4;

/** Trails: DescribeTrails in every region of every connection, and what a statement uses of their status and selectors. */
export function cloudtrailTrailSource(connections: readonly AwsConnection[]): ScanSource {
  return {
    kind: 'scan',
    plan: ({ predicates }) => ({
      pushed: predicates.map(pushedAs),
      empty: contradicts(predicates),
      parts: describePlaces(connections, predicates),
      notices: [],
    }),
    scan: (request, context) => scan(connections, request, context),
    close: () => Promise.resolve(),
  };
}

function pushedAs(predicate: Predicate): Pushed {
  if (!isNameOperator(predicate)) return { predicate, exactness: 'none' };
  const { path } = predicate.column;
  if (path === '@connection_name') return { predicate, exactness: 'inexact', as: 'which connections are asked' };
  return PRUNING.some((known) => known === path)
    ? { predicate, exactness: 'inexact', as: 'which trails are asked for more' }
    : { predicate, exactness: 'none' };
}

async function* scan(
  connections: readonly AwsConnection[],
  { predicates, columns }: ScanRequest,
  context: CallContext,
): AsyncGenerator<Page, void, undefined> {
  if (contradicts(predicates)) return;
  // A trail's home may be a region or an account that the connection does not name, so that every place is asked.
  const everywhere = { region: () => true, account: () => true };
  const names = predicates.filter(isNameOperator);
  const tests = PRUNING.map((path) => [path, nameTest(names, path)] as const);
  const seen = new Set<string>();
  yield* eachPlace(connections, predicates, context, everywhere, async function* read(place, partContext) {
    const described = await call(place, 'DescribeTrails', partContext, (client, signal) =>
      client.describeTrails(signal),
    );
    let { bytes } = described;
    const records = [];
    for (const trail of described.trails) {
      const key = `${place.connection.name} ${trail.arn}`;
      const home = homeOf(trail, place);
      const known: Readonly<Record<string, unknown>> = { ...trail.value, ...home };
      const satisfies = tests.every(([path, test]) => {
        const value = known[path.replace('@', '')];
        return test(typeof value === 'string' ? value : '');
      });
      if (!satisfies || seen.has(key)) continue;
      seen.add(key);
      const more = await details(trail, columns, place, partContext);
      bytes += more.bytes;
      records.push({
        value: { ...trail.value, ...more.value },
        added: { ...home, connection_name: place.connection.name },
        origin: () => `trail ${trail.arn}`,
      });
    }
    yield { records, bytes };
  });
}

/** `arn:aws:cloudtrail:us-east-1:111122223333:trail/all`: of an organisation's trail the account is another one. */
function homeOf({ arn, value }: Trail, place: Place) {
  const [, partition = place.partition, , region, accountId = place.accountId] = arn.split(':');
  const { HomeRegion: home } = value;
  return { partition, region: typeof home === 'string' ? home : (region ?? place.region), account_id: accountId };
}

/** The columns say which calls are needed. */
async function details(trail: Trail, columns: readonly Column[], place: Place, context: CallContext) {
  const uses = (prefix: string) => columns.some(({ path }) => path?.startsWith(prefix) === true);
  const [status, selectors] = await Promise.all([
    uses('status.')
      ? call(place, 'GetTrailStatus', context, (client, signal) => client.getTrailStatus(trail.arn, signal))
      : undefined,
    uses('recorded.')
      ? call(place, 'GetEventSelectors', context, (client, signal) => client.getEventSelectors(trail.arn, signal))
      : undefined,
  ]);
  return {
    value: {
      logGroupName: /:log-group:([^:]+)/.exec(trail.logGroupArn ?? '')?.[1],
      status: status === undefined ? undefined : withTimes(status.value),
      recorded: selectors === undefined ? undefined : recordedBy(selectors.value),
    },
    bytes: (status?.bytes ?? 0) + (selectors?.bytes ?? 0),
  };
}

/** AWS JSON 1.1 sends times as seconds since the epoch. */
function withTimes(status: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { LatestDeliveryTime: time } = status;
  return { ...status, LatestDeliveryTime: typeof time === 'number' ? time * 1000 : time };
}

function call<T>(
  { connection, region, accountId }: Place,
  operation: string,
  context: CallContext,
  send: (client: ReturnType<AwsConnection['cloudTrail']>, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = { key: `cloudtrail:${accountId ?? connection.name}:${region}`, concurrency: CONCURRENCY };
  return connection.call(context, limit, { region, action: `cloudtrail:${operation}` }, (signal) =>
    send(connection.cloudTrail(region), signal),
  );
}
