import { partitionOf } from '../regions.ts';
import { SourceError, type SourceRecord } from '../source.ts';
import { failedFile, unreadableFile } from './file-failure.ts';
import type { QueuedFile } from './file-queue.ts';
import type { RunPiece } from './file-run.ts';
import type { Place } from './line-plan.ts';
import type { WrittenLines } from './line-writer.ts';
import { type FileRecord, ParseFailure } from './parse-chunks.ts';
import type { FileParser } from './parse-files.ts';
import { parseTrailPath } from './trail-path.ts';
import type { Troubles } from './troubles.ts';

/** A record with the length of its text. */
export interface ReadRecord {
  readonly record: SourceRecord;
  readonly length: number;
}

/** Of files, each in its order: some of the records, and the rows of others. */
export interface ReadPiece {
  readonly records: readonly ReadRecord[];
  readonly copied: WrittenLines | undefined;
  /** Bytes of the files, as they are stored. */
  readonly stored: number;
}

/** The records of files that were taken together, with what the files' paths say of them. */
export async function* readRun(
  files: readonly QueuedFile[],
  parser: FileParser,
  troubles: Troubles,
  signal: AbortSignal,
): AsyncGenerator<ReadPiece, void, undefined> {
  const places = files.map(placeOf);
  const pieces = piecesOf(files, places, parser);
  let ended = 0;
  const fail = (file: QueuedFile, error: unknown) => {
    signal.throwIfAborted();
    troubles.unreadable(readFailure(file, error), true);
  };
  try {
    for (;;) {
      let next: IteratorResult<RunPiece, void>;
      try {
        next = await pieces.next();
      } catch (error) {
        for (const file of files.slice(ended)) fail(file, error);
        return;
      }
      if (next.done === true) return;
      const { found, copied, replaced, stored } = next.value;
      const records: ReadRecord[] = [];
      for (const { file: index, records: those, malformed, eventless, failure } of found) {
        const file = files[index] as QueuedFile;
        const recordOf = recordMaker(file.path, places[index] as Place);
        for (const record of those) records.push(recordOf(record));
        for (const { line, reason, rest } of malformed)
          troubles.unreadable(unreadableFile(file.connection, file.path, `line ${line}`, reason), rest);
        if (eventless !== undefined) troubles.eventless(eventless.records, `${file.path}, line ${eventless.line}`);
        if (failure !== undefined) fail(file, failure);
      }
      if (replaced > 0) troubles.replaced(replaced);
      ended += next.value.ended;
      yield { records, copied, stored };
    }
  } finally {
    await pieces.return();
  }
}

async function* piecesOf(
  files: readonly QueuedFile[],
  places: readonly Place[],
  parser: FileParser,
): AsyncGenerator<RunPiece, void, undefined> {
  const [file] = files;
  if (file?.kind === 'object')
    yield* parser.parse({ kind: 'object', chunks: await file.open(), place: places[0] ?? {} });
  else
    yield* parser.parse({
      kind: 'local',
      files: files.map(({ path }, index) => ({ path, place: places[index] ?? {} })),
    });
}

function placeOf({ connection, path }: QueuedFile): Place {
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

function readFailure({ connection, path }: QueuedFile, error: unknown): SourceError {
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
