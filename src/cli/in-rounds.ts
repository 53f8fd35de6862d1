import type { Config } from '../app/config/load.ts';
import { Exit, STATUS } from './exit-status.ts';
import { ServerOfRounds } from './server-of-rounds.ts';

export interface InRounds {
  readonly server: ServerOfRounds;
  readonly signal: AbortSignal;
  /** Ends the work, as a signal would. */
  readonly end: () => void;
  /** Of one round alone: the exit status tells it. */
  readonly failed: () => void;
}

/**
 * Work that goes on until it is told to end, or one round of it where `everyMs` is undefined. SIGTERM ends it as it ends a
 * server, SIGINT is somebody's Ctrl-C; a second one ends the process at once.
 */
export async function inRounds(
  config: Config,
  everyMs: number | undefined,
  work: (rounds: InRounds) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const state = { interrupted: false, failed: false };
  const onSignal = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(STATUS.interrupted);
    state.interrupted = signal === 'SIGINT';
    controller.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const server = new ServerOfRounds(config);
  try {
    await work({
      server,
      signal: controller.signal,
      end: () => controller.abort(),
      failed: () => (state.failed = true),
    });
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    // Whatever failed did so because it was told to.
    if (state.interrupted) throw new Exit(STATUS.interrupted);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    await server.close();
  }
  if (everyMs === undefined && state.failed) throw new Exit(STATUS.failed);
}
