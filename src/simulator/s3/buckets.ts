import { createHash } from 'node:crypto';
import type { Account, Bucket, BucketObject, World } from '../world.ts';
import { trailFiles } from './trail-files.ts';

export interface StoredBucket {
  readonly name: string;
  readonly region: string;
  readonly owner: Account;
  /** In the order of their keys' bytes, as S3 lists them. */
  readonly objects: readonly StoredObject[];
  object(key: string): StoredObject | undefined;
}

export interface StoredObject {
  readonly key: string;
  readonly body: Buffer;
  /** Quoted, as it is sent. */
  readonly etag: string;
  readonly storageClass: string;
}

/** By their names, of all accounts: a bucket's name belongs to nobody else. */
export function storedBuckets(world: World): ReadonlyMap<string, StoredBucket> {
  return new Map(
    world.accounts.flatMap((account) =>
      (account.buckets ?? []).map((bucket): [string, StoredBucket] => [bucket.name, stored(bucket, account)]),
    ),
  );
}

function stored(bucket: Bucket, owner: Account): StoredBucket {
  const delivered = (bucket.trails ?? []).flatMap((trail, serial) =>
    trailFiles(trail, serial, owner.accountId, bucket.region),
  );
  const objects = [...(bucket.objects ?? []).map(storedObject), ...delivered.map(({ key, body }) => make(key, body))];
  const byKey = new Map(objects.map((object) => [object.key, object]));
  return {
    name: bucket.name,
    region: bucket.region,
    owner,
    objects: [...byKey.values()].sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key))),
    object: (key) => byKey.get(key),
  };
}

function storedObject(object: BucketObject): StoredObject {
  const body = 'text' in object ? Buffer.from(object.text) : Buffer.from(object.base64, 'base64');
  return make(object.key, body, object.storageClass);
}

function make(key: string, body: Buffer, storageClass = 'STANDARD'): StoredObject {
  return { key, body, etag: `"${createHash('md5').update(body).digest('hex')}"`, storageClass };
}
