import { CallScheduler } from '../hydrate/call-scheduler.ts';
import type { HydrationMetrics } from '../hydrate/metrics.ts';
import { RateLimiter } from '../hydrate/rate-limiter.ts';
import { systemClock } from '../kernel/clock.ts';
import type { AwsConnection } from '../sources/aws/connection.ts';
import { SourceError } from '../sources/source.ts';

/** A person waits for it: no long retries. */
const PATIENCE = { attempts: 2, waitMs: 2_000 };

/**
 * What a connection can see, in a line for a person: regions and log groups, found out by calls that every statement
 * would make, and that the connection then remembers. What stands in the way is said in their place. Rejects only when
 * aborted.
 */
export async function describeAws(
  connection: AwsConnection,
  metrics: HydrationMetrics,
  signal: AbortSignal,
): Promise<string> {
  const scheduler = new CallScheduler({
    clock: systemClock,
    limiter: new RateLimiter(systemClock),
    metrics,
    patience: PATIENCE,
    random: Math.random,
  });
  const context = scheduler.context({
    source: 'aws',
    signal,
    tally: { calls: 0, waitMs: 0 },
    partial: false,
    notice: () => undefined,
  });
  try {
    const regions = await connection.regions(context);
    const groups = connection.logGroups ?? (await connection.trailLogGroups(regions, context)).map(({ name }) => name);
    const found = connection.logGroups === undefined ? ' (found by DescribeTrails)' : '';
    const names = groups.length === 0 ? 'none: no trail delivers to CloudWatch Logs' : `${groups.join(', ')}${found}`;
    return `${connection.credentialsDescription}, ${regionsText(regions)}; log groups: ${names}`;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof SourceError)) return `cannot be described: ${String(error)}`;
    return error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
  }
}

function regionsText([first, ...others]: readonly string[]): string {
  if (first === undefined) return 'no region';
  if (others.length === 0) return first;
  return others.length < 4 ? [first, ...others].join(', ') : `${first} + ${others.length} enabled regions`;
}
