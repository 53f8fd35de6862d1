/** What every client of a connection is built with. */
export interface ClientOptions {
  readonly region: string | undefined;
  readonly profile: string | undefined;
  readonly endpointUrl: string | undefined;
  readonly credentials: CredentialsProvider;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

export type CredentialsProvider = () => Promise<Credentials>;

/** AWS closes a connection within seconds or not at all: a socket that says nothing for half a minute is dead. */
const CONNECT_MS = 5_000;
const SILENCE_MS = 30_000;

/** One attempt: hydrate/ retries, so that every attempt is counted, waits for the rate limit, and stops with the statement. */
export function sdkConfiguration(options: ClientOptions) {
  return {
    maxAttempts: 1,
    credentials: options.credentials,
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENCE_MS, requestTimeout: 0 },
    ...(options.region !== undefined && { region: options.region }),
    ...(options.profile !== undefined && { profile: options.profile }),
    // The SDK refuses an endpoint together with the FIPS and dual-stack variants that the environment may ask for.
    ...(options.endpointUrl !== undefined && {
      endpoint: options.endpointUrl,
      useFipsEndpoint: false,
      useDualstackEndpoint: false,
    }),
  };
}
