import { isUtf8 } from 'node:buffer';
import { partitionOf } from '../regions.ts';
import { SourceError, type SourceRecord } from '../source.ts';
import { parseTrailRecord } from '../trail-record.ts';
import type { FilesConnection } from './connection.ts';
import { UnknownCompression, decompress } from './decompress.ts';
import { failedFile, unreadableFile } from './file-failure.ts';
import { RecordSplitter } from './record-splitter.ts';
import type { Split, SplitRecord } from './split.ts';
import { parseTrailPath } from './trail-path.ts';
import { NotZstd } from './zstd-frames.ts';

export interface FileRead {
  readonly connection: FilesConnection;
  readonly path: string;
  /** As they are stored: compressed or not. */
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly troubles: Troubles;
}

/** What is wrong with a file is told here, and thrown from here where it fails the statement. */
export interface Troubles {
  /** `rest`: neither can what follows in the file be read. */
  unreadable(error: SourceError, rest: boolean): void;
  /** A record is no UTF-8: bytes that are no character have become U+FFFD. */
  replaced(): void;
}

/** A record with the length of its text. */
export interface ReadRecord {
  readonly record: SourceRecord;
  readonly length: number;
}

/** The records of a file in their order, as many at a time as a chunk of it holds. */
export async function* readFile(read: FileRead): AsyncGenerator<readonly ReadRecord[], void, undefined> {
  const splitter = new RecordSplitter();
  const recordOf = recordMaker(read);
  const recordsOf = (splits: readonly Split[]) => splits.flatMap((split) => recordOf(split) ?? []);
  try {
    for await (const chunk of decompress(read.chunks)) yield recordsOf(splitter.push(chunk));
  } catch (error) {
    throw readFailure(read, splitter.line, error);
  }
  yield recordsOf(splitter.end());
}

/** Runs for millions of records. */
function recordMaker({ connection, path, troubles }: FileRead): (split: Split) => ReadRecord | undefined {
  const { accountId, region } = parseTrailPath(path);
  const place = {
    path,
    partition: region === undefined ? undefined : partitionOf(region),
    region,
    account_id: accountId,
    connection_name: connection.name,
  };
  let number = 0;
  const recordOf = ({ bytes, line, time }: SplitRecord): ReadRecord | undefined => {
    number += 1;
    const text = bytes.toString('utf8');
    const record = parseTrailRecord(text);
    if (record === undefined) return undefined;
    if (!isUtf8(bytes)) troubles.replaced();
    const own = number;
    return {
      record: {
        value: record.value,
        added: { ...place, file_line: line, timestamp: time ?? record.value['eventTime'] },
        text: record.text,
        origin: () => `record ${own} of ${path}, line ${line}`,
      },
      length: text.length,
    };
  };
  return (split) => {
    const record = split.kind === 'record' ? recordOf(split) : undefined;
    if (record !== undefined) return record;
    const { reason, rest } =
      split.kind === 'malformed' ? split : { reason: 'the record is no valid JSON', rest: false };
    troubles.unreadable(unreadableFile(connection, path, `line ${split.line}`, reason), rest);
    return undefined;
  };
}

function readFailure({ connection, path }: FileRead, line: number, error: unknown): unknown {
  if (error instanceof SourceError) return error;
  if (error instanceof UnknownCompression) {
    return new SourceError(
      'nonsense',
      connection.name,
      `${path} is compressed by zstd, which this Node.js cannot read`,
      {
        detail: `It is Node.js ${process.versions.node}.`,
        hint: 'Run Trailhound on Node.js 22.15 or newer, or decompress the file.',
      },
    );
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (error instanceof NotZstd || code.startsWith('Z_') || code.startsWith('ZSTD_')) {
    const reason = `it cannot be decompressed: ${(error as Error).message}`;
    return unreadableFile(connection, path, `after line ${line}`, reason, error);
  }
  return failedFile(connection, path, error);
}
