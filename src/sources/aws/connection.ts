import type { CallContext, RateLimit } from '../source.ts';
import { AwsAccess, controlLimit } from './access.ts';
import { type CloudTrail, cloudTrailClient } from './clients/cloudtrail.ts';
import { type GuardDuty, guardDutyClient } from './clients/guardduty.ts';
import { type Logs, logsClient } from './clients/logs.ts';
import { type S3, s3Client } from './clients/s3.ts';
import { type Sts, stsClient } from './clients/sts.ts';
import type { AwsConnectionConfig } from './connection-config.ts';
import { ConnectionRegions } from './connection-regions.ts';
import { type CallDescription, isAccessDenied } from './errors.ts';
import { Remembered } from './remembered.ts';
import { type TrailLogGroup, TrailLogGroups } from './trail-log-groups.ts';

const DELIVERY_SLACK_MS = 24 * 3_600_000;
/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html: FilterLogEvents. */
const REQUESTS_PER_SECOND = 5;
/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html */
const LOOKUP_REQUESTS_PER_SECOND = 2;
/** One account as seen by one identity. Nothing is resolved or called before the first use. */
export class AwsConnection {
  readonly name: string;
  readonly logGroups: readonly string[] | undefined;
  /** Undefined: an upper bound of event_time bounds no delivery time. */
  readonly deliverySlackMs: number | undefined;
  readonly requestsPerSecond: number;
  readonly lookupRequestsPerSecond: number;
  /** As configured: names and patterns. */
  readonly regionPatterns: readonly string[] | undefined;

  readonly #access: AwsAccess;
  readonly #regions: ConnectionRegions;
  readonly #trailLogGroups: TrailLogGroups;
  readonly #accountId = new Remembered<string | null>();

  constructor(config: AwsConnectionConfig) {
    this.name = config.name;
    this.logGroups = config.logGroups;
    const slack = config.deliverySlackMs ?? DELIVERY_SLACK_MS;
    this.deliverySlackMs = slack === 'none' ? undefined : slack;
    this.requestsPerSecond = config.requestsPerSecond ?? REQUESTS_PER_SECOND;
    this.lookupRequestsPerSecond = config.lookupRequestsPerSecond ?? LOOKUP_REQUESTS_PER_SECOND;
    this.regionPatterns = config.regions;
    this.#access = new AwsAccess(config);
    this.#regions = new ConnectionRegions(config.name, this.#access, config.regions);
    this.#trailLogGroups = new TrailLogGroups(config.name, this.#access);
  }

  /** For messages: where its credentials come from. */
  get credentialsDescription(): string {
    return this.#access.credentialsDescription;
  }

  logs(region: string): Logs {
    return this.#access.client('logs', region, logsClient);
  }

  cloudTrail(region: string): CloudTrail {
    return this.#access.client('cloudtrail', region, cloudTrailClient);
  }

  guardDuty(region: string): GuardDuty {
    return this.#access.client('guardduty', region, guardDutyClient);
  }

  s3(region: string): S3 {
    return this.#access.client('s3', region, s3Client);
  }

  /** Sends by the statement's context, so that limits, retries and cancel apply, and says of an error what it means. */
  async call<T>(
    context: CallContext,
    limit: RateLimit,
    call: Omit<CallDescription, 'connection' | 'credentials'>,
    send: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return this.#access.call(context, limit, call, send);
  }

  /** Undefined where the connection's identity is not allowed to ask. */
  async accountId(context: CallContext): Promise<string | undefined> {
    const known = await this.#accountId.get(async () => {
      const region = await this.homeRegion();
      const sts = this.#access.client<Sts>('sts', region, stsClient);
      try {
        const call = { region, action: 'sts:GetCallerIdentity' };
        const answer = await this.call(context, controlLimit('sts', this.name, region), call, (signal) =>
          sts.getCallerIdentity(signal),
        );
        return answer.accountId ?? null;
      } catch (error) {
        if (isAccessDenied(error)) return null;
        throw error;
      }
    });
    return known ?? undefined;
  }

  /** The configured regions, patterns replaced by the enabled regions that they match. Warns where it may not list those. */
  regions(context: CallContext): Promise<readonly string[]> {
    return this.#regions.all(context);
  }

  /** The log groups that trails recording these regions deliver to, in whichever region those stand. */
  trailLogGroups(regions: readonly string[], context: CallContext): Promise<readonly TrailLogGroup[]> {
    return this.#trailLogGroups.of(regions, context);
  }

  /** Where the calls that belong to no region go. */
  homeRegion(): Promise<string> {
    return this.#access.homeRegion();
  }

  close(): void {
    this.#access.close();
  }
}

export function createAwsConnection(config: AwsConnectionConfig): AwsConnection {
  return new AwsConnection(config);
}
