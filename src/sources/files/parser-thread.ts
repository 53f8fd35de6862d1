import { type MessagePort, parentPort } from 'node:worker_threads';
import { readAtOnce } from './local-file.ts';
import { type OpenFile, parseRun } from './file-run.ts';
import { wholeBuffer } from './owned-bytes.ts';
import {
  type ChunkMessage,
  type JobFiles,
  type ParserJob,
  type ParserMessage,
  encodePiece,
} from './parser-messages.ts';

/** A thread that parses files, several jobs at a time, each by a port of its own: what `parser-threads.ts` starts. */

const LONGEST_TURN_MS = 5;

parentPort?.on('message', (job: ParserJob) => void parse(job));

async function parse({ port, wanted, files }: ParserJob): Promise<void> {
  const answers = new Answers(port);
  for await (const piece of parseRun(answers.open(files), wanted, true)) {
    const written = piece.copied && wholeBuffer(piece.copied.bytes);
    const message: ParserMessage = { kind: 'piece', piece: encodePiece(piece, wanted.projection) };
    port.postMessage(message, written === undefined ? [] : [written]);
    if (!piece.isLast && !(await answers.taken())) return;
  }
}

/** Messages of a job's port, one by one, each in answer to ours. */
class Answers {
  readonly #port: MessagePort;
  readonly #taken: ((closed: boolean) => void)[] = [];
  readonly #chunks: ((chunk: Uint8Array | undefined, failure: Error | undefined) => void)[] = [];
  #closed = false;
  #lastTurn = performance.now();

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (message: ChunkMessage | 'taken') => {
      if (message === 'taken') this.#taken.shift()?.(false);
      else this.#chunks.shift()?.(message.chunk, message.isBroken ? new Error('it broke off') : undefined);
    });
    port.on('close', () => {
      this.#closed = true;
      for (const resolve of this.#taken) resolve(true);
      for (const resolve of this.#chunks) resolve(undefined, closed());
    });
  }

  /** Whether the piece that was sent has been taken; false where nobody takes one any more. */
  async taken(): Promise<boolean> {
    return !this.#closed && !(await new Promise<boolean>((resolve) => this.#taken.push(resolve)));
  }

  open(files: JobFiles): readonly OpenFile[] {
    const again = (path: string) => () => this.#local(path);
    if (files.kind === 'object') {
      const { path, place } = files;
      return [{ chunks: this.#pulled(files), place, again: path === undefined ? undefined : again(path) }];
    }
    return files.files.map(({ path, place }) => ({ chunks: this.#local(path), place, again: again(path) }));
  }

  async *#local(path: string): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of readAtOnce(path)) {
      await this.#turn();
      if (this.#closed) throw closed();
      yield chunk;
    }
  }

  /** Others that share the thread have theirs, and what was sent to this job is heard. */
  async #turn(): Promise<void> {
    const now = performance.now();
    if (now - this.#lastTurn < LONGEST_TURN_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#lastTurn = performance.now();
  }

  async *#pulled({ chunks, isAll }: JobFiles & { kind: 'object' }): AsyncGenerator<Uint8Array, void, undefined> {
    yield* chunks;
    if (isAll) return;
    for (let ahead = this.#pull(); ;) {
      const chunk = await ahead;
      if (chunk === undefined) return;
      // One is on its way while another one is parsed.
      ahead = this.#pull();
      ahead.catch(() => undefined);
      yield chunk;
    }
  }

  #pull(): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(closed());
        return;
      }
      this.#chunks.push((chunk, failure) => (failure === undefined ? resolve(chunk) : reject(failure)));
      this.#port.postMessage({ kind: 'pull' } satisfies ParserMessage);
    });
  }
}

function closed(): Error {
  return new Error('the port was closed');
}
