import type { Clock } from '../../kernel/clock.ts';
import { TrailhoundError } from '../../kernel/errors.ts';
import type { Hunt } from '../hunt.ts';
import { runRounds } from '../rounds.ts';
import type { Known, Parameters } from '../run-hunt.ts';
import type { SqlClient } from '../sql-client.ts';
import { isStatementFailure } from '../statement-failure.ts';
import type { Destination } from './destination.ts';
import type { Notification } from './notification.ts';
import { runWatchedHunt, type WatchedOutcome } from './run-watched-hunt.ts';
import { createSender, NotDelivered, type Sender } from './sender.ts';
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
 * Runs the hunts round by round, each on a connection of its own, until the signal is aborted.
 *
 * @throws the signal's reason; `configuration` errors; where there is one round alone, whatever kept it from running.
 */
export async function watchHunts(request: WatchRequest): Promise<void> {
  const { everyMs, clock, signal, report } = request;
  const senders = request.destinations.map((destination) => createSender(destination, clock, signal));
  /** One that cannot be reached keeps nothing from the others. */
  const tellOfAll = async (notification: Notification) => {
    const outcomes = await Promise.allSettled(senders.map((sender) => sender.send(notification)));
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue;
      if (!(outcome.reason instanceof NotDelivered)) throw outcome.reason;
      report.notDelivered(undefined, outcome.reason);
    }
  };
  await runRounds({
    everyMs,
    clock,
    signal,
    round: () => runRound(request, senders),
    outage: async (error, first) => {
      report.outage(error);
      if (first) await tellOfAll(outageNotification(error));
    },
    recovered: () => tellOfAll({ kind: 'recovered', hunt: undefined, failedSince: undefined }),
  });
}

async function runRound(request: WatchRequest, senders: readonly Sender[]): Promise<void> {
  const { parameters, known, destinations, isOverridden, report, signal } = request;
  const urls = destinations.map(({ kind, url }) => `${kind}:${url.href}`);
  const client = await request.connect();
  const cancel = () => void client.cancel().catch(() => undefined);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for (const hunt of new Set(request.hunts)) {
      signal.throwIfAborted();
      const own = Object.fromEntries(
        Object.entries(parameters).filter(([name]) => hunt.parameters.some((parameter) => parameter.name === name)),
      );
      await runWatchedHunt(client, {
        hunt,
        parameters: own,
        known,
        overridden: isOverridden(hunt),
        printed: watchOf(hunt.id, own, ['printed', ...urls]),
        listeners: senders.map((sender, index) => ({
          watch: watchOf(hunt.id, own, [urls[index] ?? '']),
          tell: (notification) => sender.send(notification),
        })),
        report: (outcome) => report.outcome(hunt, outcome),
        notDelivered: (error) => report.notDelivered(hunt, error),
        signal,
      });
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
