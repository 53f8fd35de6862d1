import { isUtf8 } from 'node:buffer';
import { type Json, isTrailEvent, parseTrailRecord } from '../trail-record.ts';
import { ByteFilter } from '../byte-filter.ts';
import type { Again } from './before-fault.ts';
import { CandidateSplitter } from './candidate-splitter.ts';
import { UnknownCompression, decompress } from './decompress.ts';
import { isCompressed } from './evidence.ts';
import { ExtractingSplitter } from './extracting-splitter.ts';
import type { Place } from './line-plan.ts';
import { LineWriter, type WrittenLines } from './line-writer.ts';
import { ENDS_EARLY, NotDecompressible } from './not-decompressible.ts';
import { LISTS } from './object-scanner.ts';
import { OwnedBytes } from './owned-bytes.ts';
import { RecordSplitter } from './record-splitter.ts';
import type { Malformed, Passed, Skipped, Split } from './split.ts';
import type { Wanted } from './wanted.ts';

/** What a piece of a file holds. */
export interface FileBatch {
  readonly records: readonly FileRecord[];
  /** Of the piece's other records. */
  readonly copied: WrittenLines | undefined;
  readonly malformed: readonly Omit<Malformed, 'kind'>[];
  /** Of the records, those that are no events of CloudTrail. */
  readonly eventless: Eventless | undefined;
  /** Records that are no UTF-8: bytes that are no character have become U+FFFD. */
  readonly replaced: number;
  /** Bytes of the file, as it is stored, that were read since the batch before. */
  readonly stored: number;
}

export interface Eventless {
  readonly records: number;
  /** Where the first one begins. */
  readonly line: number;
}

export interface FileRecord {
  readonly value: Json;
  /** The record's own; undefined where it stands as an object within another one. */
  readonly text: string | undefined;
  readonly line: number;
  /** Which of the file's records it is, from 1; of those behind `skipped` bytes of the file, decompressed, where that is not 0. */
  readonly number: number;
  readonly skipped: number;
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

/** What is wanted of files, made ready once for those that are read one after the other. */
export interface Prepared {
  readonly filter: ByteFilter | undefined;
  readonly lines: LineWriter | undefined;
  /** The chunks' buffers are nobody else's. */
  readonly ownsInput: boolean;
}

export function prepare({ needles, lines }: Pick<Wanted, 'needles' | 'lines'>, ownsInput = false): Prepared {
  return {
    ownsInput,
    filter: needles.length === 0 ? undefined : new ByteFilter(needles),
    lines: lines && new LineWriter(lines),
  };
}

/**
 * The records of a file in their order, as many at a time as a chunk of it holds, but for those in whose bytes one of the
 * needles' conditions is not met: they are counted, not parsed. Where rows are wanted, most records are no more than that.
 * Throws ParseFailure, and what `chunks` throws as it is.
 *
 * @param place what the file's path says
 * @param again `chunks` once more, where they are to be had
 */
export async function* parseChunks(
  chunks: AsyncIterable<Uint8Array>,
  prepared: Prepared = { filter: undefined, lines: undefined, ownsInput: false },
  place: Place = {},
  again?: Again,
): AsyncGenerator<FileBatch, void, undefined> {
  const { filter } = prepared;
  const lines = prepared.lines?.at(place);
  const owned = new OwnedBytes(prepared.ownsInput);
  const splitter = splitterOf(filter, lines);
  const reading = { number: 0, skipped: 0, stored: 0, isEmpty: true, filter, lines };
  try {
    for await (const chunk of decompress(counted(chunks, reading), owned, again))
      yield batchOf(splitter.push(chunk), reading);
    // A copy that has failed leaves such ones.
    if (reading.isEmpty && isCompressed(place['path'] ?? '')) throw new NotDecompressible(ENDS_EARLY, 0);
    yield batchOf(splitter.end(), reading);
  } catch (error) {
    // What could be read until then is told before.
    if (splitter instanceof CandidateSplitter) yield batchOf(splitter.release(), reading);
    throw compressionFailure(error, splitter.line) ?? error;
  } finally {
    owned.free();
  }
}

async function* counted(chunks: AsyncIterable<Uint8Array>, reading: Reading): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    reading.stored += chunk.length;
    reading.isEmpty = false;
    yield chunk;
  }
}

function splitterOf(
  filter: ByteFilter | undefined,
  lines: LineWriter | undefined,
): RecordSplitter | CandidateSplitter | ExtractingSplitter {
  if (filter !== undefined) return new CandidateSplitter(filter);
  return lines === undefined ? new RecordSplitter() : new ExtractingSplitter(lines);
}

interface Reading {
  /** Of the record that came last. */
  number: number;
  skipped: number;
  stored: number;
  /** Not a byte of the file has come. */
  isEmpty: boolean;
  readonly filter: ByteFilter | undefined;
  readonly lines: LineWriter | undefined;
}

/** Runs for millions of records. */
function batchOf(splits: readonly (Split | Passed | Skipped)[], reading: Reading): FileBatch {
  const { filter, lines } = reading;
  const records: FileRecord[] = [];
  const malformed: Omit<Malformed, 'kind'>[] = [];
  let eventless: Eventless | undefined;
  let replaced = 0;
  for (const split of splits) {
    if (split.kind === 'malformed') {
      malformed.push(split);
      continue;
    }
    if (split.kind === 'passed') {
      reading.number += split.records;
      continue;
    }
    if (split.kind === 'skipped') {
      reading.number = 0;
      reading.skipped = split.bytes;
      continue;
    }
    reading.number += 1;
    const { bytes, line, time, namesList } = split;
    if (filter?.mayHold(bytes) === false) continue;
    if (time === undefined && lines?.write(bytes, 0, line, false) === bytes.length) continue;
    const whole = bytes.toString('utf8');
    const record = parseTrailRecord(whole);
    const reason = record === undefined ? 'the record is no valid JSON' : namesList ? noList(whole) : undefined;
    if (reason !== undefined) malformed.push({ line, reason, rest: false });
    if (record === undefined || namesList) continue;
    if (!isUtf8(bytes)) replaced += 1;
    const { value, text } = record;
    if (!isTrailEvent(value)) eventless = { records: (eventless?.records ?? 0) + 1, line: eventless?.line ?? line };
    const timestamp = time ?? value['eventTime'];
    const { number, skipped } = reading;
    records.push({ value, text, line, number, skipped, timestamp, length: whole.length });
  }
  const { stored } = reading;
  reading.stored = 0;
  return { records, copied: lines?.take(), malformed, eventless, replaced, stored };
}

/** What is wrong with a file's outermost object that has no list of records; null is what some programs write of none. */
function noList(text: string): string | undefined {
  const all = JSON.parse(text) as Json;
  const wrong = [...LISTS].find((name) => (all[name] ?? null) !== null);
  return wrong && `its ${wrong} is no list`;
}

function compressionFailure(error: unknown, line: number): ParseFailure | undefined {
  if (error instanceof UnknownCompression) return new ParseFailure('unknown compression', line, error.message);
  if (!(error instanceof NotDecompressible)) return undefined;
  return new ParseFailure('corrupt', line, `${error.message}, at byte ${error.at}`);
}
