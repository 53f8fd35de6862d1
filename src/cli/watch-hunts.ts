import { findConsole, startConsole, type Console } from '../app/console.ts';
import type { Config } from '../app/config/load.ts';
import type { Hunt } from '../hunts/hunt.ts';
import type { HuntEvent, Parameters } from '../hunts/run-hunt.ts';
import { connectSql, type SqlClient } from '../hunts/sql-client.ts';
import type { Destination } from '../hunts/watch/destination.ts';
import type { Found } from '../hunts/watch/new-rows.ts';
import { watchHunts, type WatchReport } from '../hunts/watch/watch-hunts.ts';
import { systemClock } from '../kernel/clock.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { Exit, STATUS } from './exit-status.ts';
import { printable } from './output/printable.ts';
import type { Output } from './output/row-writer.ts';
import { printError, printStatementFailure } from './print-error.ts';
import { printResult } from './print-result.ts';
import { OutputClosed, say } from './terminal.ts';

export interface HuntWatch {
  readonly config: Config;
  readonly parameters: Parameters;
  readonly output: Output;
  readonly destinations: readonly Destination[];
  /** Undefined: once. */
  readonly everyMs: number | undefined;
}

/**
 * `hunt run` with --every or --notify: prints and tells new rows alone. SIGTERM ends it as it ends a server, SIGINT is
 * somebody's Ctrl-C; a second one ends the process at once.
 */
export async function watchFromCommandLine(hunts: readonly Hunt[], watch: HuntWatch): Promise<void> {
  const { config, everyMs } = watch;
  const controller = new AbortController();
  const state = { interrupted: false, failed: false };
  const onSignal = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(STATUS.interrupted);
    state.interrupted = signal === 'SIGINT';
    controller.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const server = new ServerOfRounds(config);
  try {
    await watchHunts({
      ...watch,
      hunts,
      known: config.hunts.known,
      isOverridden: ({ id }) => Object.hasOwn(config.hunts.severity, id),
      connect: () => server.connect(),
      report: withoutReader(
        reportTo(watch.output, () => (state.failed = true)),
        () => {
          // Whoever is told by other ways still is.
          if (watch.destinations.length === 0) controller.abort();
        },
      ),
      clock: systemClock,
      signal: controller.signal,
    });
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    // Whatever failed did so because it was told to.
    if (state.interrupted) throw new Exit(STATUS.interrupted);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    await server.close();
  }
  if (everyMs === undefined && state.failed) throw new Exit(STATUS.failed);
}

/**
 * The data directory's server, looked for anew where it is gone; one that was started for the watch stays up. A watch
 * that has found a server never starts one in its place: that would keep the directory from a server that restarts.
 */
class ServerOfRounds {
  readonly #config: Config;
  #console: Console | undefined;
  #hasFound = false;

  constructor(config: Config) {
    this.#config = config;
  }

  async connect(): Promise<SqlClient> {
    this.#console ??= await this.#open();
    try {
      return await connectSql(this.#console.target, ({ severity, message }) => {
        if (severity === 'WARNING') say(`WARNING:  ${printable(message)}`);
      });
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #open(): Promise<Console> {
    const found = await findConsole(this.#config);
    if (found !== undefined) {
      this.#hasFound = true;
      return found;
    }
    if (!this.#hasFound) return startConsole(this.#config);
    throw new TrailhoundError('engine_unavailable', `no server runs on ${this.#config.dataDir} any more`, {
      detail: 'The watch began on a server, and waits for it.',
      hint: 'Start the server again: trailhound serve. To watch without one, end the watch and start it anew.',
    });
  }

  async close(): Promise<void> {
    const console = this.#console;
    this.#console = undefined;
    await console?.close();
  }
}

function reportTo(output: Output, onFailure: () => void): WatchReport {
  return {
    outcome: async (hunt, outcome) => {
      switch (outcome.kind) {
        case 'ran': {
          const { fresh, keys } = outcome.found;
          if (fresh.size === 0) return;
          say(`${hunt.id} (${hunt.severity}): ${fresh.size} new of ${keys.size} rows`);
          await printResult(eventsOf(outcome.found), output, () => undefined);
          return;
        }
        case 'failed':
          onFailure();
          say(`${hunt.id} fails:`);
          printStatementFailure(outcome.failure, hunt.sql);
          return;
        case 'claimed':
          say(`${hunt.id}: another process runs it at this moment`);
      }
    },
    notDelivered: (hunt, error) => {
      onFailure();
      const left = hunt === undefined ? '' : `${hunt.id}: the next run tells it again: `;
      say(`trailhound: ${left}${error.message}`);
    },
    outage: (error) => {
      onFailure();
      printError(error);
    },
  };
}

/** `… | head`: nobody reads what is printed any more, which is no outage. */
function withoutReader(report: WatchReport, onClosed: () => void): WatchReport {
  return {
    ...report,
    outcome: async (hunt, outcome) => {
      try {
        await report.outcome(hunt, outcome);
      } catch (error) {
        if (!(error instanceof OutputClosed)) throw error;
        onClosed();
      }
    },
  };
}

async function* eventsOf({ fields, fresh }: Found): AsyncGenerator<HuntEvent> {
  yield { kind: 'fields', fields };
  yield { kind: 'rows', rows: [...fresh.values()] };
  yield { kind: 'complete', tag: `SELECT ${fresh.size}` };
}
