import type { QuotaState } from '../source.ts';
import type { RefusedAnswer } from './failures.ts';
import { header, isPassing, resetsAt } from './failures.ts';

/**
 * https://docs.abuseipdb.com/#api-daily-rate-limits: every answer says the day's limit and what remains of it, a refusal
 * also when it is renewed. Undefined where it says nothing of the day.
 */
export function quotaOf(answer: RefusedAnswer, now: number): QuotaState | undefined {
  const limit = Number(header(answer, 'x-ratelimit-limit') ?? Number.NaN);
  const remaining = Number(header(answer, 'x-ratelimit-remaining') ?? Number.NaN);
  if (!Number.isSafeInteger(limit) || !Number.isSafeInteger(remaining)) return undefined;
  // Too many requests a minute: nothing is said of the day.
  if (answer.status === 429 && isPassing(answer, now)) return undefined;
  return { limit, remaining: Math.max(0, remaining), resetsAt: resetsAt(answer, now) };
}
