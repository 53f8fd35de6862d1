import type { Again } from './before-fault.ts';
import type { Place } from './line-plan.ts';
import { joinedLines, type WrittenLines } from './line-writer.ts';
import { type FileBatch, type FileRecord, parseChunks, prepare } from './parse-chunks.ts';
import type { Wanted } from './wanted.ts';

/** Files that are read one after the other: some of this machine, or one whose bytes come from somewhere else. */
export type FileRun =
  | { readonly kind: 'local'; readonly files: readonly LocalRunFile[] }
  | {
      readonly kind: 'object';
      readonly chunks: AsyncIterable<Uint8Array>;
      readonly place: Place;
      /** Of this machine, if it is. */
      readonly path?: string | undefined;
    };

export interface LocalRunFile {
  readonly path: string;
  readonly place: Place;
}

/** What was found since the piece before. */
export interface RunPiece {
  /** By file, in the files' order; none of those in which there was nothing. */
  readonly found: readonly FoundInFile[];
  /** In all files together. */
  readonly copied: WrittenLines | undefined;
  readonly replaced: number;
  /** Bytes, as they are stored. */
  readonly stored: number;
  /** Files that are done with. */
  readonly ended: number;
  /** No other piece follows. */
  readonly isLast: boolean;
}

export interface FoundInFile {
  /** Which of the run's files, from 0. */
  readonly file: number;
  readonly records: readonly FileRecord[];
  readonly malformed: FileBatch['malformed'];
  readonly eventless: FileBatch['eventless'];
  /** Why it cannot be read on; undefined where it can. */
  readonly failure: Error | undefined;
}

export interface OpenFile {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly place: Place;
  /** Undefined: they can be had but once. */
  readonly again: Again | undefined;
}

/** Of records' text: what is told at once. */
const PIECE_CHARACTERS = 256 * 1024;

/**
 * What is wanted of the files, in few and large pieces: each may cost a message. A file that cannot be read on ends alone.
 *
 * @param ownsInput the chunks' buffers are nobody else's
 */
export async function* parseRun(
  files: readonly OpenFile[],
  wanted: Wanted,
  ownsInput = false,
): AsyncGenerator<RunPiece, void, undefined> {
  const prepared = prepare(wanted, ownsInput);
  let gathered = new Gathered();
  for (const [index, { chunks, place, again }] of files.entries()) {
    try {
      for await (const batch of parseChunks(chunks, prepared, place, again)) {
        gathered.add(index, batch);
        if (gathered.characters < PIECE_CHARACTERS) continue;
        yield gathered.piece(false);
        gathered = new Gathered();
      }
    } catch (error) {
      gathered.fail(index, error);
    }
    gathered.ended += 1;
  }
  yield gathered.piece(true);
}

class Gathered {
  readonly #found: FoundInFile[] = [];
  readonly #copied: WrittenLines[] = [];
  #replaced = 0;
  #stored = 0;
  characters = 0;
  ended = 0;

  add(file: number, { records, copied, malformed, eventless, replaced, stored }: FileBatch): void {
    if (records.length > 0 || malformed.length > 0)
      this.#found.push({ file, records, malformed, eventless, failure: undefined });
    for (const { length } of records) this.characters += length;
    if (copied !== undefined) {
      this.#copied.push(copied);
      this.characters += copied.bytes.length;
    }
    this.#replaced += replaced;
    this.#stored += stored;
  }

  fail(file: number, error: unknown): void {
    const failure = error instanceof Error ? error : new Error(String(error));
    this.#found.push({ file, records: [], malformed: [], eventless: undefined, failure });
  }

  piece(isLast: boolean): RunPiece {
    return {
      found: this.#found,
      copied: joinedLines(this.#copied),
      replaced: this.#replaced,
      stored: this.#stored,
      ended: this.ended,
      isLast,
    };
  }
}
