import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { TrailhoundError } from '../../kernel/errors.ts';
import type { Binaries } from './binaries.ts';
import { readPostmasterStatus } from './cluster.ts';
import type { LogFile } from './log-file.ts';
import { ENGINE_ENVIRONMENT, identity } from './run-program.ts';
import type { SocketDirectory } from './socket-directory.ts';
import { SOCKET_NAME } from './socket-directory.ts';
import type { SystemUser } from './system-user.ts';

/**
 * PostgreSQL's parent. Its standard input is a pipe from us: when we end in any way, SIGKILL too, the kernel closes it,
 * `read` returns, and the server gets SIGINT (fast shutdown), after 5 s SIGQUIT (immediate), after 10 s SIGKILL; see
 * "Shutting Down the Server" in PostgreSQL's manual. We ask for the end in the same way: by closing the pipe.
 * $1: a temporary socket directory to remove or nothing, $2: the socket's name, then the command.
 */
const WATCHDOG = `
directory=$1 socket=$2
shift 2
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
(
  read -r _ <&3
  waited=0
  for signal in INT QUIT KILL; do
    kill -s "$signal" "$server" 2>/dev/null || exit 0
    until [ $((waited += 1)) -gt 50 ]; do
      sleep 0.1
      kill -s 0 "$server" 2>/dev/null || exit 0
    done
    waited=0
  done
) >/dev/null 2>&1 &
closer=$!
echo "$server"
wait "$server"
status=$?
kill "$closer" 2>/dev/null
if [ -n "$directory" ]; then
  rm -f "$directory/$socket" "$directory/$socket.lock"
  rmdir "$directory"
fi
exit "$status"
`;

/** How long a start may take: recovery after a crash reads at most max_wal_size (1 GB). */
const START_PATIENCE_MS = 60_000;

export interface Server {
  readonly pid: number;
  /** Resolves when the server has ended, with the reason. */
  readonly exited: Promise<string>;
  /** Fast shutdown, then immediate, then none at all. Idempotent. */
  stop(): Promise<void>;
}

/** Starts PostgreSQL and waits until it accepts connections. */
export async function startServer(
  cluster: string,
  binaries: Binaries,
  socketDirectory: SocketDirectory,
  log: LogFile,
  user: SystemUser,
  moreArguments: readonly string[] = [],
): Promise<Server> {
  const child = spawn(
    '/bin/sh',
    [
      '-c',
      WATCHDOG,
      'trailhound-engine',
      socketDirectory.temporary ? socketDirectory.path : '',
      SOCKET_NAME,
      binaries.postgres,
      '-D',
      cluster,
      ...moreArguments,
    ],
    {
      ...identity(user),
      cwd: '/',
      env: ENGINE_ENVIRONMENT,
      stdio: 'pipe',
      // Its own session: Ctrl-C in our terminal must reach us alone.
      detached: true,
    },
  );
  child.stdin.on('error', () => undefined);
  child.stderr.on('data', (chunk: Buffer) => log.write(chunk));
  let pid = 0;
  child.stdout.once('data', (chunk: Buffer) => {
    pid = Number.parseInt(chunk.toString('latin1'), 10);
  });
  // A watchdog that was killed leaves its server without one.
  child.on('exit', (_status, signal) => {
    if (signal !== null && pid > 0) stopOrphan(pid);
  });
  const exited = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(`cannot start it: ${error.message}`));
    // Not 'exit': the server holds stderr, and has ended only when that is closed.
    child.on('close', (status, signal) => resolve(signal === null ? `status ${status}` : `signal ${signal}`));
  });

  const stop = async (): Promise<void> => {
    child.stdin.end();
    await exited;
  };

  const deadline = Date.now() + START_PATIENCE_MS;
  let reason: string | undefined;
  while (reason === undefined) {
    const status = await readPostmasterStatus(cluster);
    if (pid > 0 && status?.pid === pid && status.ready) return { pid, exited, stop };
    if (Date.now() > deadline) {
      await stop();
      reason = `not within ${START_PATIENCE_MS / 1000} s`;
    } else {
      reason = await Promise.race([sleep(10).then(() => undefined), exited]);
    }
  }
  throw new TrailhoundError('configuration', `PostgreSQL did not start: ${reason}`, {
    detail: log.tail().split('\n').slice(-3).join(' '),
    hint: 'Read engine.log in the data directory.',
  });
}

function stopOrphan(pid: number): void {
  try {
    process.kill(pid, 'SIGINT');
  } catch {
    // It is gone already.
  }
}
