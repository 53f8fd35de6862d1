import type { LogGroups } from '../logs/log-groups.ts';
import { recordTime } from '../logs/record-time.ts';
import type { Account, Region } from '../world.ts';

/** An event as LookupEvents gives it, and what it is looked up by. */
export interface HistoryEvent {
  readonly time: number;
  readonly record: Json;
  readonly username: string | undefined;
  readonly resources: readonly { readonly ResourceType: string; readonly ResourceName: string }[];
}

export type Json = Readonly<Record<string, unknown>>;

/** Management events of all log groups of an account, by the region that they say they happened in, each once, newest first. */
export class EventHistory {
  readonly #logGroups: LogGroups;
  readonly #events = new Map<Account, ReadonlyMap<string, readonly HistoryEvent[]>>();

  constructor(logGroups: LogGroups) {
    this.#logGroups = logGroups;
  }

  of(account: Account, region: Region): readonly HistoryEvent[] {
    let events = this.#events.get(account);
    if (events === undefined) this.#events.set(account, (events = this.#read(account)));
    return events.get(region.name) ?? [];
  }

  #read(account: Account): ReadonlyMap<string, readonly HistoryEvent[]> {
    const byRegion = new Map<string, Map<string, HistoryEvent>>();
    for (const { store } of account.regions.flatMap((region) => this.#logGroups.of(account, region))) {
      for (let position = 0; position < store.size; position += 1) {
        const message = store.message(position);
        const time = recordTime(message);
        const record = recordIn(message);
        if (time === undefined || record === undefined || !isManagementEvent(record)) continue;
        const { awsRegion, eventID } = record;
        if (typeof awsRegion !== 'string') continue;
        const events = byRegion.get(awsRegion) ?? new Map<string, HistoryEvent>();
        byRegion.set(awsRegion, events);
        events.set(String(eventID), { time, record, username: usernameOf(record), resources: resourcesOf(record) });
      }
    }
    return new Map(
      [...byRegion].map(([region, events]) => [region, [...events.values()].sort((a, b) => b.time - a.time)]),
    );
  }
}

function recordIn(message: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(message);
    if (!isObject(value)) return undefined;
    return typeof value['detail-type'] === 'string' && isObject(value['detail']) ? value['detail'] : value;
  } catch {
    return undefined;
  }
}

function isManagementEvent({ managementEvent, eventCategory = 'Management' }: Json): boolean {
  return managementEvent !== false && eventCategory === 'Management';
}

/** Of a role the name of its session, which its ARN ends in. */
function usernameOf({ userIdentity }: Json): string | undefined {
  if (!isObject(userIdentity)) return undefined;
  const { type, userName, arn } = userIdentity;
  if (typeof userName === 'string') return userName;
  if (type === 'Root') return 'root';
  return type === 'AssumedRole' && typeof arn === 'string' ? arn.split('/').at(-1) : undefined;
}

const NAMED_BY: Readonly<Record<string, string>> = {
  bucketName: 'AWS::S3::Bucket',
  userName: 'AWS::IAM::User',
  roleName: 'AWS::IAM::Role',
  roleArn: 'AWS::IAM::Role',
  accessKeyId: 'AWS::IAM::AccessKey',
  instanceId: 'AWS::EC2::Instance',
  trailName: 'AWS::CloudTrail::Trail',
};

function resourcesOf({ requestParameters }: Json): HistoryEvent['resources'] {
  if (!isObject(requestParameters)) return [];
  return Object.entries(NAMED_BY).flatMap(([parameter, ResourceType]) => {
    const name = requestParameters[parameter];
    return typeof name === 'string' ? [{ ResourceType, ResourceName: name }] : [];
  });
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
