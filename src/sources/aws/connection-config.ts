import type { Credentials } from './clients/options.ts';

/** A connection of kind aws, as the configuration gives it; everything but the name is optional. */
export interface AwsConnectionConfig {
  readonly name: string;
  readonly profile?: string | undefined;
  /** What AWS_PROFILE says, for messages: the SDK reads it itself. */
  readonly environmentProfile?: string | undefined;
  readonly roleArn?: string | undefined;
  readonly externalId?: string | undefined;
  /** Names, or patterns with `*` and `?`. Default: those that the account has enabled. */
  readonly regions?: readonly string[] | undefined;
  /** Default: those that the account's trails deliver to. */
  readonly logGroups?: readonly string[] | undefined;
  /** How late CloudTrail may deliver, in milliseconds; `none`: nothing is assumed. Default 24 hours. */
  readonly deliverySlackMs?: number | 'none' | undefined;
  /** FilterLogEvents an account and region. Default 5, AWS's own limit. */
  readonly requestsPerSecond?: number | undefined;
  /** LookupEvents an account and region. Default 2, AWS's own limit. */
  readonly lookupRequestsPerSecond?: number | undefined;
  /** In place of AWS, for every service. Without it the SDK's own AWS_ENDPOINT_URL* apply. */
  readonly endpointUrl?: string | undefined;
  /** In place of the SDK's chain (the demo, tests). */
  readonly credentials?: Credentials | undefined;
  /** In place of the SDK's configured region (the demo, tests). */
  readonly region?: string | undefined;
}
