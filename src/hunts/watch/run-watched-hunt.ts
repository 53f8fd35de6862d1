import type { Hunt } from '../hunt.ts';
import { claim, release } from '../claim.ts';
import { checkValues, runHunt, type Known, type Parameters } from '../run-hunt.ts';
import type { SqlClient } from '../sql-client.ts';
import { isStatementFailure, type StatementFailure } from '../statement-failure.ts';
import { newRows, newTo, rowsNotification, type Found } from './new-rows.ts';
import type { Notification } from './notification.ts';
import { NotDelivered } from './sender.ts';
import { currentTime, recall, remember, rememberFailure, sinceLast, type Recalled, type Watch } from './watch-state.ts';

export interface WatchedRun {
  readonly hunt: Hunt;
  readonly parameters: Parameters;
  readonly known: Known;
  readonly overridden: boolean;
  /** What is printed: it waits for no destination. */
  readonly printed: Watch;
  /** Each remembers for itself: one that takes nothing makes nothing be told again to the others. */
  readonly listeners: readonly Listener[];
  readonly report: (outcome: WatchedOutcome) => Promise<void>;
  readonly notDelivered: (error: NotDelivered) => void;
  readonly signal: AbortSignal;
}

export interface Listener {
  readonly watch: Watch;
  readonly tell: (notification: Notification) => Promise<void>;
}

export type WatchedOutcome =
  /** With the rows that were not printed before. */
  | { readonly kind: 'ran'; readonly found: Found }
  | { readonly kind: 'failed'; readonly failure: StatementFailure }
  /** Another process runs the same watch at this moment. */
  | { readonly kind: 'claimed' };

/**
 * Runs a hunt once, prints what no run before has printed and tells each destination what it has not taken before. A
 * process that ends in between tells it again. A statement that fails is told once, and again when it runs again.
 *
 * @throws what ended the connection.
 */
export async function runWatchedHunt(client: SqlClient, run: WatchedRun): Promise<void> {
  await checkValues(client, run.hunt, run.parameters);
  const claimed: Watch[] = [];
  try {
    for (const watch of watchesOf(run)) {
      if (!(await claim(client, claimOf(watch)))) {
        await run.report({ kind: 'claimed' });
        return;
      }
      claimed.push(watch);
    }
    await runClaimed(client, run);
  } finally {
    // Where the connection is gone, so are the claims.
    for (const watch of claimed) await release(client, claimOf(watch)).catch(() => undefined);
  }
}

async function runClaimed(client: SqlClient, run: WatchedRun): Promise<void> {
  const { hunt, printed, listeners, report } = run;
  const before = await recall(client, printed);
  const recalled = new Map<Listener, Recalled>();
  for (const listener of listeners) recalled.set(listener, await recall(client, listener.watch));
  const searchedAt = await currentTime(client);
  let found: Found;
  try {
    found = await find(client, run, [before, ...recalled.values()]);
  } catch (error) {
    // What is fatal ended the connection: of the hunt it says nothing.
    if (run.signal.aborted || !isStatementFailure(error) || error.severity !== 'ERROR') throw error;
    const { code, message, detail, hint } = error;
    await report({ kind: 'failed', failure: error });
    await tellEach(run, async (listener) => {
      if (recalled.get(listener)?.failure === code) return undefined;
      await listener.tell({ kind: 'failed', hunt, sqlstate: code, message, detail, hint });
      return () => rememberFailure(client, listener.watch, code);
    });
    return;
  }
  await report({ kind: 'ran', found: newTo(found, before.keys) });
  await remember(client, printed, found.keys, searchedAt);
  await tellEach(run, async (listener) => {
    const { watch, tell } = listener;
    const { keys, failure, failingSince } = recalled.get(listener) ?? before;
    if (failure !== undefined) await tell({ kind: 'recovered', hunt, failedSince: failingSince });
    const own = newTo(found, keys);
    if (own.fresh.size > 0) await tell(rowsNotification(hunt, own));
    return () => remember(client, watch, found.keys, searchedAt);
  });
}

/** All at once; what is to be remembered of each is so as soon as it was told, one statement at a time. */
async function tellEach(
  run: WatchedRun,
  tell: (listener: Listener) => Promise<(() => Promise<void>) | undefined>,
): Promise<void> {
  let remembered = Promise.resolve();
  const outcomes = await Promise.allSettled(
    run.listeners.map(async (listener) => {
      const rememberIt = await tell(listener);
      if (rememberIt === undefined) return;
      remembered = remembered.then(rememberIt);
      await remembered;
    }),
  );
  const failures = outcomes.flatMap((outcome): unknown[] => (outcome.status === 'rejected' ? [outcome.reason] : []));
  for (const failure of failures) if (failure instanceof NotDelivered) run.notDelivered(failure);
  for (const failure of failures) if (!(failure instanceof NotDelivered)) throw failure;
}

function claimOf({ id }: Watch): string {
  return `hunt_watch ${id}`;
}

function watchesOf({ printed, listeners }: WatchedRun): readonly Watch[] {
  return [printed, ...listeners.map(({ watch }) => watch)];
}

async function find(client: SqlClient, run: WatchedRun, recalled: readonly Recalled[]): Promise<Found> {
  const { hunt, parameters, known, overridden } = run;
  const since = hunt.parameters.find(({ name }) => name === 'since');
  const first = parameters['since'] ?? since?.defaultValue;
  const later = parameters['since'] ?? hunt.watch ?? first;
  const extended =
    first === undefined || later === undefined || since?.type !== 'interval'
      ? parameters
      : { ...parameters, since: await sinceLast(client, watchesOf(run), { first, later }) };
  return newRows(
    runHunt(client, hunt, extended, { known, overridden }),
    recalled.map(({ keys }) => keys),
  );
}
