import { type FileRun, type RunPiece, parseRun } from './file-run.ts';
import type { Place } from './line-plan.ts';
import { readInTurns } from './local-file.ts';
import type { ParserThreads } from './parser-threads.ts';
import type { Wanted } from './wanted.ts';

/** As they are stored. Less is parsed before a thread has started. */
const IN_PLACE_BYTES = 1024 * 1024;
/** As they are stored, of files that are sent to a thread together: what it does with them takes some hundredths of a second at most. */
const RUN_BYTES = 1024 * 1024;
const MOST_FILES = 256;

/** Parses one statement's files: the first of them here, if they are small, all others on threads. */
export class FileParser {
  readonly #threads: ParserThreads;
  readonly #wanted: Wanted;
  readonly #signal: AbortSignal;
  #stored = 0;
  #ended = 0;
  #begun = 0;

  constructor(threads: ParserThreads, wanted: Wanted, signal: AbortSignal) {
    this.#threads = threads;
    this.#wanted = wanted;
    this.#signal = signal;
  }

  /** Files of this machine that are worth a message, going by those that have been read. */
  get mostAtOnce(): number {
    if (!this.#threads.started || this.#ended === 0) return 1;
    return Math.min(MOST_FILES, Math.max(1, Math.floor((RUN_BYTES * this.#ended) / Math.max(1, this.#stored))));
  }

  async *parse(run: FileRun): AsyncGenerator<RunPiece, void, undefined> {
    for await (const piece of this.#pieces(run)) {
      this.#stored += piece.stored;
      this.#ended += piece.ended;
      yield piece;
    }
  }

  async *#pieces(run: FileRun): AsyncGenerator<RunPiece, void, undefined> {
    if (run.kind === 'object') yield* this.#begin(run.chunks, run.place, undefined);
    else if (this.#threads.started) yield* this.#threads.parse(run, this.#wanted);
    else for (const { path, place } of run.files) yield* this.#begin(readInTurns(path, this.#signal), place, path);
  }

  /** Here to its end, if it has come soon. */
  async *#begin(
    chunks: AsyncIterable<Uint8Array>,
    place: Place,
    path: string | undefined,
  ): AsyncGenerator<RunPiece, void, undefined> {
    const iterator = chunks[Symbol.asyncIterator]();
    const head: Uint8Array[] = [];
    try {
      while (this.#begun < IN_PLACE_BYTES && !this.#threads.started) {
        const next = await iterator.next().catch((error: unknown) => ({ done: 'broken' as const, error }));
        if (next.done === true || next.done === 'broken') {
          // What came before a failure is told before.
          const rest = next.done === true ? undefined : failing(next.error);
          const again = path === undefined ? undefined : () => readInTurns(path, this.#signal);
          yield* parseRun([{ chunks: following(head, rest), place, again }], this.#wanted);
          return;
        }
        head.push(next.value);
        this.#begun += next.value.length;
      }
      yield* this.#threads.parse({ kind: 'object', chunks: following(head, iterator), place, path }, this.#wanted);
    } finally {
      await iterator.return?.();
    }
  }
}

function failing(error: unknown): AsyncIterator<Uint8Array> {
  return { next: () => Promise.reject(error instanceof Error ? error : new Error(String(error))) };
}

async function* following(
  head: readonly Uint8Array[],
  rest?: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* head;
  if (rest === undefined) return;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
