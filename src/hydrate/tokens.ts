/** Requests that may start, at a rate a second. */
export interface Tokens {
  /**
   * Milliseconds until the next one may start, 0 for now; undefined while that is being asked: `changed` follows.
   *
   * @param wanted requests that wait
   */
  waitFor(perSecond: number, wanted: number, now: number): number | undefined;
  /** One starts; only after a `waitFor` of 0. */
  take(): void;
  /** The service says that those that were sent are too many. */
  empty(now: number): void;
}

/** A bucket that holds a second's worth and starts full. */
export class OwnTokens implements Tokens {
  #tokens: number | undefined;
  #refilledAt = 0;

  waitFor(perSecond: number, _wanted: number, now: number): number {
    const capacity = Math.max(1, perSecond);
    const gained = ((now - this.#refilledAt) / 1000) * perSecond;
    this.#tokens = this.#tokens === undefined ? capacity : Math.min(capacity, this.#tokens + Math.max(0, gained));
    this.#refilledAt = now;
    // A token is whole within a rounding error: 0.2 s × 5/s must be 1.
    const missing = 1 - this.#tokens;
    return missing > 1e-9 ? (missing / perSecond) * 1000 : 0;
  }

  take(): void {
    if (this.#tokens !== undefined) this.#tokens -= 1;
  }

  empty(now: number): void {
    this.#tokens = Math.min(this.#tokens ?? 0, 0);
    this.#refilledAt = now;
  }
}
