import type { LookupKey } from '../source.ts';
import { SourceError } from '../source.ts';

/** `max_age_in_days` as the API takes it; refused here, because a refusal of the service counts against its quota. */
export function maxAgeOf({ inputs }: LookupKey, otherwise: string, connection: string): string {
  return inRange('max_age_in_days', inputs['max_age_in_days'] ?? otherwise, 1, 365, connection);
}

export function inRange(column: string, value: string, least: number, most: number, connection: string): string {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= least && number <= most) return value;
  throw new SourceError('invalid_request', connection, `${column} is from ${least} to ${most}, not ${value}`, {
    detail: 'No call was made for it.',
    hint: `Change the condition on ${column}.`,
  });
}
