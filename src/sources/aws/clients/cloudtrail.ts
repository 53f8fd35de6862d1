import { type RawAnswer, sendRaw } from '../send-raw.ts';
import { onFirstUse } from './on-first-use.ts';
import { type ClientOptions, sdkConfiguration } from './options.ts';

/** Bodies are as on the wire; throws SyntaxError where one is not what the API says. */
export interface CloudTrail {
  /** The trails that record this region, those of other home regions included. */
  describeTrails(signal: AbortSignal): Promise<Trails>;
  /** By ARN: of a trail of another home region, too. */
  getTrailStatus(arn: string, signal: AbortSignal): Promise<Body>;
  getEventSelectors(arn: string, signal: AbortSignal): Promise<Body>;
  lookupEvents(request: LookupEventsRequest, signal: AbortSignal): Promise<LookupEventsAnswer>;
  destroy(): void;
}

/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html */
export interface LookupEventsRequest {
  readonly attribute: { readonly key: LookupAttributeKey; readonly value: string } | undefined;
  /** Whole seconds are compared. */
  readonly startTime: Date | undefined;
  readonly endTime: Date | undefined;
  readonly nextToken: string | undefined;
}

export type LookupAttributeKey =
  'EventId' | 'AccessKeyId' | 'Username' | 'ResourceName' | 'EventName' | 'EventSource' | 'ResourceType' | 'ReadOnly';

export interface LookupEventsAnswer {
  readonly events: readonly LookedUpEvent[];
  readonly nextToken: string | undefined;
  readonly bytes: number;
}

export interface LookedUpEvent {
  readonly EventId?: string;
  /** Seconds since the epoch. */
  readonly EventTime?: number;
  readonly Username?: string;
  readonly Resources?: readonly { readonly ResourceType?: string; readonly ResourceName?: string }[];
  readonly CloudTrailEvent?: string;
}

export interface Trails {
  readonly trails: readonly Trail[];
  readonly bytes: number;
}

/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Trail.html */
export interface Trail {
  readonly name: string;
  readonly arn: string;
  /** `arn:aws:logs:us-east-1:111122223333:log-group:CloudTrail/All:*` */
  readonly logGroupArn: string | undefined;
  readonly value: Readonly<Record<string, unknown>>;
}

export interface Body {
  readonly value: Readonly<Record<string, unknown>>;
  readonly bytes: number;
}

export function cloudTrailClient(options: ClientOptions): CloudTrail {
  const sdk = onFirstUse(async () => {
    const { CloudTrailClient, ...commands } = await import('@aws-sdk/client-cloudtrail');
    return { client: new CloudTrailClient(sdkConfiguration(options)), ...commands };
  });
  return {
    describeTrails: async (signal) => {
      const { client, DescribeTrailsCommand } = await sdk.get();
      const { value, bytes } = bodyOf(
        await sendRaw(new DescribeTrailsCommand({ includeShadowTrails: true }), (command) =>
          client.send(command, { abortSignal: signal }),
        ),
      );
      const { trailList } = value;
      if (!Array.isArray(trailList)) throw new SyntaxError('no list of trails');
      return { trails: trailList.map((trail) => trailOf(asObject(trail))), bytes };
    },
    getTrailStatus: async (arn, signal) => {
      const { client, GetTrailStatusCommand } = await sdk.get();
      return bodyOf(
        await sendRaw(new GetTrailStatusCommand({ Name: arn }), (command) =>
          client.send(command, { abortSignal: signal }),
        ),
      );
    },
    getEventSelectors: async (arn, signal) => {
      const { client, GetEventSelectorsCommand } = await sdk.get();
      return bodyOf(
        await sendRaw(new GetEventSelectorsCommand({ TrailName: arn }), (command) =>
          client.send(command, { abortSignal: signal }),
        ),
      );
    },
    lookupEvents: async ({ attribute, startTime, endTime, nextToken }, signal) => {
      const { client, LookupEventsCommand } = await sdk.get();
      const command = new LookupEventsCommand({
        LookupAttributes: attribute && [{ AttributeKey: attribute.key, AttributeValue: attribute.value }],
        StartTime: startTime,
        EndTime: endTime,
        NextToken: nextToken,
      });
      const { value, bytes } = bodyOf(await sendRaw(command, (one) => client.send(one, { abortSignal: signal })));
      const { Events: events = [], NextToken: next } = value;
      if (!Array.isArray(events)) throw new SyntaxError('no list of events');
      return {
        events: events as readonly LookedUpEvent[],
        nextToken: typeof next === 'string' && next !== '' ? next : undefined,
        bytes,
      };
    },
    destroy: () => sdk.ifUsed(({ client }) => client.destroy()),
  };
}

function trailOf(value: Readonly<Record<string, unknown>>): Trail {
  const { TrailARN: arn, Name: name, CloudWatchLogsLogGroupArn: logGroupArn } = value;
  if (typeof arn !== 'string') throw new SyntaxError('a trail without an ARN');
  return {
    name: typeof name === 'string' ? name : arn,
    arn,
    logGroupArn: typeof logGroupArn === 'string' ? logGroupArn : undefined,
    value,
  };
}

function bodyOf({ value, bytes }: RawAnswer): Body {
  return { value: asObject(value), bytes };
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('not an object');
  return value as Record<string, unknown>;
}
