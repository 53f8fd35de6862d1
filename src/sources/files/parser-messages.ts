import type { MessagePort } from 'node:worker_threads';
import { exactJson } from '../exact-number.ts';
import type { Json } from '../trail-record.ts';
import type { FoundInFile, LocalRunFile, RunPiece } from './file-run.ts';
import type { Place } from './line-plan.ts';
import { type FileBatch, type FileRecord, ParseFailure } from './parse-chunks.ts';
import { type Projection, project } from './projection.ts';
import type { Wanted } from './wanted.ts';

/** To the thread: files that are to be parsed, by a port of their own. */
export interface ParserJob {
  readonly port: MessagePort;
  readonly wanted: Wanted;
  readonly files: JobFiles;
}

/** What the thread opens itself; or how a file begins, and whether nothing else is in it, so that no chunk needs to be pulled. */
export type JobFiles =
  | { readonly kind: 'local'; readonly files: readonly LocalRunFile[] }
  | {
      readonly kind: 'object';
      readonly place: Place;
      readonly path: string | undefined;
      readonly chunks: readonly Uint8Array[];
      readonly isAll: boolean;
    };

/** To the thread, by a job's port: an answer to each `pull`; `undefined` is the file's end, or where it breaks off. */
export interface ChunkMessage {
  readonly chunk: Uint8Array | undefined;
  readonly isBroken: boolean;
}

/** From the thread, by a job's port. A piece is followed by another one once it was answered by `taken`. */
export type ParserMessage = { readonly kind: 'pull' } | { readonly kind: 'piece'; readonly piece: EncodedPiece };

export interface EncodedPiece extends Omit<RunPiece, 'found'> {
  readonly found: readonly EncodedFound[];
}

interface EncodedFound extends Omit<FoundInFile, 'records' | 'failure'> {
  /** A JSON array of the records' projections: cheaper to copy and to read than objects are. */
  readonly values: string;
  readonly others: readonly Omit<FileRecord, 'value'>[];
  readonly failure: EncodedFailure | undefined;
}

interface EncodedFailure {
  readonly kind: ParseFailure['kind'] | undefined;
  readonly line: number;
  /** Of the file system: `ENOENT`. */
  readonly code: unknown;
  readonly message: string;
}

export function encodePiece({ found, ...rest }: RunPiece, projection: Projection): EncodedPiece {
  return {
    ...rest,
    found: found.map(({ records, malformed, failure, ...others }) => ({
      ...others,
      ...encodeRecords(records, malformed, projection),
      failure: failure && encodeFailure(failure),
    })),
  };
}

type Encoded = Pick<EncodedFound, 'values' | 'others' | 'malformed'>;

/** What nobody can write is malformed: JSON.parse reads what is nested so deeply that JSON.stringify does not. */
function encodeRecords(
  records: readonly FileRecord[],
  malformed: FileBatch['malformed'],
  projection: Projection,
): Encoded {
  const encode = (those: readonly FileRecord[]) => ({
    values: JSON.stringify(those.map(({ value }) => project(value, projection))),
    others: those.map(({ value, text, ...other }) => ({
      ...other,
      text: projection.text ? (text ?? exactJson(value)) : undefined,
    })),
  });
  try {
    return { ...encode(records), malformed };
  } catch {
    const isWritable = (record: FileRecord) => {
      try {
        encode([record]);
        return true;
      } catch {
        return false;
      }
    };
    const deep = records.filter((record) => !isWritable(record));
    const writable = records.filter((record) => !deep.includes(record));
    const others = deep.map(({ line }) => ({ line, reason: 'the record is nested too deeply', rest: false }));
    return { ...encode(writable), malformed: [...malformed, ...others] };
  }
}

export function decodePiece({ found, ...rest }: EncodedPiece): RunPiece {
  return {
    ...rest,
    found: found.map(({ values, others, failure, ...other }) => {
      const parsed = JSON.parse(values) as readonly Json[];
      const records = others.map((one, index) => ({ ...one, value: parsed[index] ?? {} }));
      return { ...other, records, failure: failure && decodeFailure(failure) };
    }),
  };
}

function encodeFailure(error: Error): EncodedFailure {
  return error instanceof ParseFailure
    ? { kind: error.kind, line: error.line, code: undefined, message: error.message }
    : { kind: undefined, line: 0, code: (error as { readonly code?: unknown }).code, message: String(error) };
}

function decodeFailure({ kind, line, code, message }: EncodedFailure): Error {
  if (kind !== undefined) return new ParseFailure(kind, line, message);
  return Object.assign(new Error(message), code !== undefined && { code });
}
