import { type Part, mergeParts } from '../merge-parts.ts';
import { type CallContext, type Page, type ScanRequest, type ScanSource, SourceError } from '../source.ts';
import type { FilesConnection } from './connection.ts';
import { FileQueue } from './file-queue.ts';
import { localStore } from './local-store.ts';
import { PageBuilder } from './page-builder.ts';
import { readFile } from './read-file.ts';
import { type CompiledScan, compileScan, describeScan } from './scan-plan.ts';
import type { Store } from './store.ts';
import { createTroubles } from './troubles.ts';

/** Files read at once by one statement; each holds a page, and one record beside it. */
const CONCURRENT_FILES = 8;

/** CloudTrail's records in the files of all connections of kind files. */
export function filesSource(connections: readonly FilesConnection[]): ScanSource {
  return {
    kind: 'scan',
    plan: (request) => describeScan(compileScan(request, connections)),
    scan: (request, context) => scan(request, compileScan(request, connections), context),
    close: () => Promise.resolve(),
  };
}

async function* scan(
  request: ScanRequest,
  compiled: CompiledScan,
  context: CallContext,
): AsyncGenerator<Page, void, undefined> {
  if (compiled.empty) return;
  if (!compiled.configured) throw unconfigured();
  const troubles = createTroubles(request.table.name, context);
  const stores = compiled.connections.map((connection) => ({ connection, store: storeOf(connection) }));
  const files = new FileQueue(stores, compiled, troubles, context);
  const most = request.limit ?? Number.POSITIVE_INFINITY;

  const failure: { first?: unknown } = {};

  /** One file after the other; small ones share a page. Of several failures the first one is told. */
  const reader: Part<Page> = async function* reader(partContext) {
    const page = new PageBuilder(most);
    for (let file = await files.next(); file !== undefined && !('first' in failure); file = await files.next()) {
      const { connection, store, path } = file;
      const limit = { key: `files:${connection.name}`, concurrency: CONCURRENT_FILES };
      try {
        const opened = await partContext.call(limit, (signal) => store.open({ path }, signal, context.signal));
        const chunks = page.counting(opened);
        for await (const batch of readFile({ connection, path, chunks, troubles })) {
          for (const { record, length } of batch) if (page.add(record, length)) yield page.take();
        }
      } catch (error) {
        context.signal.throwIfAborted();
        if ('first' in failure) return;
        failure.first = error;
        if (!(error instanceof SourceError)) throw error;
        troubles.unreadable(error, true);
        delete failure.first;
      }
    }
    if (!page.isEmpty) yield page.take();
  };

  let missing = most;
  for await (const page of mergeParts(new Array<Part<Page>>(CONCURRENT_FILES).fill(reader), context, {
    concurrency: CONCURRENT_FILES,
  })) {
    yield page.records.length > missing ? { ...page, records: page.records.slice(0, missing) } : page;
    missing -= page.records.length;
    if (missing <= 0) return;
  }
  troubles.tell();
  files.tell();
}

function storeOf(connection: FilesConnection): Store {
  const bucket = connection.paths.find((path) => path.startsWith('s3://'));
  if (bucket === undefined) return localStore(connection);
  throw new SourceError('not_found', connection.name, `${bucket} cannot be read: Trailhound reads no S3 yet`, {
    hint: `Copy it with aws s3 sync, and name the copy in connections.${connection.name}.paths.`,
  });
}

function unconfigured(): SourceError {
  return new SourceError('not_found', 'files', 'no connection of kind files is configured', {
    hint: 'Name files or folders in the configuration: connections: { evidence: { kind: files, paths: [./evidence] } }.',
  });
}
