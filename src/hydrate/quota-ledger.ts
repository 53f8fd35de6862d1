import type { Pool } from '../engine/pool.ts';
import { abortable } from '../kernel/abort.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import type { Quota, QuotaState } from '../sources/source.ts';
import { Batches } from './batches.ts';
import type { ProcessLock } from '../engine/process-lock.ts';
import { LOCK_CLASS } from '../engine/process-lock.ts';

/** What a statement has set aside. */
export interface QuotaClaim {
  /** False: fewer remain, and nothing was set aside. */
  readonly granted: boolean;
  /** After what others have set aside; undefined where the service has not said anything of today. */
  readonly left: QuotaState | undefined;
  /** One of the calls has been made, by whomever. */
  spend(): void;
  /** What is left of them will not be made. Idempotent. */
  release(): void;
}

export interface QuotaLedgerOptions {
  readonly pool: Pool;
  /** Tells other processes that this one lives. */
  readonly lock: ProcessLock;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Account {
  readonly quota: Quota;
  /** As said last. */
  state: QuotaState | undefined;
  /** Of it, what is not recorded yet: recorded twice, it might stand for another day. */
  unrecorded: QuotaState | undefined;
  /** Requests that were made, and that nobody else counts; not recorded yet. */
  counted: number;
  /** Calls that statements of this process have set aside and not yet made. */
  own: number;
  /** Resolves when the last claim has been decided: the next one has to count it. */
  deciding: Promise<unknown>;
}

/** Quotas of services, kept in the engine: over restarts, and for all processes. */
export class QuotaLedger {
  readonly #options: QuotaLedgerOptions;
  readonly #accounts = new Map<string, Account>();
  readonly #batches: Batches<Account>;

  constructor(options: QuotaLedgerOptions) {
    this.#options = options;
    this.#batches = new Batches({
      size: 10,
      write: async (accounts) => {
        for (const account of accounts) await this.#record(account);
      },
      lost: (error) => options.log.warn({ err: error }, 'what remains of a quota could not be recorded'),
    });
  }

  /** Calls left by source, as answers to this process said last. */
  remaining(): readonly (readonly [source: string, remaining: number])[] {
    return [...this.#accounts.values()].flatMap(({ quota, state }) =>
      state === undefined ? [] : [[quota.source, state.remaining] as const],
    );
  }

  async claim(quota: Quota, needed: number, signal: AbortSignal): Promise<QuotaClaim> {
    const account = this.#account(quota);
    const claim = account.deciding.then(() => this.#decide(account, needed));
    account.deciding = claim.catch(() => undefined);
    try {
      return await abortable(claim, signal);
    } catch (error) {
      // Nobody is left who could.
      claim.then(
        (decided) => decided.release(),
        () => undefined,
      );
      throw error;
    }
  }

  seen(quota: Quota, state: QuotaState): void {
    const account = this.#account(quota);
    account.state = state;
    account.unrecorded = state;
    this.#write(account);
  }

  /** A request of a quota that nobody else counts. */
  spent(quota: Quota): void {
    if (quota.perDay === undefined) return;
    const account = this.#account(quota);
    account.counted += 1;
    this.#write(account);
  }

  flush(): Promise<void> {
    return this.#batches.flush();
  }

  async #decide(account: Account, needed: number): Promise<QuotaClaim> {
    const { pool, lock, clock } = this.#options;
    const { source, account: name } = account.quota;
    await lock.hold();
    // What the last answers said counts.
    if (account.quota.perDay !== undefined) this.#write(account);
    await this.#batches.flush();
    const { rows } = await pool.query<{ limit: number; remaining: number; resets_at: number; granted: boolean }>(
      `select "limit"::float8 as limit, remaining::float8 as remaining, extract(epoch from resets_at)::float8 * 1000 as resets_at, granted
         from trailhound.claim_quota($1, $2, $3, $4, $5, $6, $7)`,
      [source, name, lock.id, LOCK_CLASS, account.own, needed, new Date(clock.now()).toISOString()],
    );
    const [row] = rows;
    const granted = row?.granted !== false;
    const known = row !== undefined && typeof row.limit === 'number';
    let left = granted ? needed : 0;
    account.own += left;
    const take = (count: number) => {
      if (count === 0) return;
      left -= count;
      account.own -= count;
      this.#write(account);
    };
    return {
      granted,
      left: known ? { limit: row.limit, remaining: row.remaining, resetsAt: row.resets_at } : undefined,
      spend: () => take(Math.min(1, left)),
      release: () => take(left),
    };
  }

  #account(quota: Quota): Account {
    const id = `${quota.source} ${quota.account}`;
    let account = this.#accounts.get(id);
    if (account === undefined) {
      account = { quota, state: undefined, unrecorded: undefined, counted: 0, own: 0, deciding: Promise.resolve() };
      this.#accounts.set(id, account);
    }
    return account;
  }

  #write(account: Account): void {
    void this.#batches.add(`${account.quota.source} ${account.quota.account}`, account);
  }

  async #record(account: Account): Promise<void> {
    const { pool, lock, clock } = this.#options;
    const { quota, own, counted, unrecorded: state } = account;
    account.unrecorded = undefined;
    if (quota.perDay !== undefined) {
      account.counted = 0;
      await pool.query('select trailhound.count_quota($1, $2, $3, $4, $5)', [
        quota.source,
        quota.account,
        quota.perDay,
        counted,
        new Date(clock.now()).toISOString(),
      ]);
    }
    const resetsAt = state?.resetsAt === undefined ? null : new Date(state.resetsAt).toISOString();
    await pool.query('select trailhound.record_quota($1, $2, $3, $4, $5, $6, $7, $8)', [
      quota.source,
      quota.account,
      lock.id,
      own,
      state?.limit ?? null,
      state?.remaining ?? null,
      resetsAt,
      new Date(clock.now()).toISOString(),
    ]);
  }
}
