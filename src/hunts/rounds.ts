import { sleep, type Clock } from '../kernel/clock.ts';
import { TrailhoundError } from '../kernel/errors.ts';

export interface Rounds {
  /** From the start of one round to the start of the next; undefined: one round. */
  readonly everyMs: number | undefined;
  readonly clock: Clock;
  /** Ends them. */
  readonly signal: AbortSignal;
  readonly round: () => Promise<void>;
  /** A round could not run; `first`: the one before it could. */
  readonly outage: (error: unknown, first: boolean) => Promise<void>;
  /** The first that ran again. */
  readonly recovered: () => Promise<void>;
}

/**
 * Round by round until the signal is aborted. A round that takes longer than the interval delays the next one: there are
 * never two.
 *
 * @throws the signal's reason; `configuration` errors; where there is one round alone, whatever kept it from running.
 */
export async function runRounds({ everyMs, clock, signal, round, outage, recovered }: Rounds): Promise<void> {
  let isDown = false;
  for (;;) {
    const begun = clock.now();
    try {
      await round();
      if (isDown) await recovered();
      isDown = false;
    } catch (error) {
      signal.throwIfAborted();
      const isWrong = error instanceof TrailhoundError && error.code === 'configuration';
      if (everyMs === undefined || isWrong) throw error;
      await outage(error, !isDown);
      isDown = true;
    }
    if (everyMs === undefined) return;
    await sleep(Math.max(0, begun + everyMs - clock.now()), signal, clock);
  }
}
