import type { AbuseIpdbWorld } from '../world.ts';
import { type AbuseIpdbAnswer, type AbuseIpdbReport, answerFor, reportsOf } from './answer.ts';

/** What the world says of addresses, and what is made from an address itself where it says nothing. */
export class KnownAddresses {
  readonly #world: AbuseIpdbWorld;
  readonly #now: () => number;

  constructor(world: AbuseIpdbWorld, now: () => number) {
    this.#world = world;
    this.#now = now;
  }

  /** Those that the world names; none where it computes its answers. */
  get named(): readonly string[] {
    const { check = {} } = this.#world;
    return typeof check === 'function' ? [] : Object.keys(check);
  }

  answer(ipAddress: string, maxAgeInDays: number, verbose = false): AbuseIpdbAnswer {
    const { check = {} } = this.#world;
    const known = typeof check === 'function' ? check(ipAddress, maxAgeInDays) : (check[ipAddress] ?? {});
    return answerFor(ipAddress, known, this.#now(), verbose);
  }

  /** All within so many days, the latest first. */
  reports(ipAddress: string, maxAgeInDays: number): readonly AbuseIpdbReport[] {
    const answer = this.answer(ipAddress, maxAgeInDays, true);
    const since = this.#now() - maxAgeInDays * 86_400_000;
    const all =
      answer.reports !== undefined && answer.reports.length >= answer.totalReports ? answer.reports : undefined;
    return (all ?? reportsOf(answer, answer.totalReports)).filter(({ reportedAt }) => Date.parse(reportedAt) >= since);
  }
}
