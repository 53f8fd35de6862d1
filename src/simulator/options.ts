import type { FilterLogEventsOptions } from './logs/filter-log-events.ts';
import type { ServiceName } from './service.ts';
import type { World } from './world.ts';

export interface SimulatorOptions {
  readonly world: World;
  /** Milliseconds that each answer of a service waits. */
  readonly latency?: Partial<Record<ServiceName, number>> | undefined;
  /** Requests a second, for each account, region and operation; more are throttled. FilterLogEvents' own limit is 5. */
  readonly rateLimits?: Partial<Record<ServiceName, number>> | undefined;
  readonly logs?: Omit<FilterLogEventsOptions, 'notEqualMatchesMissing'> | undefined;
  /** Keys in a page of ListObjectsV2 at most; 1,000 by default, as in S3. */
  readonly s3?: { readonly pageSize?: number | undefined } | undefined;
  /**
   * What AWS does not document: whether `!=` (logs) and `notEquals` (GuardDuty) are true of a missing field. False by
   * default; a client must give the same rows with either.
   */
  readonly notEqualMatchesMissing?: boolean | undefined;
  /** Milliseconds since the epoch; for quotas and for when an address was last reported. */
  readonly now?: (() => number) | undefined;
}
