import { Option, type Command } from 'commander';
import { loadConfig } from '../app/config/load.ts';
import { findHunt, loadHunts } from '../hunts/hunt-library.ts';
import type { Hunt } from '../hunts/hunt.ts';
import { checkName, nameOf, refreshHunt, type RefreshOutcome } from '../hunts/refresh/refresh-hunt.ts';
import { checkRequiredParameters } from '../hunts/required-parameters.ts';
import { runRounds } from '../hunts/rounds.ts';
import { checkParameterNames, parseParameters } from '../hunts/run-hunt.ts';
import { systemClock } from '../kernel/clock.ts';
import { inRounds } from './in-rounds.ts';
import { command, withParameters, type ParameterOptions } from './options.ts';
import { parseEvery } from './parse-every.ts';
import { printError, printStatementFailure } from './print-error.ts';
import { say } from './terminal.ts';

interface RefreshOptions extends ParameterOptions {
  /** Milliseconds. */
  readonly every?: number;
  readonly as?: string;
}

export function refreshCommand(): Command {
  return withParameters(
    command('refresh', "keeps a hunt's result as a table in schema hunt, for dashboards")
      .argument('<name>')
      .addOption(new Option('--every <duration>', 'again and again; without it once').argParser(parseEvery))
      .option('--as <table>', "the table's name (default: the hunt's, with underscores)"),
  ).action(refresh);
}

async function refresh(id: string, options: RefreshOptions): Promise<void> {
  const config = loadConfig({ options });
  const hunt = findHunt(loadHunts(config.hunts.paths, config.hunts.severity), id);
  const parameters = parseParameters(options.param);
  checkParameterNames([hunt], parameters);
  checkRequiredParameters([hunt], parameters);
  const { every: everyMs, as: name = nameOf(hunt) } = options;
  checkName(name);
  await inRounds(config, everyMs, ({ server, signal, failed }) =>
    runRounds({
      everyMs,
      clock: systemClock,
      signal,
      round: async () => {
        const outcome = await refreshHunt({
          hunt,
          name,
          parameters,
          known: config.hunts.known,
          overridden: Object.hasOwn(config.hunts.severity, hunt.id),
          connect: () => server.connect(),
          signal,
        });
        if (outcome.kind === 'failed') failed();
        tell(hunt, name, outcome);
      },
      outage: async (error) => printError(error),
      recovered: () => Promise.resolve(),
    }),
  );
}

function tell(hunt: Hunt, name: string, outcome: RefreshOutcome): void {
  switch (outcome.kind) {
    case 'refreshed':
      say(`hunt.${name}: ${outcome.rows} rows`);
      return;
    case 'failed':
      say(`hunt.${name}: ${hunt.id} fails, the rows stay as they were:`);
      printStatementFailure(outcome.failure, hunt.sql);
      return;
    case 'claimed':
      say(`hunt.${name}: another process refreshes it at this moment`);
  }
}
