import type { Clock } from '../kernel/clock.ts';
import type { Progress } from './hydrator.ts';

/** A person reads no faster, and a NOTICE is a packet. */
const INTERVAL_MS = 200;

/** Passes on a state at most every 200 ms; those in between are lost, the next one says more anyway. */
export function throttleProgress(clock: Clock, send: (state: Progress) => void): (state: () => Progress) => void {
  let last = clock.now();
  return (state) => {
    const now = clock.now();
    if (now - last < INTERVAL_MS) return;
    last = now;
    send(state());
  };
}
