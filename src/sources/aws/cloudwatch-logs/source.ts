import type { CallContext, Page, ScanPlan, ScanRequest, ScanSource } from '../../source.ts';
import { SourceError } from '../../source.ts';
import type { AwsConnection } from '../connection.ts';
import { LeftOut } from '../../left-out.ts';
import { type Part, mergeParts } from '../../merge-parts.ts';
import { type Delivered, type LogGroupRead, logGroupPart } from './read-log-group.ts';
import { PATHS } from './paths.ts';
import { readInOrder } from './read-in-order.ts';
import { type CompiledScan, compileScan, describeScan } from './scan-plan.ts';
import { searchedLogs } from './searched-logs.ts';
import { type Target, resolveTargets } from './targets.ts';
import { DELIVERED_AFTER_MS } from '../../time-range.ts';

/** Log groups and shards of them that one statement reads at once. */
const CONCURRENT_PARTS = 12;
/** Pages of up to 1 MB that it holds at once. */
const MOST_AHEAD = 12;

/** CloudTrail events delivered to CloudWatch Logs, of all connections of kind aws, by FilterLogEvents. */
export function cloudwatchLogsSource(connections: readonly AwsConnection[]): ScanSource {
  return {
    kind: 'scan',
    settled: { path: PATHS.eventTime, afterMs: DELIVERED_AFTER_MS },
    wholeRecords: true,
    places: PATHS.logGroupName,
    plan: (request): ScanPlan => describeScan(compileScan(request, connections), request.table.name),
    scan: (request, context) => scan(request, connections, context),
    close: () => Promise.resolve(),
  };
}

async function* scan(
  request: ScanRequest,
  configured: readonly AwsConnection[],
  context: CallContext,
): AsyncGenerator<Page, void, undefined> {
  const compiled = compileScan(request, configured);
  const { restOf } = request;
  if (compiled.empty) return;
  const connections = compiled.connections.filter((connection) => compiled.timeRange(connection) !== undefined);
  const accounts = new LeftOut(context);
  const targets = await allTargets(connections, compiled, context, accounts);
  accounts.report(connections.length, 'connections');
  if (targets.length === 0) {
    if (accounts.count === 0) context.notice('NOTICE', nothingToRead(request));
    return;
  }
  context.searched?.(searchedLogs(targets, restOf === undefined ? compiled : compileScan(restOf, configured)));
  const isLost = missingLogGroups(targets);
  const gone = new Set<Target>();
  const leftOut = new LeftOut(context);
  const existing = ({ target }: LogGroupRead, own: Part<Delivered>): Part<Delivered> =>
    leftOut.of(nameOf(target), async function* part(partContext, divide) {
      if (gone.has(target)) return;
      try {
        yield* own(partContext, divide);
      } catch (error) {
        if (!isNotFound(error)) throw error;
        gone.add(target);
        if (isLost(target)) throw doesNotExist(target, targets, error);
        if (target.namedBy === 'trail') {
          context.notice(
            'WARNING',
            `log group ${target.logGroupName} in ${target.region} does not exist, although a trail of connection ${target.connection.name} delivers to it`,
          );
        }
      }
    });
  const reads = targets.flatMap((target): LogGroupRead[] => {
    const range = compiled.timeRange(target.connection);
    if (range === undefined) return [];
    return compiled.filters.flatMap((filter) =>
      compiled.patterns.map((pattern) => ({ target, range, filter, pattern, limit: request.limit })),
    );
  });
  const merge = (parts: readonly (readonly [LogGroupRead, Part<Delivered>])[]): AsyncIterable<Delivered> =>
    mergeParts(
      parts.map(([read, part]) => existing(read, part)),
      context,
      { concurrency: CONCURRENT_PARTS, mostAhead: MOST_AHEAD, tolerate: leftOut.tolerate },
    );
  // What fails is left out once.
  const isInOrder = compiled.order !== undefined && context.partial !== true;
  const all = isInOrder
    ? readInOrder(reads, compiled.order, compiled, merge)
    : merge(reads.map((read) => [read, logGroupPart(read, compiled)]));
  let missing = request.limit ?? Number.POSITIVE_INFINITY;
  const unreadable = new Set<LogGroupRead>();
  for await (const delivered of all) {
    if ('reached' in delivered) {
      yield { records: [], bytes: 0, continued: true, reached: delivered.reached };
      continue;
    }
    if (unreadable.has(delivered.read)) continue;
    try {
      for (const page of delivered.pages()) {
        yield page.records.length > missing ? { ...page, records: page.records.slice(0, missing) } : page;
        missing -= page.records.length;
        if (missing <= 0) return;
      }
    } catch (error) {
      if (!leftOut.leave(nameOf(delivered.read.target), error)) throw error;
      unreadable.add(delivered.read);
    }
  }
  leftOut.report(new Set(targets.map(nameOf)).size, 'log groups');
}

