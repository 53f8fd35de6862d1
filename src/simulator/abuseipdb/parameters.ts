import { isIP } from 'node:net';
import { Refusal } from './respond.ts';

/** A request's query, read as the API reads it. */
export class Query {
  readonly #search: URLSearchParams;

  constructor(search: URLSearchParams) {
    this.#search = search;
  }

  has(name: string): boolean {
    return this.#search.has(name);
  }

  text(name: string): string {
    return this.#search.get(name) ?? '';
  }

  ipAddress(): string {
    const address = this.text('ipAddress');
    if (isIP(address) !== 0) return address;
    throw new Refusal(
      422,
      'The ip address must be a valid IPv4 or IPv6 address (e.g. 8.8.8.8 or 2001:4860:4860::8888).',
      'ipAddress',
    );
  }

  maxAgeInDays(): number {
    return this.integer('maxAgeInDays', 'max age in days', 1, 365, 30);
  }

  /** `words`: as the API's messages call it. */
  integer(name: string, words: string, least: number, most: number, otherwise: number): number {
    const text = this.#search.get(name) ?? String(otherwise);
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new Refusal(422, `The ${words} must be between ${least} and ${most}.`, name);
  }
}
