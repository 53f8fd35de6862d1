import { onFirstUse } from './on-first-use.ts';
import { type ClientOptions, sdkConfiguration } from './options.ts';

export interface Account {
  /** One page of the regions that the account can use. */
  listRegions(nextToken: string | undefined, signal: AbortSignal): Promise<RegionPage>;
  destroy(): void;
}

export interface RegionPage {
  readonly regions: readonly string[];
  readonly nextToken: string | undefined;
}

export function accountClient(options: ClientOptions): Account {
  const sdk = onFirstUse(async () => {
    const { AccountClient, ...commands } = await import('@aws-sdk/client-account');
    return { client: new AccountClient(sdkConfiguration(options)), ...commands };
  });
  return {
    listRegions: async (nextToken, signal) => {
      const { client, ListRegionsCommand } = await sdk.get();
      const command = new ListRegionsCommand({
        RegionOptStatusContains: ['ENABLED', 'ENABLED_BY_DEFAULT'],
        MaxResults: 50,
        NextToken: nextToken,
      });
      const answer = await client.send(command, { abortSignal: signal });
      const names = (answer.Regions ?? []).map((region) => region.RegionName);
      return { regions: names.filter((name) => name !== undefined), nextToken: answer.NextToken };
    },
    destroy: () => sdk.ifUsed(({ client }) => client.destroy()),
  };
}
