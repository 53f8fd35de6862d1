import { sendRaw } from '../send-raw.ts';
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

export interface FilterLogEventsAnswer {
  readonly events: readonly FilteredLogEvent[];
  readonly nextToken: string | undefined;
  readonly bytes: number;
}

export interface Logs {
  /** Throws SyntaxError where the answer is not what the API says. */
  filterLogEvents(request: FilterLogEventsRequest, signal: AbortSignal): Promise<FilterLogEventsAnswer>;
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
      const { value, bytes } = await sendRaw(new FilterLogEventsCommand({ ...request }), (command) =>
        client.send(command, { abortSignal: signal }),
      );
      if (typeof value !== 'object' || value === null) throw new SyntaxError('not an object');
      const { events = [], nextToken } = value as Partial<FilterLogEventsAnswer>;
      if (!Array.isArray(events)) throw new SyntaxError('no list of events');
      return { events: events as readonly FilteredLogEvent[], nextToken: nextToken ?? undefined, bytes };
    },
    destroy: () => sdk.ifUsed(({ client }) => client.destroy()),
  };
}
