import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type ClientOptions, sdkConfiguration } from './options.ts';

export interface Sts {
  getCallerIdentity(signal: AbortSignal): Promise<{ readonly accountId: string | undefined }>;
  /** The region that the SDK finds in the environment and its files; throws where there is none. */
  region(): Promise<string>;
  destroy(): void;
}

export function stsClient(options: ClientOptions): Sts {
  const client = new STSClient(sdkConfiguration(options));
  return {
    getCallerIdentity: async (signal) => {
      const answer = await client.send(new GetCallerIdentityCommand({}), { abortSignal: signal });
      return { accountId: answer.Account };
    },
    region: () => client.config.region(),
    destroy: () => client.destroy(),
  };
}
