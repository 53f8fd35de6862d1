import { partitionOf } from '../regions.ts';
import { SourceError, type SourceRecord } from '../source.ts';
import type { FilesConnection } from './connection.ts';
import { failedFile, unreadableFile } from './file-failure.ts';
import type { Place } from './line-plan.ts';
import type { WrittenLines } from './line-writer.ts';
import { type FileBatch, type FileRecord, ParseFailure } from './parse-chunks.ts';
import { parseTrailPath } from './trail-path.ts';

export interface FileRead {
  readonly connection: FilesConnection;
  readonly path: string;
  /** `place`: what the file's path says. */
  readonly parse: (place: Place) => AsyncIterable<FileBatch>;
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

/** A piece of a file: its records in their order, and the rows of others. */
export interface ReadBatch {
  readonly records: readonly ReadRecord[];
  readonly copied: WrittenLines | undefined;
  /** Bytes of the file, as it is stored. */
  readonly stored: number;
}

/** The records of a file with what its path says of them. */
export async function* readFile(read: FileRead): AsyncGenerator<ReadBatch, void, undefined> {
  const { connection, path, parse, troubles } = read;
  const place = placeOf(read);
  const recordOf = recordMaker(path, place);
  try {
    for await (const { records, copied, malformed, replaced, stored } of parse(place)) {
      for (const { line, reason, rest } of malformed) {
        troubles.unreadable(unreadableFile(connection, path, `line ${line}`, reason), rest);
      }
      if (replaced > 0) troubles.replaced(replaced);
      yield { records: records.map(recordOf), copied, stored };
    }
  } catch (error) {
    throw readFailure(read, error);
  }
}

function placeOf({ connection, path }: FileRead): Place {
  const { accountId, region } = parseTrailPath(path);
  return {
    path,
    partition: region === undefined ? undefined : partitionOf(region),
    region,
    account_id: accountId,
    connection_name: connection.name,
  };
}

/** Runs for millions of records. */
function recordMaker(path: string, place: Place): (record: FileRecord) => ReadRecord {
  return ({ value, text, line, number, skipped, timestamp, length }) => ({
    record: {
      value,
      added: { ...place, file_line: line, timestamp },
      text,
      origin: () => `record ${number}${skipped === 0 ? '' : ` behind byte ${skipped}`} of ${path}, line ${line}`,
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
