import type { Conjuncts, InputReach, LookupKey } from '../source.ts';
import { SourceError } from '../source.ts';
import { rangeSaid } from '../time-range.ts';

/** `max_age_in_days` as the API takes it; refused here, because a refusal of the service counts against its quota. */
export function maxAgeOf({ inputs }: LookupKey, otherwise: string, connection: string): string {
  return inRange('max_age_in_days', inputs['max_age_in_days'] ?? otherwise, 1, 365, connection);
}

const DAY_MS = 86_400_000;
const MAX_AGE_IN_DAYS = 365;
/** Between this clock, PostgreSQL's and the service's. */
const CLOCK_SLACK_MS = 3_600_000;

/** As many days as conditions on the times of reports reach back, the service's own default where they reach less far. */
export function daysOf(path: string, otherwise: string, now: () => number = Date.now): InputReach {
  const daysBack = (conjuncts: Conjuncts): number | undefined => {
    const range = rangeSaid(conjuncts, ({ column }) => column.path === path);
    return range && Math.floor((now() - range.start + CLOCK_SLACK_MS) / DAY_MS) + 1;
  };
  return {
    input: 'max_age_in_days',
    path,
    least: (conjuncts) => {
      const days = daysBack(conjuncts);
      return days === undefined ? undefined : String(Math.min(Math.max(days, Number(otherwise)), MAX_AGE_IN_DAYS));
    },
    beyond: (conjuncts) => {
      const days = daysBack(conjuncts) ?? 0;
      // A day more is what the clocks take.
      return Number.isFinite(days) && days > MAX_AGE_IN_DAYS + 1
        ? `AbuseIPDB tells of reports of the last ${MAX_AGE_IN_DAYS} days only`
        : undefined;
    },
  };
}

export function inRange(column: string, value: string, least: number, most: number, connection: string): string {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= least && number <= most) return value;
  throw new SourceError('invalid_request', connection, `${column} is from ${least} to ${most}, not ${value}`, {
    detail: 'No call was made for it.',
    hint: `Change the condition on ${column}.`,
  });
}
