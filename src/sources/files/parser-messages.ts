import type { MessagePort } from 'node:worker_threads';
import type { Place } from './line-plan.ts';
import { type FileBatch, type FileRecord, ParseFailure } from './parse-chunks.ts';
import { type Projection, project } from './projection.ts';
import type { Json } from '../trail-record.ts';
import type { Wanted } from './wanted.ts';

/** To the thread: a file that is to be parsed, by a port of its own. */
export interface ParserJob {
  readonly port: MessagePort;
  readonly wanted: Wanted;
  readonly place: Place;
  readonly bytes: JobBytes;
}

/** How the file begins, and whether nothing else is in it, so that no chunk needs to be pulled; or what the thread opens itself. */
export type JobBytes = { readonly chunks: readonly Uint8Array[]; readonly isAll: boolean } | { readonly path: string };

/** To the thread, by a file's port: an answer to each `pull`; `undefined` is the file's end. */
export interface ChunkMessage {
  readonly chunk: Uint8Array | undefined;
}

/** From the thread, by a file's port. A batch is followed by no other one until it was answered by `taken`; the file ends with `last`. */
export type ParserMessage =
  | { readonly kind: 'pull' }
  | { readonly kind: 'batch' | 'last'; readonly batch: EncodedBatch }
  | { readonly kind: 'failed'; readonly failure: EncodedFailure };

export interface EncodedBatch extends Omit<FileBatch, 'records'> {
  /** A JSON array of the records' projections: cheaper to copy and to read than objects are. */
  readonly values: string;
  readonly others: readonly Omit<FileRecord, 'value'>[];
}

export interface EncodedFailure {
  readonly kind: ParseFailure['kind'] | undefined;
  readonly line: number;
  /** Of the file system: `ENOENT`. */
  readonly code: unknown;
  readonly message: string;
}

export function encodeBatch({ records, ...rest }: FileBatch, projection: Projection): EncodedBatch {
  return {
    ...rest,
    values: JSON.stringify(records.map(({ value }) => project(value, projection))),
    others: records.map(({ value, text, ...others }) => ({
      ...others,
      text: projection.text ? (text ?? JSON.stringify(value)) : undefined,
    })),
  };
}

export function decodeBatch({ values, others, ...rest }: EncodedBatch): FileBatch {
  const parsed = JSON.parse(values) as readonly Json[];
  const records = others.map((other, index) => ({ ...other, value: parsed[index] ?? {} }));
  return { ...rest, records };
}

export function encodeFailure(error: unknown): EncodedFailure {
  return error instanceof ParseFailure
    ? { kind: error.kind, line: error.line, code: undefined, message: error.message }
    : { kind: undefined, line: 0, code: (error as { readonly code?: unknown }).code, message: String(error) };
}

export function decodeFailure({ kind, line, code, message }: EncodedFailure): Error {
  if (kind !== undefined) return new ParseFailure(kind, line, message);
  return Object.assign(new Error(message), code !== undefined && { code });
}
