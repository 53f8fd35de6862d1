import type { ObjectStore } from '../../object-store.ts';
import type { CallContext, RateLimit } from '../../source.ts';
import { SourceError } from '../../source.ts';
import type { S3 } from '../clients/s3.ts';
import type { AwsConnection } from '../connection.ts';
import { bucketRegion, s3Failure } from './failures.ts';

/** A bucket's own limits are in thousands of requests a second: these bound sockets and memory. */
const LISTS_AT_ONCE = 32;
const READS_AT_ONCE = 32;
/** Where nobody says anything else; a bucket elsewhere says where it is. */
const HOME_REGION = 'us-east-1';

interface Asked {
  readonly bucket: string;
  readonly action: 's3:ListBucket' | 's3:GetObject';
  /** `s3://bucket/key` */
  readonly path: string;
}

/** S3's buckets by one connection's identity, each asked in its own region. */
export function s3ObjectStore(connection: AwsConnection): ObjectStore {
  const regions = new Map<string, string>();
  const { name } = connection;

  async function send<T>(
    asked: Asked,
    limit: RateLimit,
    context: CallContext,
    work: (s3: S3, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const region = regions.get(asked.bucket) ?? (await homeRegion(connection));
    const description = { ...asked, connection: name, region, credentials: connection.credentialsDescription };
    try {
      return await context.call({ ...limit, connection: name }, async (signal) => {
        try {
          return await work(connection.s3(region), signal);
        } catch (error) {
          signal.throwIfAborted();
          throw s3Failure(error, description);
        }
      });
    } catch (error) {
      const other = error instanceof SourceError ? bucketRegion(error.cause) : undefined;
      if (other === undefined || other === region) throw error;
      regions.set(asked.bucket, other);
      return send(asked, limit, context, work);
    }
  }

  return {
    list: (request, context) => {
      const { bucket, prefix } = request;
      const asked = { bucket, action: 's3:ListBucket', path: `s3://${bucket}/${prefix}` } as const;
      const limit = { key: `s3:ListObjectsV2:${name}`, concurrency: LISTS_AT_ONCE };
      return send(asked, limit, context, (s3, signal) => s3.listObjects(request, signal));
    },
    read: (request, context) => {
      const { bucket, key } = request;
      const asked = { bucket, action: 's3:GetObject', path: `s3://${bucket}/${key}` } as const;
      const limit = { key: `s3:GetObject:${name}`, concurrency: READS_AT_ONCE };
      return send(asked, limit, context, (s3, signal) => s3.getObject(request, signal));
    },
  };
}

async function homeRegion(connection: AwsConnection): Promise<string> {
  try {
    return await connection.homeRegion();
  } catch (error) {
    if (error instanceof SourceError && error.kind === 'credentials') return HOME_REGION;
    throw error;
  }
}
