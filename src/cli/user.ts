import { Command } from 'commander';
import { loadConfig } from '../app/config/load.ts';
import { withConsole } from './console-session.ts';
import { command } from './options.ts';
import { createRowWriter } from './output/create-row-writer.ts';
import { say, writeOut } from './terminal.ts';
import type { CommonOptions } from '../app/config/layers.ts';

export function userCommand(): Command {
  return new Command('user')
    .description('roles for people and tools')
    .addCommand(
      command('add', 'make a role that may log in; prints its password')
        .argument('<name>')
        .option('--read-only', 'may select from the tables and make nothing, for dashboards')
        .action(async (name: string, options: CommonOptions & { readonly readOnly?: boolean }) => {
          await withConsole(loadConfig({ options }), async ({ client }) => {
            const { addUser } = await import('../app/users.ts');
            const password = await addUser(client, name, options.readOnly === true ? 'reader' : 'member');
            say(`The password of ${name}; it is not shown again:`);
            await writeOut(`${password}\n`);
          });
        }),
    )
    .addCommand(
      command('list', 'every role that may log in').action(async (options: CommonOptions) => {
        await withConsole(loadConfig({ options }), async ({ client }) => {
          const { listUsers } = await import('../app/users.ts');
          const writer = createRowWriter('table', { toTerminal: true });
          const fields = ['name', 'may'].map((name) => ({ name, typeOid: 25 }));
          const rows = (await listUsers(client)).map((user) => [user.name, user.may]);
          await writeOut(writer.begin(fields) + writer.rows(rows) + writer.end());
        });
      }),
    )
    .addCommand(
      command('remove', 'end a role; fails while it owns anything')
        .argument('<name>')
        .action(async (name: string, options: CommonOptions) => {
          await withConsole(loadConfig({ options }), async ({ client }) => {
            const { removeUser } = await import('../app/users.ts');
            await removeUser(client, name);
          });
        }),
    );
}
