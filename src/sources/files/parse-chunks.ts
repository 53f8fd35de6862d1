import { isUtf8 } from 'node:buffer';
import { type Json, parseTrailRecord } from '../trail-record.ts';
import { ByteFilter } from './byte-filter.ts';
import { CandidateSplitter } from './candidate-splitter.ts';
import { UnknownCompression, decompress } from './decompress.ts';
import type { Needles } from './needles.ts';
import { RecordSplitter } from './record-splitter.ts';
import type { Malformed, Passed, Split } from './split.ts';
import { NotZstd } from './zstd-frames.ts';

/** What a piece of a file holds. */
export interface FileBatch {
  readonly records: readonly FileRecord[];
  readonly malformed: readonly Omit<Malformed, 'kind'>[];
  /** Records that are no UTF-8: bytes that are no character have become U+FFFD. */
  readonly replaced: number;
}

export interface FileRecord {
  readonly value: Json;
  /** The record's own; undefined where it stands as an object within another one. */
  readonly text: string | undefined;
  readonly line: number;
  /** Which of the file's records it is, from 1. */
  readonly number: number;
  /** When it happened: what stands before it in a line of an export, else its own eventTime. */
  readonly timestamp: unknown;
  /** Of its text, in characters. */
  readonly length: number;
}

/** A file that cannot be read on: by its compression. */
export class ParseFailure extends Error {
  readonly kind: 'unknown compression' | 'corrupt';
  /** Up to which it could be. */
  readonly line: number;

  constructor(kind: ParseFailure['kind'], line: number, message: string) {
    super(message);
    this.kind = kind;
    this.line = line;
  }
}

/**
 * The records of a file in their order, as many at a time as a chunk of it holds, but for those in whose bytes one of the
 * needles' conditions is not met: they are counted, not parsed. Throws ParseFailure, and what `chunks`
 * throws as it is.
 */
export async function* parseChunks(
  chunks: AsyncIterable<Uint8Array>,
  needles: readonly Needles[] = [],
): AsyncGenerator<FileBatch, void, undefined> {
  const filter = needles.length === 0 ? undefined : new ByteFilter(needles);
  const splitter = filter === undefined ? new RecordSplitter() : new CandidateSplitter(filter);
  const counter = { number: 0 };
  try {
    for await (const chunk of decompress(chunks)) yield batchOf(splitter.push(chunk), counter, filter);
  } catch (error) {
    throw compressionFailure(error, splitter.line) ?? error;
  }
  yield batchOf(splitter.end(), counter, filter);
}

/** Runs for millions of records. */
function batchOf(
  splits: readonly (Split | Passed)[],
  counter: { number: number },
  filter: ByteFilter | undefined,
): FileBatch {
  const records: FileRecord[] = [];
  const malformed: Omit<Malformed, 'kind'>[] = [];
  let replaced = 0;
  for (const split of splits) {
    if (split.kind === 'malformed') {
      malformed.push(split);
      continue;
    }
    if (split.kind === 'passed') {
      counter.number += split.records;
      continue;
    }
    counter.number += 1;
    const { bytes, line, time } = split;
    if (filter?.mayHold(bytes) === false) continue;
    const whole = bytes.toString('utf8');
    const record = parseTrailRecord(whole);
    if (record === undefined) {
      malformed.push({ line, reason: 'the record is no valid JSON', rest: false });
      continue;
    }
    if (!isUtf8(bytes)) replaced += 1;
    const { value, text } = record;
    const timestamp = time ?? value['eventTime'];
    records.push({ value, text, line, number: counter.number, timestamp, length: whole.length });
  }
  return { records, malformed, replaced };
}

function compressionFailure(error: unknown, line: number): ParseFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof UnknownCompression) return new ParseFailure('unknown compression', line, error.message);
  const code = 'code' in error ? String(error.code) : '';
  return error instanceof NotZstd || code.startsWith('Z_') || code.startsWith('ZSTD_')
    ? new ParseFailure('corrupt', line, error.message)
    : undefined;
}
