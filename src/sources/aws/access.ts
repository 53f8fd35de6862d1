import type { CallContext, RateLimit } from '../source.ts';
import { SourceError } from '../source.ts';
import { isRegionName, isRegionPattern } from '../regions.ts';
import type { ClientOptions, Credentials } from './clients/options.ts';
import { type Sts, stsClient } from './clients/sts.ts';
import type { AwsConnectionConfig } from './connection-config.ts';
import { credentialsProvider } from './credentials.ts';
import type { ProfileOrigin } from './credentials-hint.ts';
import { type CallDescription, toSourceError, unintelligible } from './errors.ts';

/** How a connection gets in: its credentials, its clients, and what a call of theirs that fails means. */
export class AwsAccess {
  readonly #config: AwsConnectionConfig;
  readonly #credentials: () => Promise<Credentials>;
  readonly #clients = new Map<string, { destroy(): void }>();

  constructor(config: AwsConnectionConfig) {
    const { profile, roleArn, externalId, endpointUrl, credentials } = config;
    this.#config = config;
    this.#credentials =
      credentials === undefined
        ? credentialsProvider({ profile, roleArn, externalId, endpointUrl, region: () => this.homeRegion() })
        : () => Promise.resolve(credentials);
  }

  get #profileOrigin(): ProfileOrigin | undefined {
    const { profile, environmentProfile } = this.#config;
    if (profile !== undefined) return { profile, setting: `connections.${this.#config.name}.profile` };
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

  /** One for each service and region, which nothing is called for before its first use. */
  client<T extends { destroy(): void }>(
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

  /** Sends by the statement's context, so that limits, retries and cancel apply, and says of an error what it means. */
  async call<T>(
    context: CallContext,
    limit: RateLimit,
    call: Omit<CallDescription, 'connection' | 'credentials'>,
    send: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const description = {
      ...call,
      connection: this.#config.name,
      credentials: this.credentialsDescription,
      profile: this.#profileOrigin,
    };
    return context.call({ ...limit, connection: this.#config.name }, async (signal) => {
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

  /** Where the calls that belong to no region go. */
  async homeRegion(): Promise<string> {
    const { name, region, regions } = this.#config;
    const configured = region ?? regions?.find((each) => !isRegionPattern(each));
    if (configured !== undefined) {
      if (!isRegionName(configured)) throw noRegion(name, configured);
      return configured;
    }
    const sts = this.client<Sts>('sts', undefined, stsClient);
    try {
      return await sts.region();
    } catch (error) {
      throw new SourceError('credentials', name, `connection ${name} has no region`, {
        detail: 'Neither the configuration nor the AWS SDK (environment, profile) names one.',
        hint: `Set AWS_REGION, or connections.${name}.regions.`,
        cause: error,
      });
    }
  }

  close(): void {
    for (const client of this.#clients.values()) client.destroy();
    this.#clients.clear();
  }
}

/** Of calls of which a connection makes few. */
export function controlLimit(service: string, connection: string, region: string): RateLimit {
  return { key: `${service}:${connection}:${region}`, concurrency: 4 };
}

/** A region, or a pattern of regions, that the account does not have. */
export function noRegion(connection: string, name: string): SourceError {
  return new SourceError('not_found', connection, `"${name}" is no region that connection ${connection} can use`, {
    detail: isRegionPattern(name) ? 'No enabled region matches it.' : 'Regions are named as us-east-1 is.',
    hint: `Correct connections.${connection}.regions, or enable the region in the account.`,
  });
}
