import type { Command } from 'commander';
import type { CommonOptions } from '../app/config/layers.ts';
import { loadConfig } from '../app/config/load.ts';
import { dataDirOption, printBanner, printConnections } from './banner.ts';
import { command } from './options.ts';
import { runUntilSignal } from './until-signal.ts';

export function serveCommand(): Command {
  return command('serve', 'run the server').action(async (options: CommonOptions) => {
    const config = loadConfig({ options });
    const { buildServer } = await import('../app/server.ts');
    const server = buildServer(config);
    const endpoint = await server.start();
    // Who reads that it is ready may end it at once.
    const ended = runUntilSignal(server);
    const printed = printBanner(config, endpoint, [
      ['first', `npx trailhound hunt run cloudtrail/console-sign-ins${dataDirOption(config)}`],
    ]).then(() => printConnections(endpoint));
    await Promise.all([ended, printed]);
  });
}
