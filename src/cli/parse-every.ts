import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../app/config/units.ts';

/** Shorter ones are mistakes: `5` of what? and services are asked each time. */
const SHORTEST_MS = 1_000;
/** A timer of Node's holds 32 bits of milliseconds, not quite 25 days: beyond, it would not wait at all. */
const LONGEST_MS = 24 * 86_400_000;

/** Milliseconds. */
export function parseEvery(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < SHORTEST_MS || ms > LONGEST_MS) {
    throw new InvalidArgumentError('Write a duration of 1s or more, such as 5m, and of 24d at most.');
  }
  return ms;
}
