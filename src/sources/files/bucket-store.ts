import type { ObjectPart, ObjectStore } from '../object-store.ts';
import { type CallContext, SourceError } from '../source.ts';
import { BucketListing } from './bucket-listing.ts';
import type { BucketPath } from './bucket-path.ts';
import type { FilesConnection } from './connection.ts';
import type { Store, StoredFile } from './store.ts';

/** Most of CloudTrail's files are smaller; of larger ones two parts are held: so much memory is what 32 that are open can take. */
const PART_BYTES = 1024 * 1024;

/** The objects of S3's buckets. */
export function bucketStore(connection: FilesConnection, paths: readonly BucketPath[], objects: ObjectStore): Store {
  return {
    list: (wanted, context) => {
      const fileOf = (bucket: string, key: string, size: number): StoredFile => ({
        kind: 'object',
        path: `s3://${bucket}/${key}`,
        open: (openContext) => openObject(objects, { bucket, key, size }, connection, openContext),
      });
      return new BucketListing(connection, paths, objects, fileOf, wanted, context).files();
    },
  };
}

async function openObject(
  objects: ObjectStore,
  { bucket, key, size }: { readonly bucket: string; readonly key: string; readonly size: number },
  connection: FilesConnection,
  context: CallContext,
): Promise<AsyncIterable<Uint8Array>> {
  // No range of it can be asked for.
  if (size === 0) return none();
  const part = (from: number, etag: string | undefined) =>
    objects.read({ bucket, key, from, before: from + PART_BYTES, etag }, context);
  return parts(await part(0, undefined), part, (problem) => {
    throw new SourceError('nonsense', connection.name, `s3://${bucket}/${key} ${problem}`, {
      hint: 'Run the statement again.',
    });
  });
}

async function* none(): AsyncGenerator<Uint8Array, void, undefined> {}

/** Each part is asked for while the one before is read; one that breaks off is asked for again before any of it is seen. */
async function* parts(
  first: ObjectPart,
  read: (from: number, etag: string | undefined) => Promise<ObjectPart>,
  fail: (problem: string) => never,
): AsyncGenerator<Uint8Array, void, undefined> {
  let current = first;
  let end = first.bytes.length;
  for (;;) {
    const next = end < first.total ? read(end, first.etag) : undefined;
    // It may never be taken.
    next?.catch(() => undefined);
    yield current.bytes;
    if (next === undefined) return;
    current = await next;
    if (current.bytes.length === 0) fail('ends before its end');
    // Whoever stands in for S3 may have no ETag to ask by.
    if (current.total !== first.total) fail('was replaced while it was read');
    end += current.bytes.length;
  }
}
