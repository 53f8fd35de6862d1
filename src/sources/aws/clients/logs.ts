import { sendForBody, sendRaw } from '../send-raw.ts';
import { onFirstUse } from './on-first-use.ts';
import { type ClientOptions, sdkConfiguration } from './options.ts';

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html */
export interface FilterLogEventsRequest {
  readonly logGroupName: string;
  readonly logStreamNamePrefix?: string | undefined;
  /** Milliseconds since the epoch, both inclusive. */
  readonly startTime?: number | undefined;
  readonly endTime?: number | undefined;
  readonly filterPattern?: string | undefined;
  readonly nextToken?: string | undefined;
  readonly limit?: number | undefined;
}

export interface FilteredLogEvent {
  readonly eventId?: string;
  readonly logStreamName?: string;
  readonly timestamp?: number;
  readonly message?: string;
}

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html */
export interface LogGroup {
  readonly logGroupName?: string;
  /** Milliseconds since the epoch. */
  readonly creationTime?: number;
  readonly storedBytes?: number;
  readonly retentionInDays?: number;
}

export interface Logs {
  /** The answer's body as it came. */
  filterLogEvents(request: FilterLogEventsRequest, signal: AbortSignal): Promise<Buffer>;
  /** Those whose names begin so, the first 50. Throws SyntaxError where the answer is not what the API says. */
  describeLogGroups(prefix: string, signal: AbortSignal): Promise<readonly LogGroup[]>;
  destroy(): void;
}

export function logsClient(options: ClientOptions): Logs {
  const sdk = onFirstUse(async () => {
    const { CloudWatchLogsClient, ...commands } = await import('@aws-sdk/client-cloudwatch-logs');
    return { client: new CloudWatchLogsClient(sdkConfiguration(options)), ...commands };
  });
  return {
    filterLogEvents: async (request, signal) => {
      const { client, FilterLogEventsCommand } = await sdk.get();
      return sendForBody(new FilterLogEventsCommand({ ...request }), (command) =>
        client.send(command, { abortSignal: signal }),
      );
    },
    describeLogGroups: async (prefix, signal) => {
      const { client, DescribeLogGroupsCommand } = await sdk.get();
      const { value } = await sendRaw(new DescribeLogGroupsCommand({ logGroupNamePrefix: prefix }), (command) =>
        client.send(command, { abortSignal: signal }),
      );
      const { logGroups = [] } = value as { logGroups?: unknown };
      if (!Array.isArray(logGroups)) throw new SyntaxError('no list of log groups');
      return logGroups as readonly LogGroup[];
    },
    destroy: () => sdk.ifUsed(({ client }) => client.destroy()),
  };
}
