import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { demoCommand } from './demo.ts';
import { Exit, STATUS, statusOf, type Status } from './exit-status.ts';
import { huntCommand } from './hunt.ts';
import { passwordCommand } from './password.ts';
import { printError } from './print-error.ts';
import { queryCommand } from './query.ts';
import { refreshCommand } from './refresh.ts';
import { serveCommand } from './serve.ts';
import { OutputClosed, watchOutput } from './terminal.ts';
import { userCommand } from './user.ts';

/** Runs one command line and resolves to the exit status. Never rejects. */
export async function main(args: readonly string[]): Promise<Status> {
  watchOutput();
  const program = new Command('trailhound')
    .description('One PostgreSQL endpoint for hunting across cloud audit logs, findings and threat intelligence.')
    .version(version(), '--version')
    .addCommand(serveCommand())
    .addCommand(demoCommand())
    .addCommand(queryCommand())
    .addCommand(huntCommand())
    .addCommand(refreshCommand())
    .addCommand(userCommand())
    .addCommand(passwordCommand());
  overrideExit(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return STATUS.done;
  } catch (error) {
    if (error instanceof OutputClosed) return STATUS.done;
    if (!(error instanceof Exit) && !(error instanceof CommanderError)) printError(error);
    return statusOf(error);
  }
}

/** Commander would end the process itself; its settings are not passed on to commands that were added. */
function overrideExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) overrideExit(child);
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
