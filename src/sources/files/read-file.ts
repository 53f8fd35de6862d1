import { partitionOf } from '../regions.ts';
import { SourceError, type SourceRecord } from '../source.ts';
import type { FilesConnection } from './connection.ts';
import { failedFile, unreadableFile } from './file-failure.ts';
import { type FileBatch, type FileRecord, ParseFailure } from './parse-chunks.ts';
import { parseTrailPath } from './trail-path.ts';

export interface FileRead {
  readonly connection: FilesConnection;
  readonly path: string;
  readonly batches: AsyncIterable<FileBatch>;
  readonly troubles: Troubles;
}

/** What is wrong with a file is told here, and thrown from here where it fails the statement. */
export interface Troubles {
  /** `rest`: neither can what follows in the file be read. */
  unreadable(error: SourceError, rest: boolean): void;
  /** So many records are no UTF-8: bytes that are no character have become U+FFFD. */
  replaced(records: number): void;
}

/** A record with the length of its text. */
export interface ReadRecord {
  readonly record: SourceRecord;
  readonly length: number;
}

/** The records of a file in their order, with what its path says of them. */
export async function* readFile(read: FileRead): AsyncGenerator<readonly ReadRecord[], void, undefined> {
  const { connection, path, batches, troubles } = read;
  const recordOf = recordMaker(read);
  try {
    for await (const { records, malformed, replaced } of batches) {
      for (const { line, reason, rest } of malformed) {
        troubles.unreadable(unreadableFile(connection, path, `line ${line}`, reason), rest);
      }
      if (replaced > 0) troubles.replaced(replaced);
      yield records.map(recordOf);
    }
  } catch (error) {
    throw readFailure(read, error);
  }
}

/** Runs for millions of records. */
function recordMaker({ connection, path }: FileRead): (record: FileRecord) => ReadRecord {
  const { accountId, region } = parseTrailPath(path);
  const place = {
    path,
    partition: region === undefined ? undefined : partitionOf(region),
    region,
    account_id: accountId,
    connection_name: connection.name,
  };
  return ({ value, text, line, number, timestamp, length }) => ({
    record: {
      value,
      added: { ...place, file_line: line, timestamp },
      text,
      origin: () => `record ${number} of ${path}, line ${line}`,
    },
    length,
  });
}

function readFailure({ connection, path }: FileRead, error: unknown): unknown {
  if (error instanceof SourceError) return error;
  if (!(error instanceof ParseFailure)) return failedFile(connection, path, error);
  switch (error.kind) {
    case 'unknown compression':
      return new SourceError(
        'nonsense',
        connection.name,
        `${path} is compressed by zstd, which this Node.js cannot read`,
        {
          detail: `It is Node.js ${process.versions.node}.`,
          hint: 'Run Trailhound on Node.js 22.15 or newer, or decompress the file.',
        },
      );
    case 'corrupt': {
      const reason = `it cannot be decompressed: ${error.message}`;
      return unreadableFile(connection, path, `after line ${error.line}`, reason, error);
    }
  }
}
