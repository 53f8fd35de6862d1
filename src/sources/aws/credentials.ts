import type { Credentials, CredentialsProvider } from './clients/options.ts';

export interface CredentialsSettings {
  readonly profile: string | undefined;
  readonly roleArn: string | undefined;
  readonly externalId: string | undefined;
  readonly endpointUrl: string | undefined;
  /** Where STS is asked for the role. */
  readonly region: () => Promise<string>;
}

/** As AWS's own SDKs: renewed when less than five minutes are left. */
const RENEWAL_MS = 5 * 60_000;

/**
 * The SDK's default chain (of a profile, where one is named), or a role assumed with what the chain gives. Nothing is
 * looked up before the first call; all clients of a connection share the answer.
 */
export function credentialsProvider(settings: CredentialsSettings): CredentialsProvider {
  const { profile, roleArn, externalId, endpointUrl } = settings;
  return shared(async () => {
    // Loaded when they are needed, as the clients are.
    const { fromNodeProviderChain, fromTemporaryCredentials } = await import('@aws-sdk/credential-providers');
    const chain = fromNodeProviderChain(profile === undefined ? {} : { profile });
    if (roleArn === undefined) return chain();
    const region = await settings.region();
    const assume = fromTemporaryCredentials({
      masterCredentials: chain,
      params: {
        RoleArn: roleArn,
        RoleSessionName: 'trailhound',
        ...(externalId !== undefined && { ExternalId: externalId }),
      },
      clientConfig: { region, ...(endpointUrl !== undefined && { endpoint: endpointUrl }) },
    });
    return assume();
  });
}

function shared(provide: CredentialsProvider): CredentialsProvider {
  let pending: Promise<Credentials> | undefined;
  let expires = Number.POSITIVE_INFINITY;
  return () => {
    if (pending === undefined || Date.now() > expires - RENEWAL_MS) {
      expires = Number.POSITIVE_INFINITY;
      const attempt = provide();
      pending = attempt;
      attempt.then(
        (credentials) => {
          expires = credentials.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
        },
        () => {
          if (pending === attempt) pending = undefined;
        },
      );
    }
    return pending;
  };
}
