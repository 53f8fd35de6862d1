import { AwsError, awsErrorResponse } from '../aws/aws-error.ts';
import { callerOf } from '../aws/caller.ts';
import type { Caller } from '../aws/caller.ts';
import type { Operation, Service, ServiceRequest, ServiceResponse } from '../service.ts';
import type { World } from '../world.ts';
import { storedBuckets, type StoredBucket } from './buckets.ts';
import { getObject } from './get-object.ts';
import { listObjectsV2 } from './list-objects.ts';

/** `bucket.s3.eu-west-1.amazonaws.com`, `bucket.localhost:4566`; other hosts have the bucket in the path. */
const VIRTUAL_HOST = /^(.+?)\.(?:s3[.-].*|localhost)(?::\d+)?$/;

/** Amazon S3, API version 2006-03-01: REST and XML, the bucket in the host's name or in the path. */
export class S3 implements Service {
  readonly name = 's3';
  readonly #world: World;
  readonly #buckets: ReadonlyMap<string, StoredBucket>;
  readonly #pageSize: number | undefined;

  constructor(world: World, pageSize: number | undefined) {
    this.#world = world;
    this.#buckets = storedBuckets(world);
    this.#pageSize = pageSize;
  }

  claims(request: ServiceRequest): boolean {
    return /\/s3\/aws4_request\b/.test(request.headers['authorization'] ?? '');
  }

  understand(request: ServiceRequest): Operation {
    const { bucket: name, key } = addressOf(request);
    const lists = key === '' && request.url.searchParams.get('list-type') === '2';
    const operation = request.method !== 'GET' ? request.method : lists ? 'ListObjectsV2' : 'GetObject';
    const caller = this.#caller(request);
    return {
      operation,
      region: caller.region.name,
      accountId: caller.account.accountId,
      key: `s3://${name}/${lists ? (request.url.searchParams.get('prefix') ?? '') : key}`,
      answer: () => {
        const bucket = this.#bucket(name, caller);
        if (bucket.region !== caller.region.name) return redirect(bucket);
        if (operation === 'ListObjectsV2') {
          return listObjectsV2(bucket, request.url.searchParams, this.#pageSize);
        }
        if (operation === 'GetObject' && key !== '') return getObject(bucket, key, request);
        throw new AwsError('MethodNotAllowed', 'The specified method is not allowed against this resource.', 405);
      },
    };
  }

  /** S3 has a name and status of its own for what others call UnrecognizedClientException. */
  #caller(request: ServiceRequest): Caller {
    try {
      return callerOf(request, this.#world);
    } catch (error) {
      throw error instanceof AwsError ? new AwsError('InvalidAccessKeyId', error.message, 403) : error;
    }
  }

  #bucket(name: string, { account }: Caller): StoredBucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404);
    if (bucket.owner !== account) throw new AwsError('AccessDenied', 'Access Denied', 403);
    return bucket;
  }
}

function addressOf({ url, headers }: ServiceRequest): { readonly bucket: string; readonly key: string } {
  const path = url.pathname.slice(1).split('/').map(decodeURIComponent);
  const [, host] = VIRTUAL_HOST.exec(headers['host'] ?? '') ?? [];
  if (host !== undefined) return { bucket: host, key: path.join('/') };
  const [bucket = '', ...key] = path;
  return { bucket, key: key.join('/') };
}

/** Signed for another region than the bucket's. */
function redirect(bucket: StoredBucket): ServiceResponse {
  const response = awsErrorResponse(
    's3',
    new AwsError(
      'PermanentRedirect',
      'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.',
      301,
    ),
  );
  return { ...response, headers: { ...response.headers, 'x-amz-bucket-region': bucket.region } };
}
