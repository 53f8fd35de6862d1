import { availableParallelism } from 'node:os';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { Place } from './line-plan.ts';
import { LocalFile } from './local-file.ts';
import type { FileBatch } from './parse-chunks.ts';
import { type JobBytes, type ParserJob, type ParserMessage, decodeBatch, decodeFailure } from './parser-messages.ts';
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

  /** As `parseChunks`, of records that have nothing but what is wanted of them. Ends the iteration of `chunks` in any case. */
  async *parse(
    chunks: AsyncIterable<Uint8Array>,
    wanted: Wanted,
    place: Place = {},
  ): AsyncGenerator<FileBatch, void, undefined> {
    const thread = this.#thread();
    const { port1: port, port2 } = new MessageChannel();
    const source = chunks[Symbol.asyncIterator]();
    thread.jobs += 1;
    try {
      const messages = new Inbox(port, source, thread);
      const bytes = chunks instanceof LocalFile ? { path: chunks.path } : await headOf(source);
      thread.worker.postMessage({ port: port2, wanted, place, bytes } satisfies ParserJob, [port2]);
      for (;;) {
        const message = await messages.next();
        switch (message.kind) {
          case 'batch':
            yield decodeBatch(message.batch);
            port.postMessage('taken');
            break;
          case 'last':
            yield decodeBatch(message.batch);
            return;
          case 'failed':
            throw decodeFailure(message.failure);
        }
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
async function headOf(source: AsyncIterator<Uint8Array>): Promise<JobBytes> {
  const chunks: Uint8Array[] = [];
  for (let bytes = 0; bytes < HEAD_BYTES;) {
    const next = await source.next();
    if (next.done === true) return { chunks, isAll: true };
    chunks.push(next.value);
    bytes += next.value.length;
  }
  return { chunks, isAll: false };
}

/** What a thread says of a file, as it is asked for; chunks are sent whenever the thread wants one. */
class Inbox {
  readonly #messages: Exclude<ParserMessage, { kind: 'pull' }>[] = [];
  #failure: { readonly error: unknown } | undefined;
  #wake = () => {};
  #sending: Promise<void> = Promise.resolve();

  constructor(port: MessagePort, source: AsyncIterator<Uint8Array>, thread: Thread) {
    const fail = (error: unknown) => {
      this.#failure ??= { error };
      this.#wake();
    };
    port.on('message', (message: ParserMessage) => {
      if (message.kind !== 'pull') {
        this.#messages.push(message);
        this.#wake();
        return;
      }
      this.#sending = this.#sending.then(async () => {
        const next = await source.next();
        port.postMessage({ chunk: next.done === true ? undefined : next.value });
      });
      this.#sending.catch(fail);
    });
    // Why it has ended is known a little later than that it has.
    port.on('close', () =>
      setImmediate(() => fail(new Error('the thread that parsed it has ended', { cause: thread.failure }))),
    );
  }

  async next(): Promise<Exclude<ParserMessage, { kind: 'pull' }>> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#failure !== undefined) throw this.#failure.error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
