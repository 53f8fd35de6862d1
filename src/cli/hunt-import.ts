import { Argument, InvalidArgumentError, Option, type Command } from 'commander';
import { loadConfig } from '../app/config/load.ts';
import type { CommonOptions } from '../app/config/layers.ts';
import { idPrefix, loadHunts } from '../hunts/hunt-library.ts';
import { CALL_TABLES, type CallTable } from '../hunts/import/call-table.ts';
import { importHunts, KINDS } from '../hunts/import/import-hunts.ts';
import { nearest } from '../kernel/nearest.ts';
import { withConsole } from './console-session.ts';
import { Exit, STATUS } from './exit-status.ts';
import { command } from './options.ts';
import { printable } from './output/printable.ts';
import { say, writeOut } from './terminal.ts';

interface ImportOptions extends CommonOptions {
  readonly into?: string;
  readonly replace?: boolean;
  readonly table: CallTable;
}

export function huntImportCommand(): Command {
  return command('import', 'turn rules of another language into hunts; calls no source')
    .addArgument(new Argument('<kind>', 'language of the rules').choices(KINDS))
    .argument('<file|folder>', 'the rules')
    .option('--into <folder>', 'where the hunts are written (default: the first of hunts.paths, else ./queries)')
    .option('--replace', 'overwrite hunts that say something else')
    .addOption(
      new Option('--table <name>', `where the hunts read calls: ${CALL_TABLES.join(', ')}`)
        .argParser(parseTable)
        .default(CALL_TABLES[0]),
    )
    .action(importRules);
}

function parseTable(name: string): CallTable {
  const table = CALL_TABLES.find((each) => each === name);
  if (table !== undefined) return table;
  const guess = nearest(name, CALL_TABLES);
  throw new InvalidArgumentError(
    guess === undefined ? `It is one of ${CALL_TABLES.join(', ')}.` : `Did you mean ${guess}?`,
  );
}

async function importRules(kind: string, from: string, options: ImportOptions): Promise<void> {
  const config = loadConfig({ options });
  const into = options.into ?? config.hunts.paths[0] ?? 'queries';
  const known = loadHunts(config.hunts.paths);
  const prefix = idPrefix(into, config.hunts.paths);
  await withConsole(config, async ({ client }) => {
    const replace = options.replace === true;
    const { written, unchanged, refused, lost, left } = await importHunts(client, kind, {
      from,
      into,
      prefix: prefix ?? '',
      replace,
      table: options.table,
      known,
    });
    await writeOut(written.map((file) => `${printable(file)}\n`).join(''));
    for (const { place, reason } of refused) say(`${printable(place)}: ${printable(reason)}`);
    for (const { place, events } of lost) say(`${printable(place)}: no table has ${printable(events)}`);
    for (const file of left) say(`${printable(file)}: its rule has other hunts by now: remove the file`);
    say(`${written.length} hunts written, ${unchanged.length} unchanged, ${refused.length} rules refused`);
    if (written.length > 0 && prefix === undefined) {
      say(`${printable(into)} is not among the folders of hunts: name it in hunts.paths of the configuration`);
    }
    if (refused.length > 0) throw new Exit(STATUS.failed);
  });
}
