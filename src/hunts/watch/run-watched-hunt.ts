import type { Hunt } from '../hunt.ts';
import { checkValues, runHunt, type Known, type Parameters } from '../run-hunt.ts';
import type { SqlClient } from '../sql-client.ts';
import { isStatementFailure, type StatementFailure } from '../statement-failure.ts';
import { newRows, rowsNotification, type Found } from './new-rows.ts';
import type { Notification } from './notification.ts';
import {
  claim,
  currentTime,
  recall,
  release,
  remember,
  rememberFailure,
  sinceLast,
  type Recalled,
  type Watch,
} from './watch-state.ts';

export interface WatchedRun {
  readonly hunt: Hunt;
  readonly watch: Watch;
  readonly parameters: Parameters;
  readonly known: Known;
  readonly overridden: boolean;
  readonly tell: (notification: Notification) => Promise<void>;
  readonly signal: AbortSignal;
}

export type WatchedOutcome =
  | { readonly kind: 'ran'; readonly found: Found }
  | { readonly kind: 'failed'; readonly failure: StatementFailure }
  /** Another process runs the same watch at this moment. */
  | { readonly kind: 'claimed' };

/**
 * Runs a hunt once and tells what no run before has found. Rows count as told once every destination has taken them: a
 * process that ends in between tells them again. A statement that fails is told once, and again when it runs again.
 *
 * @throws NotDelivered, or what ended the connection.
 */
export async function runWatchedHunt(client: SqlClient, run: WatchedRun): Promise<WatchedOutcome> {
  const { hunt, watch, tell } = run;
  await checkValues(client, hunt, run.parameters);
  if (!(await claim(client, watch))) return { kind: 'claimed' };
  try {
    const recalled = await recall(client, watch);
    const searchedAt = await currentTime(client);
    let found: Found;
    try {
      found = await find(client, run, recalled);
    } catch (error) {
      // What is fatal ended the connection: of the hunt it says nothing.
      if (run.signal.aborted || !isStatementFailure(error) || error.severity !== 'ERROR') throw error;
      if (recalled.failure !== error.code) {
        const { code, message, detail, hint } = error;
        await tell({ kind: 'failed', hunt, sqlstate: code, message, detail, hint });
        await rememberFailure(client, watch, code);
      }
      return { kind: 'failed', failure: error };
    }
    if (recalled.failure !== undefined) {
      await tell({ kind: 'recovered', hunt, failedSince: recalled.failingSince });
    }
    if (found.fresh.length > 0) await tell(rowsNotification(hunt, found));
    await remember(client, watch, found.keys, searchedAt);
    return { kind: 'ran', found };
  } finally {
    // Where the connection is gone, so is the claim.
    await release(client, watch).catch(() => undefined);
  }
}

async function find(client: SqlClient, run: WatchedRun, { keys, isFirst }: Recalled): Promise<Found> {
  const { hunt, watch, parameters, known, overridden } = run;
  const since = hunt.parameters.find(({ name }) => name === 'since');
  const window = parameters['since'] ?? (isFirst ? undefined : (hunt.watch ?? since?.defaultValue));
  const extended =
    window === undefined || since?.type !== 'interval'
      ? parameters
      : { ...parameters, since: await sinceLast(client, watch, window) };
  return newRows(runHunt(client, hunt, extended, { known, overridden }), keys);
}
