import type { Config } from '../app/config/load.ts';
import type { Hunt } from '../hunts/hunt.ts';
import type { HuntEvent, Parameters } from '../hunts/run-hunt.ts';
import type { Destination } from '../hunts/watch/destination.ts';
import type { Found } from '../hunts/watch/new-rows.ts';
import { watchHunts, type WatchReport } from '../hunts/watch/watch-hunts.ts';
import { systemClock } from '../kernel/clock.ts';
import { inRounds } from './in-rounds.ts';
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

/** `hunt run` with --every or --notify: prints and tells new rows alone. */
export async function watchFromCommandLine(hunts: readonly Hunt[], watch: HuntWatch): Promise<void> {
  const { config, everyMs } = watch;
  await inRounds(config, everyMs, ({ server, signal, end, failed }) =>
    watchHunts({
      ...watch,
      hunts,
      known: config.hunts.known,
      isOverridden: ({ id }) => Object.hasOwn(config.hunts.severity, id),
      connect: () => server.connect(),
      report: withoutReader(reportTo(watch.output, failed), () => {
        // Whoever is told by other ways still is.
        if (watch.destinations.length === 0) end();
      }),
      clock: systemClock,
      signal,
    }),
  );
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
