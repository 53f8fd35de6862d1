import { LeftOut } from '../left-out.ts';
import { type Part, mergeParts } from '../merge-parts.ts';
import type { CallContext, RateLimit } from '../source.ts';
import { SourceError } from '../source.ts';
import { type Account, accountClient } from './clients/account.ts';
import { type CloudTrail, type Trail, cloudTrailClient } from './clients/cloudtrail.ts';
import { type GuardDuty, guardDutyClient } from './clients/guardduty.ts';
import { type Logs, logsClient } from './clients/logs.ts';
import type { ClientOptions, Credentials } from './clients/options.ts';
import { type S3, s3Client } from './clients/s3.ts';
import { type Sts, stsClient } from './clients/sts.ts';
import { credentialsProvider } from './credentials.ts';
import type { ProfileOrigin } from './credentials-hint.ts';
import { type CallDescription, isAccessDenied, toSourceError, unintelligible } from './errors.ts';
import { isRegionName, isRegionPattern, matchesRegion } from '../regions.ts';

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

const DELIVERY_SLACK_MS = 24 * 3_600_000;
/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html: FilterLogEvents. */
const REQUESTS_PER_SECOND = 5;
/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html */
const LOOKUP_REQUESTS_PER_SECOND = 2;
/** Trails and regions change rarely; what was found out is asked for again after this time. */
const REMEMBERED_MS = 10 * 60_000;

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

  readonly #config: AwsConnectionConfig;
  readonly #credentials: () => Promise<Credentials>;
  readonly #clients = new Map<string, { destroy(): void }>();
  readonly #accountId = new Remembered<string | null>(REMEMBERED_MS);
  readonly #regions = new Remembered<{ readonly names: readonly string[]; readonly warning?: string }>(REMEMBERED_MS);
  readonly #trailLogGroups = new Remembered<readonly TrailLogGroup[]>(REMEMBERED_MS);

  constructor(config: AwsConnectionConfig) {
    const { credentials } = config;
    this.name = config.name;
    this.logGroups = config.logGroups;
    const slack = config.deliverySlackMs ?? DELIVERY_SLACK_MS;
    this.deliverySlackMs = slack === 'none' ? undefined : slack;
    this.requestsPerSecond = config.requestsPerSecond ?? REQUESTS_PER_SECOND;
    this.lookupRequestsPerSecond = config.lookupRequestsPerSecond ?? LOOKUP_REQUESTS_PER_SECOND;
    this.regionPatterns = config.regions;
    this.#config = config;
    this.#credentials =
      credentials === undefined
        ? credentialsProvider({
            profile: config.profile,
            roleArn: config.roleArn,
            externalId: config.externalId,
            endpointUrl: config.endpointUrl,
            region: () => this.homeRegion(),
          })
        : () => Promise.resolve(credentials);
  }

  get #profileOrigin(): ProfileOrigin | undefined {
    const { profile, environmentProfile } = this.#config;
    if (profile !== undefined) return { profile, setting: `connections.${this.name}.profile` };
    return environmentProfile === undefined ? undefined : { profile: environmentProfile, setting: 'AWS_PROFILE' };
  }

  /** For messages: where its credentials come from. */
  get credentialsDescription(): string {
    const { roleArn, credentials } = this.#config;
    const origin = this.#profileOrigin;
    if (credentials !== undefined) return 'the configured access key';
    const chain =
      origin === undefined
        ? "the AWS SDK's default chain (environment, profile, container, instance)"
        : `profile ${origin.profile} (${origin.setting})`;
    return roleArn === undefined ? chain : `${roleArn} assumed with ${chain}`;
  }

  logs(region: string): Logs {
    return this.#client('logs', region, logsClient);
  }

  cloudTrail(region: string): CloudTrail {
    return this.#client('cloudtrail', region, cloudTrailClient);
  }

  guardDuty(region: string): GuardDuty {
    return this.#client('guardduty', region, guardDutyClient);
  }

  s3(region: string): S3 {
    return this.#client('s3', region, s3Client);
  }

  /** Sends by the statement's context, so that limits, retries and cancel apply, and says of an error what it means. */
  async call<T>(
    context: CallContext,
    limit: RateLimit,
    call: Omit<CallDescription, 'connection' | 'credentials'>,
    send: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const description = {
      ...call,
      connection: this.name,
      credentials: this.credentialsDescription,
      profile: this.#profileOrigin,
    };
    return context.call({ ...limit, connection: this.name }, async (signal) => {
      try {
        return await send(signal);
      } catch (error) {
        signal.throwIfAborted();
        throw error instanceof SyntaxError && !('$metadata' in error)
          ? unintelligible(description, error)
          : toSourceError(error, description);
      }
    });
  }

  /** Undefined where the connection's identity is not allowed to ask. */
  async accountId(context: CallContext): Promise<string | undefined> {
    const known = await this.#accountId.get(async () => {
      const region = await this.homeRegion();
      const sts = this.#client<Sts>('sts', region, stsClient);
      try {
        const call = { region, action: 'sts:GetCallerIdentity' };
        const answer = await this.call(context, this.#controlLimit('sts', region), call, (signal) =>
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
  async regions(context: CallContext): Promise<readonly string[]> {
    const { names, warning } = await this.#regions.get(async () => {
      const patterns = this.regionPatterns;
      return patterns === undefined
        ? this.#defaultRegions(context)
        : { names: await this.#matchingRegions(patterns, context) };
    });
    if (warning !== undefined) context.notice('WARNING', warning);
    return names;
  }

  /** The log groups that trails recording these regions deliver to, in whichever region those stand. */
  async trailLogGroups(regions: readonly string[], context: CallContext): Promise<readonly TrailLogGroup[]> {
    const leftOut = new LeftOut(context);
    const groups = await this.#trailLogGroups.get(async () => {
      const trails: Trail[] = [];
      const parts = regions.map((region) => leftOut.of(region, this.#trailsOf(region)));
      const options = { concurrency: Number.POSITIVE_INFINITY, tolerate: leftOut.tolerate };
      for await (const some of mergeParts(parts, context, options)) trails.push(...some);
      const found = new Map<string, TrailLogGroup>();
      for (const trail of trails) {
        const group = logGroupOf(trail.logGroupArn);
        if (group !== undefined)
          found.set(`${group.accountId}/${group.region}/${group.name}`, { ...group, trail: trail.name });
      }
      return [...found].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, group]) => group);
    });
    // The next statement asks again.
    if (leftOut.count > 0) this.#trailLogGroups.forget();
    leftOut.report(regions.length, 'lists of trails');
    return groups;
  }

  #trailsOf(region: string): Part<readonly Trail[]> {
    const call = { region, action: 'cloudtrail:DescribeTrails' };
    const limit = this.#controlLimit('cloudtrail', region);
    const ask = (context: CallContext) =>
      this.call(context, limit, call, (signal) => this.cloudTrail(region).describeTrails(signal));
    return async function* trailsOf(context) {
      yield (await ask(context)).trails;
    };
  }

  close(): void {
    for (const client of this.#clients.values()) client.destroy();
    this.#clients.clear();
  }

  /** Where the calls that belong to no region go. */
  async homeRegion(): Promise<string> {
    const configured = this.#config.region ?? this.regionPatterns?.find((region) => !isRegionPattern(region));
    if (configured !== undefined) {
      if (!isRegionName(configured)) throw this.#badRegion(configured);
      return configured;
    }
    const sts = this.#client<Sts>('sts', undefined, stsClient);
    try {
      return await sts.region();
    } catch (error) {
      throw new SourceError('credentials', this.name, `connection ${this.name} has no region`, {
        detail: 'Neither the configuration nor the AWS SDK (environment, profile) names one.',
        hint: `Set AWS_REGION, or connections.${this.name}.regions.`,
        cause: error,
      });
    }
  }

  async #matchingRegions(patterns: readonly string[], context: CallContext): Promise<readonly string[]> {
    const misspelt = patterns.find((pattern) => !isRegionPattern(pattern) && !isRegionName(pattern));
    if (misspelt !== undefined) throw this.#badRegion(misspelt);
    if (!patterns.some(isRegionPattern)) return [...new Set(patterns)];
    const enabled = await this.#enabledRegions(context);
    const chosen = patterns.map((pattern) => {
      const matching = isRegionPattern(pattern)
        ? enabled.filter((region) => matchesRegion(pattern, region))
        : [pattern];
      if (matching.length === 0) throw this.#badRegion(pattern);
      return matching;
    });
    return [...new Set(chosen.flat())];
  }

  async #defaultRegions(
    context: CallContext,
  ): Promise<{ readonly names: readonly string[]; readonly warning?: string }> {
    try {
      return { names: await this.#enabledRegions(context) };
    } catch (error) {
      if (!isAccessDenied(error)) throw error;
      const home = await this.homeRegion();
      return {
        names: [home],
        warning: `connection ${this.name} may not list its regions (account:ListRegions): only ${home} is searched; name others in connections.${this.name}.regions`,
      };
    }
  }

  /** The SDK's own region comes first. */
  async #enabledRegions(context: CallContext): Promise<readonly string[]> {
    const home = await this.homeRegion();
    const account = this.#client<Account>('account', home, accountClient);
    const limit = this.#controlLimit('account', home);
    const enabled = new Set([home]);
    let nextToken: string | undefined;
    do {
      const token = nextToken;
      const call = { region: home, action: 'account:ListRegions' };
      const page = await this.call(context, limit, call, (signal) => account.listRegions(token, signal));
      for (const region of page.regions) enabled.add(region);
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return [...enabled];
  }

  #controlLimit(service: string, region: string): RateLimit {
    return { key: `${service}:${this.name}:${region}`, concurrency: 4 };
  }

  #badRegion(name: string): SourceError {
    return new SourceError('not_found', this.name, `"${name}" is no region that connection ${this.name} can use`, {
      detail: isRegionPattern(name) ? 'No enabled region matches it.' : 'Regions are named as us-east-1 is.',
      hint: `Correct connections.${this.name}.regions, or enable the region in the account.`,
    });
  }

  #client<T extends { destroy(): void }>(
    service: string,
    region: string | undefined,
    make: (options: ClientOptions) => T,
  ): T {
    const key = `${service}:${region ?? ''}`;
    const existing = this.#clients.get(key);
    if (existing !== undefined) return existing as T;
    const { profile, endpointUrl } = this.#config;
    const client = make({ region, profile, endpointUrl, credentials: this.#credentials });
    this.#clients.set(key, client);
    return client;
  }
}

export interface TrailLogGroup {
  readonly partition: string;
  readonly region: string;
  readonly accountId: string;
  readonly name: string;
  readonly trail: string;
}

export function createAwsConnection(config: AwsConnectionConfig): AwsConnection {
  return new AwsConnection(config);
}

/** `arn:aws:logs:us-east-1:111122223333:log-group:CloudTrail/All:*` */
function logGroupOf(arn: string | undefined): Omit<TrailLogGroup, 'trail'> | undefined {
  const parts = /^arn:([^:]+):logs:([^:]+):(\d+):log-group:([^:]+)(?::\*)?$/.exec(arn ?? '');
  if (parts === null) return undefined;
  const [, partition = '', region = '', accountId = '', name = ''] = parts;
  return { partition, region, accountId, name };
}

/** What is asked for once in a while. A failure is not remembered, and nobody waits for another statement's call. */
class Remembered<T> {
  #known: { readonly value: T; readonly until: number } | undefined;
  readonly #milliseconds: number;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  forget(): void {
    this.#known = undefined;
  }

  async get(ask: () => Promise<T>): Promise<T> {
    const now = Date.now();
    if (this.#known !== undefined && now < this.#known.until) return this.#known.value;
    const value = await ask();
    this.#known = { value, until: now + this.#milliseconds };
    return value;
  }
}
