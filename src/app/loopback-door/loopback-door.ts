import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../../kernel/log.ts';
import type { FromDoor, ToDoor } from './messages.ts';

/** Its own needs: a few sockets that wait for their start-up packet. */
const HEAP_MB = 24;
const RESTART_MS = 500;

export interface LoopbackDoorOptions {
  readonly host: string;
  /** Whether a connection for this backend, undefined where it names none, is to be served here. Asked of those that are not our own. */
  readonly mayEnter: (pid: number | undefined) => Promise<boolean>;
  /** Gets each connection that is, with what it has sent so far. */
  readonly connected: (socket: Socket, head: Buffer) => void;
  /** It listens at another port than before. */
  readonly moved: (port: number) => void;
  readonly log: Logger;
}

/**
 * A small process that listens for postgres_fdw in the server's place, and hands connections over. All processes' listeners
 * stand in one list, which libpq tries in order: a server that is stopped, or busy for minutes, would keep everybody else's
 * scans waiting, because the kernel takes connections for it; so would one that its engine does not answer. Its door turns
 * them away, so that libpq goes on.
 */
export class LoopbackDoor {
  readonly #options: LoopbackDoorOptions;
  readonly #own = new Set<number>();
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: LoopbackDoorOptions) {
    this.#options = options;
  }

  /** Resolves with its port. */
  async open(): Promise<number> {
    const { host, connected, log } = this.#options;
    const child = startProcess(host);
    this.#child = child;
    let opened: ((port: number) => void) | undefined;
    const listening = new Promise<number>((resolve) => (opened = resolve));
    const ended = once(child, 'exit').then(([status, signal]) => {
      if (this.#child === child) this.#child = undefined;
      const error = new Error(`the loopback's door ended with ${String(status ?? signal)}`);
      if (!this.#closed) log.warn({ err: error }, 'what is scanned below functions and views waits for another one');
      return error;
    });
    child.on('error', (error) => log.debug({ err: error }, 'the door cannot be told'));
    child.on('message', (message: FromDoor, handle) => {
      switch (message.kind) {
        case 'listening':
          opened?.(message.port);
          return;
        case 'asked':
          void this.#answer(message.question, message.pid);
          return;
        case 'connected':
          if (!(handle instanceof Socket)) return;
          if (this.#closed) handle.destroy();
          else connected(handle, Buffer.from(message.head, 'base64'));
          return;
      }
    });
    const port = await Promise.race([listening, ended]);
    if (typeof port !== 'number') throw port;
    // What was said before it listened it may not have heard.
    for (const pid of this.#own) this.#tell({ kind: 'own', pid, is: true });
    void ended.then(() => this.#openAgain());
    return port;
  }

  /** Whether that backend is one of ours. */
  own(pid: number, is: boolean): void {
    if (is) this.#own.add(pid);
    else this.#own.delete(pid);
    this.#tell({ kind: 'own', pid, is });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined) return;
    const ended = once(child, 'exit');
    // It has nothing to tidy, and may be stopped itself.
    child.kill('SIGKILL');
    await ended;
  }

  /** Of whom the engine says nothing, that says nothing, too. */
  async #answer(question: number, pid: number | undefined): Promise<void> {
    const mayEnter = await this.#options.mayEnter(pid).catch(() => false);
    this.#tell({ kind: 'answered', question, mayEnter });
  }

  #tell(message: ToDoor): void {
    if (this.#child?.connected === true) this.#child.send(message, () => undefined);
  }

  #openAgain(): void {
    if (this.#closed) return;
    this.#restart = setTimeout(() => {
      this.open().then(
        (port) => this.#options.moved(port),
        () => this.#openAgain(),
      );
    }, RESTART_MS);
  }
}

/** With nothing of our environment, and in a group of its own: what a terminal stops or interrupts is the server. */
function startProcess(host: string): ChildProcess {
  const main = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? 'main.ts' : 'main.js', import.meta.url));
  const loader = main.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : [];
  return fork(main, [host], {
    execArgv: [...loader, `--max-old-space-size=${String(HEAP_MB)}`],
    env: {},
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}
