import { onFirstUse } from './on-first-use.ts';
import { type ClientOptions, sdkConfiguration } from './options.ts';

export interface CloudTrail {
  /** The trails that record this region, those of other home regions included. */
  describeTrails(signal: AbortSignal): Promise<readonly Trail[]>;
  destroy(): void;
}

export interface Trail {
  readonly name: string;
  /** `arn:aws:logs:us-east-1:111122223333:log-group:CloudTrail/All:*` */
  readonly logGroupArn: string | undefined;
}

export function cloudTrailClient(options: ClientOptions): CloudTrail {
  const sdk = onFirstUse(async () => {
    const { CloudTrailClient, ...commands } = await import('@aws-sdk/client-cloudtrail');
    return { client: new CloudTrailClient(sdkConfiguration(options)), ...commands };
  });
  return {
    describeTrails: async (signal) => {
      const { client, DescribeTrailsCommand } = await sdk.get();
      const answer = await client.send(new DescribeTrailsCommand({ includeShadowTrails: true }), {
        abortSignal: signal,
      });
      return (answer.trailList ?? []).map((trail) => ({
        name: trail.Name ?? trail.TrailARN ?? '?',
        logGroupArn: trail.CloudWatchLogsLogGroupArn,
      }));
    },
    destroy: () => sdk.ifUsed(({ client }) => client.destroy()),
  };
}
