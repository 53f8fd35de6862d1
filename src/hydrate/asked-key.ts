import type { LookupKey } from '../sources/source.ts';
import type { Ticket } from './flights.ts';
import { type Answer, type CacheKey, cacheKeyText, inputsText } from './key-cache.ts';

/** One key on its way to its rows. */
export interface AskedKey {
  readonly key: LookupKey;
  readonly cacheKey: CacheKey;
  readonly id: string;
  answer?: Answer;
  ticket?: Ticket;
}

export function askedKey(table: string, key: LookupKey, variant: string | undefined): AskedKey {
  // `@` cannot begin the name of a column that is an input.
  const inputs = inputsText({ ...key.inputs, ...(variant !== undefined && { '@variant': variant }) });
  const cacheKey = { table, key: key.key, inputs };
  return { key, cacheKey, id: cacheKeyText(cacheKey) };
}

/** Whether it was this statement that asked for it first. */
export function isFirst({ ticket }: AskedKey): boolean {
  return ticket?.first === true;
}
