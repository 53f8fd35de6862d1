import { AwsError } from '../aws/aws-error.ts';
import type { ServiceRequest, ServiceResponse } from '../service.ts';
import type { StoredBucket } from './buckets.ts';

const ARCHIVED = new Set(['GLACIER', 'DEEP_ARCHIVE']);

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
export function getObject(bucket: StoredBucket, key: string, { headers }: ServiceRequest): ServiceResponse {
  const object = bucket.object(key);
  if (object === undefined) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
  const { body, etag, storageClass } = object;
  if (ARCHIVED.has(storageClass)) {
    throw new AwsError('InvalidObjectState', "The operation is not valid for the object's storage class", 403);
  }
  if (headers['if-match'] !== undefined && headers['if-match'] !== etag) {
    throw new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412);
  }
  const common = { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes', etag };
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers['range'] ?? '') ?? [];
  if (from === undefined) return { status: 200, headers: common, body };
  const first = Number(from);
  const last = Math.min(to === undefined || to === '' ? body.length - 1 : Number(to), body.length - 1);
  if (first > last) throw new AwsError('InvalidRange', 'The requested range is not satisfiable', 416);
  return {
    status: 206,
    headers: { ...common, 'content-range': `bytes ${first}-${last}/${body.length}` },
    body: body.subarray(first, last + 1),
  };
}
