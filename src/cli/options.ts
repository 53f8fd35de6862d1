import { Command, InvalidArgumentError, Option } from 'commander';
import type { CommonOptions } from '../app/config/layers.ts';
import { OUTPUTS, type Output } from './output/row-writer.ts';

/** A subcommand that takes the options common to all. */
export function command(name: string, description: string): Command {
  return commandWithoutFile(name, description).option(
    '--config <file>',
    'configuration (default: $TRAILHOUND_CONFIG, else ./trailhound.yaml where it exists)',
  );
}

/** One that reads no configuration file. */
export function commandWithoutFile(name: string, description: string): Command {
  return (
    new Command(name)
      .description(description)
      .option('--host <host>', 'address to listen on')
      .option('--port <number>', "port of the PostgreSQL endpoint; 0: the system's choice")
      .option('--http-port <number>', 'port of the HTTP endpoint, or off')
      .option('--data-dir <folder>', 'where the engine, passwords and caches are kept')
      .option('--engine-url <url>', 'a PostgreSQL of your own (16 or newer, as superuser) in place of the embedded one')
      .option('--timezone <name>', 'time zone of sessions that set none (default: UTC)')
      .option('--log-level <level>', 'silent, fatal, error, warn, info, debug or trace')
      // What is misspelt is refused by name, and an argument too many is one.
      .allowExcessArguments(false)
  );
}

export interface ParameterOptions extends CommonOptions {
  readonly param: readonly string[];
}

export interface OutputOptions extends ParameterOptions {
  readonly output: Output;
}

export function withOutput(target: Command): Command {
  return withParameters(
    target.addOption(new Option('--output <format>', 'form of the result').choices(OUTPUTS).default('table')),
  );
}

export function withParameters(target: Command): Command {
  return target.option('--param <name=value>', 'sets hunt.<name>; may be given several times', collect, []);
}

function collect(value: string, before: readonly string[]): readonly string[] {
  if (!/^[a-z][a-z0-9_]*=/.test(value)) throw new InvalidArgumentError('Write name=value.');
  return [...before, value];
}
