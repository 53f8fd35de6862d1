import { type MessagePort, parentPort } from 'node:worker_threads';
import { joinedLines } from './line-writer.ts';
import { bytesOf } from './local-file.ts';
import { type FileBatch, parseChunks } from './parse-chunks.ts';
import {
  type ChunkMessage,
  type JobBytes,
  type ParserJob,
  type ParserMessage,
  encodeBatch,
  encodeFailure,
} from './parser-messages.ts';

/** A thread that parses files, several at a time, each by a port of its own: what `parser-threads.ts` starts. */

/** Of records' text: what is told at once. */
const BATCH_CHARACTERS = 256 * 1024;

parentPort?.on('message', (job: ParserJob) => void parse(job));

async function parse({ port, wanted, place, bytes }: ParserJob): Promise<void> {
  const answers = new Answers(port);
  const say = (message: ParserMessage) => port.postMessage(message);
  try {
    for await (const { kind, batch } of gathered(parseChunks(answers.chunks(bytes), wanted, place))) {
      say({ kind, batch: encodeBatch(batch, wanted.projection) });
      if (kind === 'batch') await answers.next();
    }
  } catch (error) {
    // The port is closed where nobody wants to know.
    say({ kind: 'failed', failure: encodeFailure(error) });
  }
}

/** Messages of a file's port, one by one, each in answer to ours. */
class Answers {
  readonly #port: MessagePort;
  readonly #taken: ((closed: boolean) => void)[] = [];
  readonly #chunks: ((chunk: Uint8Array | undefined, closed: boolean) => void)[] = [];
  #closed = false;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (message: ChunkMessage | 'taken') => {
      if (message === 'taken') this.#taken.shift()?.(false);
      else this.#chunks.shift()?.(message.chunk, false);
    });
    port.on('close', () => {
      this.#closed = true;
      for (const resolve of this.#taken) resolve(true);
      for (const resolve of this.#chunks) resolve(undefined, true);
    });
  }

  /** The batch has been taken. */
  async next(): Promise<void> {
    if (this.#closed || (await new Promise<boolean>((resolve) => this.#taken.push(resolve)))) throw closed();
  }

  async *chunks(bytes: JobBytes): AsyncGenerator<Uint8Array, void, undefined> {
    if ('path' in bytes) {
      for await (const chunk of bytesOf(bytes.path)) {
        if (this.#closed) throw closed();
        yield chunk;
      }
      return;
    }
    yield* bytes.chunks;
    if (bytes.isAll) return;
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
      this.#chunks.push((chunk, isClosed) => (isClosed ? reject(closed()) : resolve(chunk)));
      this.#port.postMessage({ kind: 'pull' } satisfies ParserMessage);
    });
  }
}

function closed(): Error {
  return new Error('the port was closed');
}

interface Gathered {
  readonly kind: 'batch' | 'last';
  readonly batch: FileBatch;
}

/** Fewer and larger batches: each costs a message. */
async function* gathered(batches: AsyncIterable<FileBatch>): AsyncGenerator<Gathered, void, undefined> {
  let waiting: FileBatch[] = [];
  let characters = 0;
  const take = (kind: Gathered['kind']): Gathered => {
    const all = waiting;
    waiting = [];
    characters = 0;
    const batch = {
      records: all.flatMap(({ records }) => records),
      copied: joinedLines(all.flatMap(({ copied }) => copied ?? [])),
      malformed: all.flatMap(({ malformed }) => malformed),
      replaced: all.reduce((sum, { replaced }) => sum + replaced, 0),
      stored: all.reduce((sum, { stored }) => sum + stored, 0),
    };
    return { kind, batch };
  };
  try {
    for await (const batch of batches) {
      waiting.push(batch);
      for (const { length } of batch.records) characters += length;
      characters += batch.copied?.bytes.length ?? 0;
      if (characters >= BATCH_CHARACTERS) yield take('batch');
    }
  } catch (error) {
    // What could be read until then is told before.
    yield take('batch');
    throw error;
  }
  yield take('last');
}
