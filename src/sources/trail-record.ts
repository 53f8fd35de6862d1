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
  if (value === undefined) return undefined;
  const { detail, CloudTrailEvent: inner } = value;
  if (typeof inner === 'string') {
    const record = parseObject(inner);
    return record && { value: record, text: inner };
  }
  return typeof value['detail-type'] === 'string' && isObject(detail)
    ? { value: detail, text: undefined }
    : { value, text };
}

function parseObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
