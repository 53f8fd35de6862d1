import { Command, Option } from 'commander';
import { loadConfig, type Config } from '../app/config/load.ts';
import { SEVERITIES, isAtLeast, type Hunt, type Severity } from '../hunts/hunt.ts';
import { findHunt, loadHunts } from '../hunts/hunt-library.ts';
import { beforeSearch } from '../hunts/searched.ts';
import { checkRequiredParameters, requirements } from '../hunts/required-parameters.ts';
import { isStatementFailure } from '../hunts/statement-failure.ts';
import { checkParameterNames, parseParameters, runHunt, type HuntEvent, type Parameters } from '../hunts/run-hunt.ts';
import { parseDestination, type Destination } from '../hunts/watch/destination.ts';
import { withConsole, type ConsoleSession } from './console-session.ts';
import { Exit, STATUS } from './exit-status.ts';
import { huntImportCommand } from './hunt-import.ts';
import { command, withOutput, type OutputOptions } from './options.ts';
import { createRowWriter } from './output/create-row-writer.ts';
import { printable } from './output/printable.ts';
import type { Output } from './output/row-writer.ts';
import { parseEvery } from './parse-every.ts';
import { printStatementFailure } from './print-error.ts';
import { printResult } from './print-result.ts';
import { sayNothingFound } from './say-nothing-found.ts';
import { say, writeOut } from './terminal.ts';

interface RunOptions extends OutputOptions {
  readonly failOn?: Severity;
  /** Milliseconds. */
  readonly every?: number;
  readonly notify: readonly Destination[];
}

export function huntCommand(): Command {
  return new Command('hunt')
    .description('saved hunts')
    .addCommand(command('list', 'every hunt with its severity and title').action(list))
    .addCommand(command('show', 'one hunt with its SQL').argument('<name>').action(show))
    .addCommand(
      withOutput(command('run', 'run hunts, one after the other'))
        .argument('<name...>')
        .addOption(
          new Option('--fail-on <severity>', 'exit status 3 where a hunt of at least this severity has rows').choices(
            SEVERITIES,
          ),
        )
        .addOption(
          new Option('--every <duration>', 'watch: run again and again, new rows only')
            .argParser(parseEvery)
            .conflicts('failOn'),
        )
        .addOption(
          new Option('--notify <destination>', 'tell new rows to slack:URL or webhook:URL; may be given several times')
            .argParser((text: string, before: readonly Destination[]) => [...before, parseDestination(text)])
            .default([], 'none')
            .conflicts('failOn'),
        )
        .action(run),
    )
    .addCommand(command('check', 'validate every hunt; calls no source').action(check))
    .addCommand(huntImportCommand());
}

function load(options: OutputOptions): { config: Config; hunts: readonly Hunt[] } {
  const config = loadConfig({ options });
  return { config, hunts: loadHunts(config.hunts.paths, config.hunts.severity) };
}

async function list(options: OutputOptions): Promise<void> {
  const { hunts } = load(options);
  const writer = createRowWriter('table', { toTerminal: true });
  const fields = ['name', 'severity', 'title', 'required'].map((name) => ({ name, typeOid: 25 }));
  const rows = hunts.map((hunt) => [hunt.id, hunt.severity, hunt.title, requiredText(hunt)]);
  await writeOut(writer.begin(fields) + writer.rows(rows) + writer.end());
}

function requiredText(hunt: Hunt): string {
  return requirements(hunt)
    .map((names) => names.join(' or '))
    .join(', ');
}

async function show(name: string, options: OutputOptions): Promise<void> {
  const hunt = findHunt(load(options).hunts, name);
  await writeOut(hunt.sql);
}

async function run(names: readonly string[], options: RunOptions): Promise<void> {
  const { config, hunts: all } = load(options);
  const hunts = names.map((name) => findHunt(all, name));
  const parameters = parseParameters(options.param);
  checkParameterNames(hunts, parameters);
  checkRequiredParameters(hunts, parameters);
  const { every: everyMs, notify: destinations } = options;
  if (everyMs !== undefined || destinations.length > 0) {
    const { watchFromCommandLine } = await import('./watch-hunts.ts');
    await watchFromCommandLine(hunts, { config, parameters, output: options.output, destinations, everyMs });
    return;
  }
  await withConsole(config, async (session) => {
    const results = await runHunts(session, hunts, { parameters, output: options.output, config });
    if (results.some((result) => result.failed))
      throw new Exit(session.interrupted() ? STATUS.interrupted : STATUS.failed);
    const { failOn } = options;
    if (failOn !== undefined && results.some(({ hunt, rows }) => rows > 0 && isAtLeast(hunt.severity, failOn))) {
      throw new Exit(STATUS.found);
    }
  });
}

interface HuntResult {
  readonly hunt: Hunt;
  readonly rows: number;
  readonly failed: boolean;
}

interface HuntRun {
  readonly parameters: Parameters;
  readonly output: Output;
  readonly config: Config;
  /** Columns that are not shown. */
  readonly omit?: readonly string[];
}

/** Runs all of them: one that fails is told and does not keep the others from running. */
export async function runHunts(
  session: ConsoleSession,
  hunts: readonly Hunt[],
  { parameters, output, config, omit = [] }: HuntRun,
): Promise<readonly HuntResult[]> {
  const results: HuntResult[] = [];
  for (const hunt of hunts) {
    if (session.interrupted()) throw new Exit(STATUS.interrupted);
    if (hunts.length > 1 || output === 'table') say(`\n${hunt.id} (${hunt.severity}): ${printable(hunt.title)}`);
    const overridden = Object.hasOwn(config.hunts.severity, hunt.id);
    const events = runHunt(session.client, hunt, parameters, { known: config.hunts.known, overridden });
    const before = await beforeSearch(session.client);
    session.progress.begin();
    try {
      const { rows } = await printResult(withoutColumns(events, omit), output, () => session.progress.end());
      if (rows === 0) await sayNothingFound(session.client, before);
      results.push({ hunt, rows: rows ?? 0, failed: false });
    } catch (error) {
      session.progress.end();
      if (!isStatementFailure(error)) throw error;
      printStatementFailure(error, hunt.sql);
      results.push({ hunt, rows: 0, failed: true });
    }
  }
  return results;
}

async function* withoutColumns(events: AsyncIterable<HuntEvent>, omit: readonly string[]): AsyncGenerator<HuntEvent> {
  let kept: readonly number[] = [];
  for await (const event of events) {
    if (event.kind === 'fields') {
      kept = [...event.fields.keys()].filter((index) => !omit.includes(event.fields[index]?.name ?? ''));
      yield { kind: 'fields', fields: event.fields.filter((_, index) => kept.includes(index)) };
    } else if (event.kind === 'rows') {
      yield { kind: 'rows', rows: event.rows.map((row) => kept.map((index) => row[index] ?? null)) };
    } else {
      yield event;
    }
  }
}

async function check(options: OutputOptions): Promise<void> {
  const { config, hunts } = load(options);
  const { checkHunt } = await import('../hunts/check-hunt.ts');
  await withConsole(config, async ({ client }) => {
    let wrong = 0;
    for (const hunt of hunts) {
      const problems = await checkHunt(client, hunt);
      if (problems.length > 0) wrong += 1;
      for (const problem of problems) say(`${hunt.file}: ${printable(problem)}`);
    }
    await writeOut(`${hunts.length} hunts checked, ${wrong} wrong\n`);
    if (wrong > 0) throw new Exit(STATUS.failed);
  });
}
