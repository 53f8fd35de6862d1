import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import type { Command } from 'commander';
import { loadConfig, type Config } from '../app/config/load.ts';
import { parseParameters, setParameters } from '../hunts/run-hunt.ts';
import { beforeSearch } from '../hunts/searched.ts';
import { isStatementFailure } from '../hunts/statement-failure.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { withConsole, type ConsoleSession } from './console-session.ts';
import { Exit, STATUS } from './exit-status.ts';
import { command, withOutput, type OutputOptions } from './options.ts';
import type { Output } from './output/row-writer.ts';
import { printStatementFailure } from './print-error.ts';
import { printResult } from './print-result.ts';
import { sayNothingFound } from './say-nothing-found.ts';
import { isTerminal } from './terminal.ts';

interface QueryOptions extends OutputOptions {
  readonly file?: string;
}

export function queryCommand(): Command {
  return withOutput(command('query', 'run SQL, or open a shell where none is given'))
    .argument('[sql]', 'statements; - reads them from stdin')
    .option('-f, --file <file>', 'statements from a file')
    .action(async (sql: string | undefined, options: QueryOptions) => {
      const parameters = parseParameters(options.param);
      const config = loadConfig({ options });
      const text = await statements(sql, options.file);
      await withConsole(config, async (session) => {
        await setParameters(session.client, parameters);
        if (text === undefined) await shell(session, config, options.output);
        else await runStatements(session, text, options.output);
      });
    });
}

async function statements(sql: string | undefined, file: string | undefined): Promise<string | undefined> {
  if (sql !== undefined && file !== undefined) {
    throw new TrailhoundError('configuration', 'both SQL and --file are given', { hint: 'Give one of them.' });
  }
  if (file !== undefined && file !== '-') {
    return readFile(file, 'utf8').catch((cause: unknown) => {
      throw new TrailhoundError('configuration', `--file: cannot read ${file}`, {
        hint: 'Name a file of SQL, or - for stdin.',
        cause,
      });
    });
  }
  if (sql === '-' || file === '-' || (sql === undefined && !isTerminal.stdin())) return readAll(process.stdin);
  return sql;
}

async function runStatements({ client, progress }: ConsoleSession, text: string, output: Output): Promise<void> {
  const before = await beforeSearch(client);
  progress.begin();
  try {
    const { rows } = await printResult(client.run(text), output, () => progress.end());
    if (rows === 0) await sayNothingFound(client, before);
  } catch (error) {
    progress.end();
    if (!isStatementFailure(error)) throw error;
    printStatementFailure(error, text);
    throw new Exit(STATUS.failed);
  }
}

async function shell(session: ConsoleSession, config: Config, output: Output): Promise<void> {
  const { runShell } = await import('./shell.ts');
  await runShell(session, { dataDir: config.dataDir, output });
}
