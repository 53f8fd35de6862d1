import type { CallContext } from '../../source.ts';
import { SourceError } from '../../source.ts';
import type { Target } from './targets.ts';

const PAGE_BYTES = 1_048_576;
const DAY_MS = 86_400_000;

/**
 * Says what reading all of a log group costs, as far as DescribeLogGroups tells: stored bytes are compressed, so that it
 * is more. Who may not ask is told no figures.
 */
export async function tellCost(target: Target, context: CallContext): Promise<void> {
  const { connection, region, logGroupName } = target;
  try {
    const limit = { key: `logs:DescribeLogGroups:${connection.name}:${region}`, concurrency: 1 };
    const call = { region, action: 'logs:DescribeLogGroups', subject: `log group ${logGroupName}` };
    const groups = await connection.call(context, limit, call, (signal) =>
      connection.logs(region).describeLogGroups(logGroupName, signal),
    );
    const group = groups.find((each) => each.logGroupName === logGroupName);
    if (group?.storedBytes === undefined || group.creationTime === undefined) return;
    const kept = group.retentionInDays ?? Number.POSITIVE_INFINITY;
    const days = Math.ceil(Math.min(kept, (Date.now() - group.creationTime) / DAY_MS));
    const requests = Math.ceil(group.storedBytes / PAGE_BYTES);
    const minutes = Math.ceil(requests / connection.requestsPerSecond / 60);
    context.notice(
      'NOTICE',
      `log group ${logGroupName} in ${region} has ${megabytes(group.storedBytes)} stored of ${days} days: all of it takes ${requests} requests or more, ${minutes} minutes at ${connection.requestsPerSecond} a second; bound timestamp or event_time from below`,
    );
  } catch (error) {
    // What reading costs is worth no failure.
    if (!(error instanceof SourceError)) throw error;
  }
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000_000).toLocaleString('en-US')} MB`;
}
