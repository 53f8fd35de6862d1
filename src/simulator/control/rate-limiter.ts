/** Lets n requests a second pass for each key, counted over the second that has just passed. */
export class RateLimiter {
  readonly #now: () => number;
  readonly #admitted = new Map<string, number[]>();

  /** `now` in milliseconds, monotonic. */
  constructor(now: () => number) {
    this.#now = now;
  }

  admits(key: string, requestsPerSecond: number): boolean {
    const now = this.#now();
    const recent = (this.#admitted.get(key) ?? []).filter((time) => time > now - 1_000);
    const admitted = recent.length < requestsPerSecond;
    if (admitted) recent.push(now);
    this.#admitted.set(key, recent);
    return admitted;
  }
}
