const DAY_MS = 86_400_000;

export type Spent =
  | { readonly kind: 'unlimited' }
  | { readonly kind: 'spent'; readonly limit: number; readonly remaining: number }
  | Used;

/** Nothing remains until then. */
interface Used {
  readonly kind: 'exceeded';
  readonly limit: number;
  /** Milliseconds since the epoch. */
  readonly resetsAt: number;
}

/** Requests that counted against a quota, by key and endpoint, of the current UTC day. */
export class DailyQuotas {
  readonly #used = new Map<string, number>();
  #day = 0;

  spend(key: string, endpoint: string, limit: number | undefined, now: number): Spent {
    if (limit === undefined) return { kind: 'unlimited' };
    const day = Math.floor(now / DAY_MS);
    if (day !== this.#day) this.#used.clear();
    this.#day = day;
    const quota = `${endpoint} ${key}`;
    const used = this.#used.get(quota) ?? 0;
    if (used >= limit) return { kind: 'exceeded', limit, resetsAt: (day + 1) * DAY_MS };
    this.#used.set(quota, used + 1);
    return { kind: 'spent', limit, remaining: limit - used - 1 };
  }
}
