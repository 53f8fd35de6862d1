import type { Clock } from '../kernel/clock.ts';
import type { CallScheduler } from './call-scheduler.ts';
import type { Flights } from './flights.ts';
import type { Answer, KeyCache } from './key-cache.ts';
import type { KeyClaims } from './key-claims.ts';
import type { QuotaLedger } from './quota-ledger.ts';

/** What look-ups share. */
export interface LookupParts {
  readonly scheduler: CallScheduler;
  readonly flights: Flights;
  readonly cache: KeyCache;
  /** Undefined where no other process uses the engine. */
  readonly claims: KeyClaims | undefined;
  readonly quotas: QuotaLedger;
  readonly clock: Clock;
  readonly spent: Spent;
}

/** What a statement has asked so far, over all its references and the levels of its recursions. */
export interface Spent {
  /** Look-ups that it has started or means to: trailhound.max_lookups bounds their sum. */
  lookups: number;
  /** One key is one call a statement, and has one answer in it, whatever the cache says. */
  readonly answers: Map<string, Answer>;
}
