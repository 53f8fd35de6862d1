import { type Part, mergeParts } from '../merge-parts.ts';
import type { ObjectStore } from '../object-store.ts';
import { type CallContext, type Page, type ScanRequest, type ScanSource, SourceError } from '../source.ts';
import { isBucketPath, parseBucketPath } from './bucket-path.ts';
import { bucketStore } from './bucket-store.ts';
import type { FilesConnection } from './connection.ts';
import { FileQueue, type QueuedFile } from './file-queue.ts';
import { localStore } from './local-store.ts';
import { NewestFirst } from './newest-first.ts';
import { PageBuilder } from './page-builder.ts';
import { FileParser } from './parse-files.ts';
import { ParserThreads } from './parser-threads.ts';
import { readRun } from './read-run.ts';
import { type CompiledScan, compileScan, describeScan } from './scan-plan.ts';
import type { Store } from './store.ts';
import { createTroubles } from './troubles.ts';
import { wantedOf } from './wanted.ts';

/** Files read at once by one statement beside those that threads parse; each holds a page, and one record beside it. */
const FILES_AHEAD = 1;

/** CloudTrail's records in the files of all connections of kind files. `buckets`: who reads `s3://…` for a connection. */
export function filesSource(
  connections: readonly FilesConnection[],
  buckets: (connection: FilesConnection) => ObjectStore,
): ScanSource {
  const stores = new Map(connections.map((connection) => [connection, storesOf(connection, buckets)]));
  const threads = new ParserThreads();
  return {
    kind: 'scan',
    plan: (request) => describeScan(compileScan(request, connections)),
    scan: (request, context) => scan(request, compileScan(request, connections), stores, threads, context),
    close: () => threads.close(),
  };
}

/** Files of which all pages have come. */
interface Ended {
  readonly ended: readonly QueuedFile[];
}

async function* scan(
  request: ScanRequest,
  compiled: CompiledScan,
  stores: ReadonlyMap<FilesConnection, readonly Store[]>,
  threads: ParserThreads,
  context: CallContext,
): AsyncGenerator<Page, void, undefined> {
  if (compiled.empty) return;
  if (!compiled.configured) throw unconfigured();
  const troubles = createTroubles(request.table.name, context);
  const parser = new FileParser(threads, wantedOf(request), context.signal);
  // What fails is left out once.
  const newestFirst = compiled.newestFirst && context.partial !== true ? new NewestFirst() : undefined;
  const files = new FileQueue(
    compiled.connections.flatMap((connection) =>
      (stores.get(connection) ?? []).map((store) => ({ connection, store })),
    ),
    compiled,
    troubles,
    newestFirst && ((listing) => newestFirst.sorted(listing)),
  );
  const concurrency = threads.most + FILES_AHEAD;
  const most = request.limit ?? Number.POSITIVE_INFINITY;

  const failure: { first?: unknown } = {};

  /** One file after the other; small ones share a page. Of several failures the first one is told. */
  const reader: Part<Page | Ended> = async function* reader(partContext) {
    const page = new PageBuilder(most);
    const next = () =>
      files.take(Math.min(parser.mostAtOnce, newestFirst?.atOnce ?? parser.mostAtOnce), concurrency, partContext);
    for (let taken = await next(); taken.length > 0 && !('first' in failure); taken = await next()) {
      countCalls(taken, partContext);
      try {
        for await (const { records, copied, stored } of readRun(taken, parser, troubles, context.signal)) {
          for (const { record, length } of records) if (page.add(record, length)) yield page.take();
          if (page.addBytes(stored, copied)) yield page.take();
        }
      } catch (error) {
        context.signal.throwIfAborted();
        if ('first' in failure) return;
        failure.first = error;
        throw error;
      }
      if (newestFirst === undefined) continue;
      if (!page.isEmpty) yield page.take();
      yield { ended: taken };
    }
    if (!page.isEmpty) yield page.take();
  };

  let missing = most;
  const readers = new Array<Part<Page | Ended>>(concurrency).fill(reader);
  for await (const page of mergeParts(readers, context, { concurrency })) {
    if ('ended' in page) {
      const reached = newestFirst?.reached(page.ended);
      if (reached !== undefined) yield { records: [], bytes: 0, continued: true, reached };
      continue;
    }
    yield page.records.length > missing ? { ...page, records: page.records.slice(0, missing) } : page;
    missing -= page.records.length;
    if (missing <= 0) return;
  }
  troubles.tell();
  files.tell(context);
}

/** Objects of buckets are counted as they are asked for. */
function countCalls(files: readonly QueuedFile[], context: CallContext): void {
  for (const { kind, connection } of files) if (kind === 'local') context.called?.(connection.name);
}

function storesOf(
  connection: FilesConnection,
  buckets: (connection: FilesConnection) => ObjectStore,
): readonly Store[] {
  const inBuckets = connection.paths.filter(isBucketPath);
  const local = connection.paths.filter((path) => !isBucketPath(path));
  return [
    ...(local.length > 0 ? [localStore(connection, local)] : []),
    ...(inBuckets.length > 0 ? [bucketStore(connection, inBuckets.map(parseBucketPath), buckets(connection))] : []),
  ];
}

function unconfigured(): SourceError {
  return new SourceError('not_found', 'files', 'no connection of kind files is configured', {
    hint: 'Name files, folders or buckets in the configuration: connections: { evidence: { kind: files, paths: [./evidence, "s3://bucket/prefix/"] } }.',
  });
}
