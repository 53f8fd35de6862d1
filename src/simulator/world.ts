import type { AbuseIpdbAnswer } from './abuseipdb/answer.ts';
import type { SyntheticEventsOptions } from './logs/synthetic-events.ts';

/** What the simulator serves. All of it is plain data (JSON), but for `AbuseIpdbWorld.check` as a function. */
export interface World {
  readonly accounts: readonly Account[];
  readonly abuseipdb?: AbuseIpdbWorld | undefined;
}

export interface Account {
  /** 12 digits. */
  readonly accountId: string;
  /** Credentials that belong to it. Without them it takes every access key that no other account names. */
  readonly accessKeyIds?: readonly string[] | undefined;
  /** What AssumeRole into this account must send, where set. */
  readonly externalId?: string | undefined;
  /** The enabled ones, us-east-1 among them as in every account. A request for another one is refused. */
  readonly regions: readonly Region[];
  readonly trails?: readonly Trail[] | undefined;
  readonly buckets?: readonly Bucket[] | undefined;
}

export interface Region {
  readonly name: string;
  readonly logGroups?: readonly LogGroup[] | undefined;
  readonly detectors?: readonly Detector[] | undefined;
}

export interface LogGroup {
  readonly name: string;
  readonly events: LogEvents;
}

export type LogEvents =
  /** One CloudTrail record (or EventBridge envelope, or any text) a line; `.gz` is decompressed. One log stream a file. */
  | { readonly files: readonly string[]; readonly delivery?: Delivery | undefined }
  /** A string is served as it is, anything else as its JSON. */
  | { readonly records: readonly unknown[]; readonly delivery?: Delivery | undefined }
  /** Made while they are asked for, never held. */
  | { readonly synthetic: SyntheticEventsOptions };

/** When CloudTrail hands a record to CloudWatch Logs: the log event's timestamp is the record's eventTime plus a delay. */
export interface Delivery {
  /** Each record's delay is drawn (always the same one) from 0 to this many milliseconds; 15 minutes by default. */
  readonly maxDelayMs?: number | undefined;
  /** Milliseconds since the epoch, for records without an eventTime of which no record before has one either. */
  readonly fallbackTime?: number | undefined;
}

export interface Trail {
  readonly name: string;
  readonly homeRegion: string;
  /** A log group of the home region. */
  readonly logGroupName?: string | undefined;
  readonly s3BucketName?: string | undefined;
  readonly isMultiRegionTrail?: boolean | undefined;
  readonly isOrganizationTrail?: boolean | undefined;
  /** True where it is not said. */
  readonly isLogging?: boolean | undefined;
  readonly latestDeliveryError?: string | undefined;
  /** When it last delivered; a few minutes where it is not said. */
  readonly latestDeliveryMinutesAgo?: number | undefined;
  /** True where it is not said. */
  readonly logFileValidationEnabled?: boolean | undefined;
  /** As GetEventSelectors gives them; one kind of the two. Without them all management events are recorded. */
  readonly eventSelectors?: readonly unknown[] | undefined;
  readonly advancedEventSelectors?: readonly unknown[] | undefined;
}

/** Its objects are read by the account that has it, and by nobody else. */
export interface Bucket {
  readonly name: string;
  readonly region: string;
  readonly objects?: readonly BucketObject[] | undefined;
  /** What trails have delivered to it, gzipped, under the names that CloudTrail gives its files. */
  readonly trails?: readonly TrailFiles[] | undefined;
}

export type BucketObject = {
  readonly key: string;
  /** STANDARD by default; what is archived (GLACIER, DEEP_ARCHIVE) cannot be read. */
  readonly storageClass?: string | undefined;
} & ({ readonly text: string } | { readonly base64: string });

export interface TrailFiles {
  /** What stands before `AWSLogs/`. */
  readonly prefix?: string | undefined;
  /** `o-…`, of an organisation's trail. */
  readonly organizationId?: string | undefined;
  /** CloudTrail's records; their recipientAccountId and awsRegion say in whose folder each one is. */
  readonly records: readonly unknown[];
  readonly delivery?: Delivery | undefined;
  /** A file an account, region and so many minutes; 5 by default, as CloudTrail's. */
  readonly everyMinutes?: number | undefined;
}

export interface Detector {
  readonly detectorId: string;
  readonly status?: 'ENABLED' | 'DISABLED' | undefined;
  readonly findingPublishingFrequency?: 'FIFTEEN_MINUTES' | 'ONE_HOUR' | 'SIX_HOURS' | undefined;
  /** ISO 8601. */
  readonly createdAt?: string | undefined;
  readonly updatedAt?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Features whose status is not the default one, by name. */
  readonly features?: Readonly<Record<string, 'ENABLED' | 'DISABLED'>> | undefined;
  readonly findings: Findings;
}

/**
 * Each may be a finding as the API returns it (camelCase), as an SDK or the console prints it (PascalCase), an
 * EventBridge envelope, or `{ finding }`. Of several with the same id the last one stands.
 */
export type Findings =
  | { readonly records: readonly unknown[] }
  /** `.ndjson` (one a line) or `.json` (one, or an array); `.gz` is decompressed. */
  | { readonly files: readonly string[] };

export interface AbuseIpdbWorld {
  /** Keys that are let in; without it, any that is not empty. */
  readonly apiKeys?: readonly string[] | undefined;
  /**
   * Requests a UTC day, of every endpoint or of those that are named (`check`, `check-block`, `blacklist`, `reports`).
   * Without it, no limit and no X-RateLimit headers.
   */
  readonly dailyLimit?: number | Readonly<Record<string, number>> | undefined;
  /** The largest networks that may be checked; by default a free plan's. */
  readonly shortestPrefix?: { readonly ipv4: number; readonly ipv6: number } | undefined;
  readonly blacklist?:
    | {
        /** Addresses that the plan gives at most; 10,000 by default. */
        readonly most?: number | undefined;
        /** A plan that gives those with a score of 100 alone, whatever is asked. */
        readonly onlyCertain?: boolean | undefined;
        /** Addresses that are made, besides those of `check`. */
        readonly made?: number | undefined;
      }
    | undefined;
  /** By address; one that is not named gets an answer made from the address itself, always the same. */
  readonly check?:
    | Readonly<Record<string, Partial<AbuseIpdbAnswer>>>
    | ((ipAddress: string, maxAgeInDays: number) => Partial<AbuseIpdbAnswer>)
    | undefined;
}

/** For worlds that only need one account and one log group. */
export function singleLogGroup(events: LogEvents, findings: Findings = { records: [] }): World {
  return {
    accounts: [
      {
        accountId: '111122223333',
        regions: [
          {
            name: 'us-east-1',
            logGroups: [{ name: 'CloudTrail/GlobalServiceEvents', events }],
            detectors: [{ detectorId: '12abc34d567e8fa901bc2d34e56789f0', findings }],
          },
        ],
        trails: [
          {
            name: 'management-events',
            homeRegion: 'us-east-1',
            logGroupName: 'CloudTrail/GlobalServiceEvents',
            isMultiRegionTrail: true,
          },
        ],
      },
    ],
  };
}
