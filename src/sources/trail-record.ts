import { parseExactly } from './exact-number.ts';

/** CloudTrail's records as they are delivered: bare, or within what others put around them. */

export type Json = Readonly<Record<string, unknown>>;

export interface TrailRecord {
  /** The record itself. */
  readonly value: Json;
  /** The record's own text; undefined where it stands as an object within another one. */
  readonly text: string | undefined;
}

/**
 * Of a bare record, of EventBridge's envelope (`detail-type`, `detail`), or of an event as LookupEvents gives it, whose
 * `CloudTrailEvent` is the record's text. Undefined for a text that is no JSON object. Runs for millions of records.
 */
export function parseTrailRecord(text: string): TrailRecord | undefined {
  const value = parseObject(text);
  const inner = value?.['CloudTrailEvent'];
  if (value === undefined || typeof inner !== 'string') return value && delivered(value, text);
  const record = parseObject(inner);
  return record && { value: record, text: inner };
}

/** Of the first two forms alone, in which CloudWatch Logs' filter patterns look for a record's fields. */
export function parseLoggedRecord(text: string): TrailRecord | undefined {
  const value = parseObject(text);
  return value && delivered(value, text);
}

/** Every event has them: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html */
export const EVENT_FIELDS = ['eventTime', 'eventName', 'eventSource'] as const;

/** Whether anything says so: what people have cut out of records has some of these fields, digests and snapshots have none. */
export function isTrailEvent(value: Json): boolean {
  return EVENT_FIELDS.some((name) => (value[name] ?? null) !== null);
}

function delivered(value: Json, text: string): TrailRecord {
  const { detail } = value;
  return typeof value['detail-type'] === 'string' && isObject(detail)
    ? { value: detail, text: undefined }
    : { value, text };
}

function parseObject(text: string): Json | undefined {
  try {
    const value = parseExactly(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
