/** CloudTrail's records as they are delivered: bare, or in the envelope that EventBridge puts around them. */

export type Json = Readonly<Record<string, unknown>>;

export interface TrailRecord {
  /** The record itself. */
  readonly value: Json;
  /** Whether the text is an envelope's, not the record's own. */
  readonly enveloped: boolean;
}

/** Undefined for a text that is no JSON object. Runs for millions of records. */
export function parseTrailRecord(text: string): TrailRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { detail } = value;
  return typeof value['detail-type'] === 'string' && isObject(detail)
    ? { value: detail, enveloped: true }
    : { value, enveloped: false };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
