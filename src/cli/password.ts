import type { Command } from 'commander';
import type { CommonOptions } from '../app/config/layers.ts';
import { loadConfig } from '../app/config/load.ts';
import { readPassword } from '../app/password.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { withConsole } from './console-session.ts';
import { command } from './options.ts';
import { writeOut } from './terminal.ts';

export function passwordCommand(): Command {
  return command('password', 'print the password of the role trailhound')
    .option('--rotate', 'make a new one first')
    .action(async (options: CommonOptions & { readonly rotate?: boolean }) => {
      const config = loadConfig({ options });
      if (options.rotate === true) {
        await withConsole(config, async ({ client }) => {
          const { rotatePassword } = await import('../app/rotate-password.ts');
          await writeOut(`${await rotatePassword(config, client)}\n`);
        });
        return;
      }
      const password = config.password ?? (await readPassword(config.dataDir));
      if (password === undefined) {
        throw new TrailhoundError('configuration', `there is no password in ${config.dataDir} yet`, {
          hint: 'The first start makes one: run trailhound serve, or name another --data-dir.',
        });
      }
      await writeOut(`${password}\n`);
    });
}
