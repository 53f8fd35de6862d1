import type { SqlClient } from '../hunts/sql-client.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { Config } from './config/load.ts';
import { makePassword, OWNER, writePassword, writePgpass } from './password.ts';
import { findRunningServer } from './server-file.ts';
import { verifierOf } from './users.ts';

/** Gives the owner a new password, in the engine and in the data directory's files. Connections stay. */
export async function rotatePassword(config: Config, client: SqlClient): Promise<string> {
  if (config.password !== undefined) {
    throw new TrailhoundError('configuration', `the password is set by ${config.origin(['password'])}`, {
      hint: 'Change it there.',
    });
  }
  const password = makePassword();
  await client.rows(`alter role ${OWNER} password '${await verifierOf(password)}'`);
  await writePassword(config.dataDir, password);
  const running = await findRunningServer(config.dataDir);
  await writePgpass(config.dataDir, running?.port ?? config.listen.port, password);
  return password;
}
