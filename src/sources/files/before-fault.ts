import * as zlib from 'node:zlib';
import { CHUNK_BYTES, outputOf } from './decompressor-output.ts';

/** The bytes of a file, from its first one on, once more. */
export type Again = () => AsyncIterable<Uint8Array>;

/** Of deflated data in which a byte is wrong; places are bytes of the file. */
export interface Fault {
  /** Where the data begins. */
  readonly data: number;
  /** The wrong byte is one of these: the first one, and behind the last one. */
  readonly from: number;
  readonly to: number;
  /** What has come out and was given, in bytes. */
  readonly given: number;
}

/** A decompressor drops what has come out of a piece that is wrong, and cannot be told to go back: so it is led there in ever smaller ones. */
const STEPS = [256, 1];
const LAST = 1;

/**
 * What else comes out before the wrong byte, whose place is returned. The file is read up to there once for each step. Throws what
 * reading it throws, and an Error where nothing is wrong this time.
 */
export async function* outputBefore(fault: Fault, again: Again): AsyncGenerator<Buffer, number, undefined> {
  let { from, to } = fault;
  for (const step of STEPS) {
    const inflater = zlib.createInflateRaw({ chunkSize: CHUNK_BYTES });
    let given = step === LAST ? fault.given : Number.POSITIVE_INFINITY;
    let wrong: { readonly from: number; readonly to: number } | undefined;
    try {
      for await (const { at, bytes } of pieces(again(), [fault.data, from, to], step)) {
        try {
          for await (const chunk of outputOf(inflater, bytes)) {
            if (given < chunk.length) yield chunk.subarray(given);
            given = Math.max(0, given - chunk.length);
          }
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))) throw error;
          wrong = { from: at, to: at + bytes.length };
          break;
        }
      }
    } finally {
      inflater.destroy();
    }
    if (wrong === undefined) throw new Error('the file has changed');
    ({ from, to } = wrong);
  }
  return from;
}

interface Piece {
  readonly at: number;
  readonly bytes: Buffer;
}

/** From the first place to the second as they come, from there to the third in steps. */
async function* pieces(
  chunks: AsyncIterable<Uint8Array>,
  [first, second, third]: readonly [number, number, number],
  step: number,
): AsyncGenerator<Piece, void, undefined> {
  let begin = 0;
  for await (const chunk of chunks) {
    const end = begin + chunk.length;
    for (let at = Math.max(begin, first); at < Math.min(end, third);) {
      const to = Math.min(end, at < second ? second : Math.min(at + step, third));
      yield { at, bytes: Buffer.from(chunk.buffer, chunk.byteOffset + at - begin, to - at) };
      at = to;
    }
    if (end >= third) return;
    begin = end;
  }
}
