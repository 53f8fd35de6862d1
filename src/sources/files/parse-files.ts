import type { Place } from './line-plan.ts';
import { LocalFile } from './local-file.ts';
import { type FileBatch, parseChunks } from './parse-chunks.ts';
import type { ParserThreads } from './parser-threads.ts';
import type { Wanted } from './wanted.ts';

export type ParseFile = (chunks: AsyncIterable<Uint8Array>, place: Place) => AsyncGenerator<FileBatch, void, undefined>;

/** As they are stored. Less is parsed before a thread has started. */
const IN_PLACE_BYTES = 1024 * 1024;

/** Parses one statement's files: the first of them here, if they are small, all others on threads. */
export function fileParser(threads: ParserThreads, wanted: Wanted): ParseFile {
  let bytes = 0;
  return async function* parseFile(chunks, place) {
    if (threads.started && chunks instanceof LocalFile) {
      yield* threads.parse(chunks, wanted, place);
      return;
    }
    const iterator = chunks[Symbol.asyncIterator]();
    const head: Uint8Array[] = [];
    try {
      while (bytes < IN_PLACE_BYTES && !threads.started) {
        const next = await iterator.next();
        if (next.done === true) {
          yield* parseChunks(following(head), wanted, place);
          return;
        }
        head.push(next.value);
        bytes += next.value.length;
      }
      yield* threads.parse(following(head, iterator), wanted, place);
    } finally {
      await iterator.return?.();
    }
  };
}

async function* following(
  head: readonly Uint8Array[],
  rest?: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* head;
  if (rest === undefined) return;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
