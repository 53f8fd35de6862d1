import { sleep, type Clock } from '../../kernel/clock.ts';
import { TrailhoundError } from '../../kernel/errors.ts';
import type { Hunt } from '../hunt.ts';
import type { Known, Parameters } from '../run-hunt.ts';
import type { SqlClient } from '../sql-client.ts';
import { isStatementFailure } from '../statement-failure.ts';
import type { Destination } from './destination.ts';
import type { Notification } from './notification.ts';
import { runWatchedHunt, type WatchedOutcome } from './run-watched-hunt.ts';
import { createSender, NotDelivered } from './sender.ts';
import { watchOf } from './watch-state.ts';

export interface WatchRequest {
  readonly hunts: readonly Hunt[];
  readonly parameters: Parameters;
  readonly known: Known;
  readonly isOverridden: (hunt: Hunt) => boolean;
  readonly destinations: readonly Destination[];
  /** From the start of one round to the start of the next; undefined: one round. */
  readonly everyMs: number | undefined;
  /** A connection for one round. */
  readonly connect: () => Promise<SqlClient>;
  readonly report: WatchReport;
  readonly clock: Clock;
  /** Ends the watch: what runs is cancelled. */
  readonly signal: AbortSignal;
}

/** What whoever started the watch is shown beside the notifications. */
export interface WatchReport {
  readonly outcome: (hunt: Hunt, outcome: WatchedOutcome) => Promise<void>;
  readonly notDelivered: (hunt: Hunt | undefined, error: NotDelivered) => void;
  /** No hunt could run. */
  readonly outage: (error: unknown) => void;
}

/**
 * Runs the hunts round by round, each on a connection of its own, until the signal is aborted. A round that takes longer
 * than the interval delays the next one: there are never two.
 *
 * @throws the signal's reason; `configuration` errors; where there is one round alone, whatever kept it from running.
 */
export async function watchHunts(request: WatchRequest): Promise<void> {
  const { everyMs, clock, signal, report } = request;
  const senders = request.destinations.map((destination) => createSender(destination, clock, signal));
  /** One that cannot be reached keeps nothing from the others. */
  const tell = async (notification: Notification) => {
    const outcomes = await Promise.allSettled(senders.map((sender) => sender.send(notification)));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  };
  const tellOfAll = async (notification: Notification) => {
    try {
      await tell(notification);
    } catch (error) {
      if (!(error instanceof NotDelivered)) throw error;
      report.notDelivered(undefined, error);
    }
  };
  let isDown = false;
  for (;;) {
    const begun = clock.now();
    try {
      await runRound(request, tell);
      if (isDown) await tellOfAll({ kind: 'recovered', hunt: undefined, failedSince: undefined });
      isDown = false;
    } catch (error) {
      signal.throwIfAborted();
      const isWrong = error instanceof TrailhoundError && error.code === 'configuration';
      if (everyMs === undefined || isWrong) throw error;
      report.outage(error);
      if (!isDown) await tellOfAll(outageNotification(error));
      isDown = true;
    }
    if (everyMs === undefined) return;
    await sleep(Math.max(0, begun + everyMs - clock.now()), signal, clock);
  }
}

async function runRound(request: WatchRequest, tell: (notification: Notification) => Promise<void>): Promise<void> {
  const { hunts, parameters, known, destinations, isOverridden, report, signal } = request;
  const client = await request.connect();
  const cancel = () => void client.cancel().catch(() => undefined);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for (const hunt of hunts) {
      signal.throwIfAborted();
      const own = Object.fromEntries(
        Object.entries(parameters).filter(([name]) => hunt.parameters.some((parameter) => parameter.name === name)),
      );
      const watch = watchOf(
        hunt.id,
        own,
        destinations.map(({ kind, url }) => `${kind}:${url.href}`),
      );
      try {
        const run = { hunt, watch, parameters: own, known, overridden: isOverridden(hunt), tell, signal };
        await report.outcome(hunt, await runWatchedHunt(client, run));
      } catch (error) {
        if (!(error instanceof NotDelivered)) throw error;
        report.notDelivered(hunt, error);
      }
    }
  } finally {
    signal.removeEventListener('abort', cancel);
    await client.close();
  }
}

function outageNotification(error: unknown): Notification {
  const message = error instanceof Error ? error.message : '';
  return {
    kind: 'failed',
    hunt: undefined,
    sqlstate: sqlstateOf(error),
    // Node's error about several addresses has none.
    message: message === '' ? 'the server cannot be reached' : message,
    detail: error instanceof TrailhoundError ? error.detail : undefined,
    hint: error instanceof TrailhoundError ? error.hint : undefined,
  };
}

/** The codes of Node's errors, such as ECONNREFUSED, are none: they say that there is no connection. */
function sqlstateOf(error: unknown): string {
  if (error instanceof TrailhoundError) return error.sqlstate;
  return isStatementFailure(error) ? error.code : '08006';
}
