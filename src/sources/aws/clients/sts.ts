import { onFirstUse } from './on-first-use.ts';
import { type ClientOptions, sdkConfiguration } from './options.ts';

export interface Sts {
  getCallerIdentity(signal: AbortSignal): Promise<{ readonly accountId: string | undefined }>;
  /** The region that the SDK finds in the environment and its files; throws where there is none. */
  region(): Promise<string>;
  destroy(): void;
}

export function stsClient(options: ClientOptions): Sts {
  const sdk = onFirstUse(async () => {
    const { STSClient, ...commands } = await import('@aws-sdk/client-sts');
    return { client: new STSClient(sdkConfiguration(options)), ...commands };
  });
  return {
    getCallerIdentity: async (signal) => {
      const { client, GetCallerIdentityCommand } = await sdk.get();
      const answer = await client.send(new GetCallerIdentityCommand({}), { abortSignal: signal });
      return { accountId: answer.Account };
    },
    region: async () => (await sdk.get()).client.config.region(),
    destroy: () => sdk.ifUsed(({ client }) => client.destroy()),
  };
}
