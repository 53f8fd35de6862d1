import { availableParallelism } from 'node:os';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { withToken } from '../exact-number.ts';
import type { FileRun, RunPiece } from './file-run.ts';
import {
  type ChunkMessage,
  type EncodedPiece,
  type JobFiles,
  type ParserJob,
  type ParserMessage,
  decodePiece,
} from './parser-messages.ts';
import type { Wanted } from './wanted.ts';

/** With more of them, what takes their rows would be the slowest, and each needs memory of its own. */
const MOST_THREADS = 4;
/** As they are stored. */
const HEAD_BYTES = 1024 * 1024;
/** Of what is young in a thread: parsed records are, and die as such. */
const YOUNG_MIB = 8;
/** Ten of the longest records in all their forms; without a bound what is dead stays long. */
const OLD_MIB = 512;

interface Thread {
  readonly worker: Worker;
  jobs: number;
  failure: unknown;
}

/** Threads that parse files, started when they are first needed, kept until they are closed. */
export class ParserThreads {
  readonly #threads: Thread[] = [];
  /** At once. */
  readonly most: number;
  #closed = false;

  constructor(most = Math.min(MOST_THREADS, availableParallelism())) {
    this.most = most;
  }

  /** One waits for work, or has some. */
  get started(): boolean {
    return this.#threads.length > 0;
  }

  /** As `parseRun`, of records that have nothing but what is wanted of them. Ends the iteration of an object's chunks in any case. */
  async *parse(run: FileRun, wanted: Wanted): AsyncGenerator<RunPiece, void, undefined> {
    const thread = this.#thread();
    const { port1: port, port2 } = new MessageChannel();
    const source = failingForGood((run.kind === 'object' ? run.chunks : nothing())[Symbol.asyncIterator]());
    thread.jobs += 1;
    try {
      const messages = new Inbox(port, source, thread);
      const files = run.kind === 'local' ? run : await beginningOf(source, run);
      thread.worker.postMessage({ port: port2, wanted, files } satisfies ParserJob, [port2]);
      for (;;) {
        const piece = decodePiece(await messages.next());
        yield piece.isLast ? messages.withCause(piece) : piece;
        if (piece.isLast) return;
        port.postMessage('taken');
      }
    } finally {
      thread.jobs -= 1;
      port.close();
      await source.return?.();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#threads.splice(0).map(({ worker }) => worker.terminate()));
  }

  /** The one that has least to do. */
  #thread(): Thread {
    if (this.#closed) throw new Error('the threads that parse files are closed');
    const idle = this.#threads.find(({ jobs }) => jobs === 0);
    if (idle !== undefined) return idle;
    if (this.#threads.length < this.most) return this.#start();
    return this.#threads.reduce((least, thread) => (thread.jobs < least.jobs ? thread : least));
  }

  #start(): Thread {
    const worker = startWorker();
    const thread: Thread = { worker, jobs: 0, failure: undefined };
    this.#threads.push(thread);
    worker.unref();
    const forget = () => {
      const index = this.#threads.indexOf(thread);
      if (index >= 0) this.#threads.splice(index, 1);
    };
    // Its ports are closed with it, by which its files' readers know.
    worker.on('error', (error) => {
      thread.failure = error;
      forget();
    });
    worker.on('exit', forget);
    return thread;
  }
}

/** From its sources, as tests run, a thread needs the loader that its process has. */
function startWorker(): Worker {
  const options = {
    execArgv: [],
    workerData: withToken,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB, maxOldGenerationSizeMb: OLD_MIB },
  };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('parser-thread.js', import.meta.url), options);
  const entry = JSON.stringify(new URL('parser-thread.ts', import.meta.url).href);
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  return new Worker(`import(${loader}).then(({ tsImport }) => tsImport(${entry}, ${entry}))`, {
    ...options,
    eval: true,
  });
}

/** Most files come to their thread as a whole: no message needs to be waited for. */
async function beginningOf(
  source: AsyncIterator<Uint8Array>,
  { place, path }: Pick<FileRun & { kind: 'object' }, 'place' | 'path'>,
): Promise<JobFiles> {
  const chunks: Uint8Array[] = [];
  for (let bytes = 0; bytes < HEAD_BYTES;) {
    // Who pulls on is told of the failure.
    const next = await source.next().catch(() => undefined);
    if (next === undefined) break;
    if (next.done === true) return { kind: 'object', place, path, chunks, isAll: true };
    chunks.push(next.value);
    bytes += next.value.length;
  }
  return { kind: 'object', place, path, chunks, isAll: false };
}

/** What a thread has found, as it is asked for; chunks are sent whenever the thread wants one. */
class Inbox {
  readonly #pieces: EncodedPiece[] = [];
  #failure: { readonly error: unknown } | undefined;
  #broken: Error | undefined;
  #wake = () => {};
  #sending: Promise<void> = Promise.resolve();

  constructor(port: MessagePort, source: AsyncIterator<Uint8Array>, thread: Thread) {
    const fail = (error: unknown) => {
      this.#failure ??= { error };
      this.#wake();
    };
    port.on('message', (message: ParserMessage) => {
      switch (message.kind) {
        case 'piece':
          this.#pieces.push(message.piece);
          this.#wake();
          break;
        case 'pull':
          this.#sending = this.#sending.then(async () => {
            let message: ChunkMessage;
            try {
              const next = await source.next();
              message = { chunk: next.done === true ? undefined : next.value, isBroken: false };
            } catch (error) {
              // What came before is told before.
              this.#broken = error instanceof Error ? error : new Error(String(error));
              message = { chunk: undefined, isBroken: true };
            }
            port.postMessage(message);
          });
          this.#sending.catch(fail);
          break;
      }
    });
    // Why it has ended is known a little later than that it has.
    port.on('close', () =>
      setImmediate(() => fail(new Error('the thread that parsed it has ended', { cause: thread.failure }))),
    );
  }

  /** A thread knows that its file broke off, but not why. */
  withCause(last: RunPiece): RunPiece {
    const broken = this.#broken;
    if (broken === undefined) return last;
    return { ...last, found: last.found.map((each) => ({ ...each, failure: each.failure && broken })) };
  }

  async next(): Promise<EncodedPiece> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) return piece;
      if (this.#failure !== undefined) throw this.#failure.error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** A generator that has failed seems to be at its end when it is asked again. */
function failingForGood<T>(source: AsyncIterator<T>): AsyncIterator<T> {
  let failure: Promise<never> | undefined;
  return {
    next: () =>
      failure ??
      source.next().catch((error: unknown) => {
        failure = Promise.reject(error instanceof Error ? error : new Error(String(error)));
        return failure;
      }),
    return: async () => (await source.return?.()) ?? { done: true, value: undefined },
  };
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}