/** Every connection is asked at once, and every connection's failure is told. */
async function allTargets(
  connections: readonly AwsConnection[],
  compiled: CompiledScan,
  context: CallContext,
  accounts: LeftOut,
): Promise<readonly Target[]> {
  const parts = connections.map((connection) =>
    accounts.of<readonly Target[]>(connection.name, async function* part(partContext) {
      yield await resolveTargets(connection, compiled, partContext);
    }),
  );
  const targets: Target[] = [];
  for await (const found of mergeParts(parts, context, {
    concurrency: Number.POSITIVE_INFINITY,
    tolerate: accounts.tolerate,
  })) {
    targets.push(...found);
  }
  return targets;
}

/** As users tell log groups apart: two connections may see the same one. */
function nameOf({ logGroupName, region, accountId, connection }: Target): string {
  return `${logGroupName} in ${region} of ${accountId ?? connection.name}`;
}

function nothingToRead({ predicates }: ScanRequest): string {
  const regions = predicates
    .filter(({ column, operator }) => column.path === PATHS.region && operator === '=')
    .flatMap(({ values }) => values);
  return regions.length > 0
    ? `no log group is in ${regions.join(', ')}; for events of that region use aws_region`
    : 'no log group satisfies the conditions on connection_name, region, account_id and log_group_name; nothing was read';
}

function isNotFound(error: unknown): error is SourceError {
  return error instanceof SourceError && error.kind === 'not_found';
}

/** Who names a log group says that it exists somewhere: in a region of the connection, or of any where a statement does. */
function keyOf({ connection, logGroupName, namedBy }: Target): string {
  return namedBy === 'configuration' ? `${connection.name}:${logGroupName}` : logGroupName;
}

/** Tells, each time a log group is not found, whether that was the last place where it could have been. */
function missingLogGroups(targets: readonly Target[]): (missing: Target) => boolean {
  const left = new Map<string, Set<Target>>();
  for (const target of targets) {
    if (target.namedBy !== 'trail') left.set(keyOf(target), (left.get(keyOf(target)) ?? new Set()).add(target));
  }
  return (missing) => {
    const places = left.get(keyOf(missing));
    if (places === undefined || missing.namedBy === 'trail') return false;
    places.delete(missing);
    return places.size === 0;
  };
}

function doesNotExist(target: Target, targets: readonly Target[], cause: SourceError): SourceError {
  const places = targets.filter((other) => keyOf(other) === keyOf(target));
  const regions = [...new Set(places.map(({ region }) => region))];
  return new SourceError(
    'not_found',
    target.connection.name,
    `log group ${target.logGroupName} does not exist in ${regions.join(', ')}`,
    {
      detail: cause.detail,
      hint:
        target.namedBy === 'configuration'
          ? `Correct connections.${target.connection.name}.log_groups or its regions.`
          : 'Check the name in the condition on log_group_name, and the regions of the connection.',
      cause: cause.cause,
    },
  );
}
