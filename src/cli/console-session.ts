import type { Config } from '../app/config/load.ts';
import type { SqlClient } from '../hunts/sql-client.ts';
import { STATUS, Exit } from './exit-status.ts';
import { ProgressLine } from './progress-line.ts';
import { say } from './terminal.ts';

export interface ConsoleSession {
  readonly client: SqlClient;
  readonly progress: ProgressLine;
  /** True once Ctrl-C has been pressed. */
  readonly interrupted: () => boolean;
}

/**
 * Connects to the data directory's server (or to one started for this call), lets `work` use it, and closes all of it.
 * The first SIGINT or SIGTERM cancels the statement that runs, the second one ends the process.
 */
export async function withConsole(config: Config, work: (session: ConsoleSession) => Promise<void>): Promise<void> {
  const state = { interrupted: false };
  let client: SqlClient | undefined;
  const onSignal = () => {
    if (state.interrupted) process.exit(STATUS.interrupted);
    state.interrupted = true;
    client?.cancel().catch((error: unknown) => say(`trailhound: cannot cancel: ${String(error)}`));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const progress = new ProgressLine();
  const useClient = async (connected: SqlClient) => {
    try {
      if (progress.enabled) await connected.rows('set trailhound.progress to on');
      await work({ client: connected, progress, interrupted: () => state.interrupted });
    } finally {
      progress.end();
      await connected.close();
    }
  };
  try {
    const { openConsole } = await import('../app/console.ts');
    const { connectSql } = await import('../hunts/sql-client.ts');
    const console = await openConsole(config);
    try {
      if (state.interrupted) throw new Exit(STATUS.interrupted);
      client = await connectSql(console.target, (notice) => progress.notice(notice));
      await useClient(client);
    } finally {
      await console.close();
    }
  } catch (error) {
    // Whatever failed did so because it was told to.
    if (state.interrupted) throw new Exit(STATUS.interrupted);
    throw error;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}
