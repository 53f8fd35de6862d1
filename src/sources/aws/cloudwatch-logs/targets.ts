import type { CallContext } from '../../source.ts';
import { SourceError } from '../../source.ts';
import type { AwsConnection } from '../connection.ts';
import type { TrailLogGroup } from '../trail-log-groups.ts';
import { partitionOf } from '../../regions.ts';
import type { CompiledScan } from './scan-plan.ts';

/** One log group in one region, as one connection sees it. */
export interface Target {
  readonly connection: AwsConnection;
  readonly region: string;
  readonly partition: string;
  readonly accountId: string | undefined;
  readonly logGroupName: string;
  /**
   * Who says that it exists. What a statement or the configuration names must exist in one of the regions at least; a
   * trail may still name a log group that was deleted.
   */
  readonly namedBy: 'statement' | 'configuration' | 'trail';
}

/** The log groups to read through one connection; told, where conditions leave none. */
export async function resolveTargets(
  connection: AwsConnection,
  scan: CompiledScan,
  context: CallContext,
): Promise<readonly Target[]> {
  const regions = await connection.regions(context);
  if (!regions.some(scan.isRegionWanted)) return [];
  const accountId = await connection.accountId(context);
  if (accountId !== undefined && !scan.isAccountWanted(accountId)) return [];

  const names = scan.logGroupNames ?? connection.logGroups?.filter(scan.isLogGroupWanted);
  if (names === undefined) return trailTargets(connection, scan, context, regions, accountId);
  const namedBy = scan.logGroupNames === undefined ? 'configuration' : 'statement';
  return regions.filter(scan.isRegionWanted).flatMap((region) =>
    names.map((logGroupName) => ({
      connection,
      region,
      partition: partitionOf(region),
      accountId,
      logGroupName,
      namedBy,
    })),
  );
}

async function trailTargets(
  connection: AwsConnection,
  scan: CompiledScan,
  context: CallContext,
  regions: readonly string[],
  ownAccount: string | undefined,
): Promise<readonly Target[]> {
  const groups = await connection.trailLogGroups(regions, context);
  const readable = groups.filter((group) => isReadable(group, regions, ownAccount));
  const elsewhere = groups.filter((group) => !isReadable(group, regions, ownAccount));
  const described = elsewhere.map(({ name, region, accountId }) => `${name} in ${region} of account ${accountId}`);
  if (readable.length === 0) {
    throw new SourceError(
      'not_found',
      connection.name,
      `no trail of connection ${connection.name} delivers to a log group that it reads`,
      {
        detail:
          described.length === 0
            ? 'DescribeTrails names no CloudWatch Logs log group.'
            : `Trails deliver to ${described.join(', ')}; the connection reads its own account in ${regions.join(', ')}.`,
        hint: `Add a condition on log_group_name, set connections.${connection.name}.log_groups, or add a connection for that account and region.`,
      },
    );
  }
  if (described.length > 0) {
    context.notice(
      'NOTICE',
      `trails also deliver to ${described.join(', ')}, which connection ${connection.name} does not read`,
    );
  }
  return readable
    .filter(
      ({ region, name, accountId }) =>
        scan.isRegionWanted(region) && scan.isLogGroupWanted(name) && scan.isAccountWanted(accountId),
    )
    .map(({ partition, region, accountId, name }) => ({
      connection,
      region,
      partition,
      accountId,
      logGroupName: name,
      namedBy: 'trail',
    }));
}

function isReadable(group: TrailLogGroup, regions: readonly string[], ownAccount: string | undefined): boolean {
  return regions.includes(group.region) && (ownAccount === undefined || group.accountId === ownAccount);
}
