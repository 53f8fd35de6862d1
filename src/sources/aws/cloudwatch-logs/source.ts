import type { CallContext, Page, ScanPlan, ScanRequest, ScanSource } from '../../source.ts';
import { SourceError } from '../../source.ts';
import type { AwsConnection } from '../connection.ts';
import { LeftOut } from '../../left-out.ts';
import { mergeParts } from '../../merge-parts.ts';
import { type Delivered, type LogGroupRead, logGroupPart } from './read-log-group.ts';
import { type CompiledScan, PATHS, compileScan, describeScan } from './scan-plan.ts';
import { type Target, resolveTargets } from './targets.ts';

/** Log groups and shards of them read at once by one statement; each holds a page of up to 1 MB that was fetched ahead. */
const CONCURRENT_PARTS = 12;

/** CloudTrail events delivered to CloudWatch Logs, of all connections of kind aws, by FilterLogEvents. */
export function cloudwatchLogsSource(connections: readonly AwsConnection[]): ScanSource {
  return {
    kind: 'scan',
    plan: (request): ScanPlan => describeScan(compileScan(request, connections), request.table.name),
    scan: (request, context) => scan(request, compileScan(request, connections), context),
    close: () => Promise.resolve(),
  };
}

async function* scan(
  request: ScanRequest,
  compiled: CompiledScan,
  context: CallContext,
): AsyncGenerator<Page, void, undefined> {
  if (compiled.empty) return;
  const connections = compiled.connections.filter((connection) => compiled.timeRange(connection) !== undefined);
  const accounts = new LeftOut(context);
  const targets = await allTargets(connections, compiled, context, accounts);
  accounts.report(connections.length, 'connections');
  if (targets.length === 0) {
    if (accounts.count === 0) context.notice('NOTICE', nothingToRead(request));
    return;
  }
  const isLost = missingLogGroups(targets);
  const leftOut = new LeftOut(context);
  const parts = targets.flatMap((target) => {
    const range = compiled.timeRange(target.connection);
    if (range === undefined) return [];
    const asked = compiled.filters.flatMap((filter) => compiled.patterns.map((pattern) => ({ filter, pattern })));
    return asked.map(({ filter, pattern }) =>
      leftOut.of<Delivered>(nameOf(target), async function* part(partContext, divide) {
        try {
          const read = { target, range, filter, pattern, limit: request.limit };
          yield* logGroupPart(read, compiled)(partContext, divide);
        } catch (error) {
          if (!isNotFound(error)) throw error;
          if (isLost(target)) throw doesNotExist(target, targets, error);
          if (target.namedBy === 'trail') {
            context.notice(
              'WARNING',
              `log group ${target.logGroupName} in ${target.region} does not exist, although a trail of connection ${target.connection.name} delivers to it`,
            );
          }
        }
      }),
    );
  });
  let missing = request.limit ?? Number.POSITIVE_INFINITY;
  const unreadable = new Set<LogGroupRead>();
  for await (const delivered of mergeParts(parts, context, {
    concurrency: CONCURRENT_PARTS,
    asNeeded: true,
    tolerate: leftOut.tolerate,
  })) {
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
