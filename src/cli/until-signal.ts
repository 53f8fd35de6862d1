import type { Server } from '../app/server.ts';
import { Exit, STATUS } from './exit-status.ts';
import { isTerminal, say } from './terminal.ts';

/**
 * Lets the server run until SIGTERM or SIGINT, or until its engine ends. Running statements get ten seconds; a second
 * signal ends them at once. SIGHUP reads the certificate anew.
 */
export async function runUntilSignal(server: Server): Promise<void> {
  const reason = await new Promise<{ kind: 'signal'; signal: NodeJS.Signals } | { kind: 'failed'; message: string }>(
    (resolve) => {
      let signalled = false;
      const onSignal = (signal: NodeJS.Signals) => {
        if (signalled) void server.stop('immediately');
        signalled = true;
        resolve({ kind: 'signal', signal });
      };
      process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
      // With a terminal it says that this has gone.
      process.on('SIGHUP', isTerminal.stdin() ? onSignal : () => void server.reload());
      void server.failed.then((message) => resolve({ kind: 'failed', message }));
    },
  );
  if (reason.kind === 'failed') {
    say(`trailhound: the engine has ended: ${reason.message}`);
    say('  The end of engine.log in the data directory says more.');
    await server.stop('immediately');
    throw new Exit(STATUS.failed);
  }
  if (isTerminal.stderr()) say('Stopping: running statements get 10 s; once more stops at once.');
  await server.stop('gracefully');
  // SIGTERM is how a server is ended; SIGINT is somebody's Ctrl-C.
  if (reason.signal === 'SIGINT') throw new Exit(STATUS.interrupted);
}
