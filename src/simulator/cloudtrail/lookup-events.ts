import { AwsError } from '../aws/aws-error.ts';
import { decodeToken, encodeToken, queryId } from '../aws/page-token.ts';
import type { Parameters } from '../aws/parameters.ts';
import type { HistoryEvent } from './event-history.ts';

const PAGE_EVENTS = 50;
/** "You can look up events that occurred in a Region within the last 90 days." */
const KEPT_MS = 90 * 86_400_000;

export function lookupEvents(parameters: Parameters, events: readonly HistoryEvent[], now: number): unknown {
  const attribute = attributeOf(parameters);
  const startTime = seconds(parameters, 'StartTime') ?? 0;
  const endTime = seconds(parameters, 'EndTime') ?? Number.MAX_SAFE_INTEGER;
  if (startTime > endTime) throw new AwsError('InvalidTimeRangeException', 'startTime must not be after endTime.');
  const most = maxResults(parameters);
  const query = queryId(attribute, startTime, endTime);
  const token = parameters.string('NextToken');
  const decoded = token === undefined ? { position: 0, serial: 0 } : decodeToken(token, query);
  if (decoded === undefined) throw new AwsError('InvalidNextTokenException', 'The token is invalid.');
  const found = events.filter(
    (event) =>
      event.time >= Math.max(startTime, now - KEPT_MS) &&
      Math.floor(event.time / 1000) * 1000 <= endTime &&
      (attribute === undefined || isNamed(event, attribute)),
  );
  const next = decoded.position + most;
  return {
    Events: found.slice(decoded.position, next).map(wire),
    ...(next < found.length && { NextToken: encodeToken({ query, position: next, serial: decoded.serial + 1 }) }),
  };
}

interface Attribute {
  readonly key: string;
  readonly value: string;
}

function attributeOf(parameters: Parameters): Attribute | undefined {
  const attributes = parameters.get('LookupAttributes') ?? [];
  if (!Array.isArray(attributes) || attributes.length > 1) throw invalidAttributes();
  const [first] = attributes as readonly Readonly<Record<string, unknown>>[];
  if (first === undefined) return undefined;
  const { AttributeKey: key, AttributeValue: value } = first;
  if (typeof key !== 'string' || !(key in TEXTS) || typeof value !== 'string' || value === '')
    throw invalidAttributes();
  return { key, value };
}

function invalidAttributes(): AwsError {
  return new AwsError('InvalidLookupAttributesException', 'Currently, only one lookup attribute can be specified.');
}

const text = (value: unknown): string[] => (typeof value === 'string' ? [value] : []);

const TEXTS: Readonly<Record<string, (event: HistoryEvent) => readonly string[]>> = {
  EventId: ({ record }) => text(record['eventID']),
  EventName: ({ record }) => text(record['eventName']),
  EventSource: ({ record }) => text(record['eventSource']),
  ReadOnly: ({ record }) => [readOnlyOf(record)],
  AccessKeyId: ({ record }) => text(accessKeyOf(record)),
  Username: ({ username }) => text(username),
  ResourceName: ({ resources }) => resources.map(({ ResourceName }) => ResourceName),
  ResourceType: ({ resources }) => resources.map(({ ResourceType }) => ResourceType),
};

/** Records have it as a boolean or as its text. */
function readOnlyOf({ readOnly }: HistoryEvent['record']): string {
  return readOnly === true || readOnly === 'true' ? 'true' : 'false';
}

function isNamed(event: HistoryEvent, { key, value }: Attribute): boolean {
  return TEXTS[key]?.(event).includes(value) === true;
}

function accessKeyOf({ userIdentity }: HistoryEvent['record']): unknown {
  return typeof userIdentity === 'object' && userIdentity !== null && 'accessKeyId' in userIdentity
    ? userIdentity.accessKeyId
    : undefined;
}

function maxResults(parameters: Parameters): number {
  const value = parameters.get('MaxResults') ?? PAGE_EVENTS;
  if (typeof value !== 'number' || value < 1 || value > PAGE_EVENTS) {
    throw new AwsError('InvalidMaxResultsException', `maxResults must be between 1 and ${PAGE_EVENTS}.`);
  }
  return value;
}

/** AWS JSON 1.1 sends times as seconds since the epoch. */
function seconds(parameters: Parameters, name: string): number | undefined {
  const value = parameters.get(name);
  if (value === undefined) return undefined;
  if (typeof value !== 'number') throw new AwsError('SerializationException', `${name} is not a number`);
  return value * 1000;
}

function wire({ time, record, username, resources }: HistoryEvent): unknown {
  const accessKeyId = accessKeyOf(record);
  return {
    EventId: record['eventID'],
    EventName: record['eventName'],
    ReadOnly: readOnlyOf(record),
    ...(typeof accessKeyId === 'string' && { AccessKeyId: accessKeyId }),
    EventTime: Math.floor(time / 1000),
    EventSource: record['eventSource'],
    ...(username !== undefined && { Username: username }),
    Resources: resources,
    CloudTrailEvent: JSON.stringify(record),
  };
}
