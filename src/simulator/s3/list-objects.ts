import { AwsError, escapeXml } from '../aws/aws-error.ts';
import { decodeToken, encodeToken, queryId } from '../aws/page-token.ts';
import type { ServiceResponse } from '../service.ts';
import type { StoredBucket, StoredObject } from './buckets.ts';
import { s3Xml } from './s3-xml.ts';

const MAX_KEYS = 1_000;
const LAST_MODIFIED = '2026-01-01T00:00:00.000Z';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export function listObjectsV2(bucket: StoredBucket, query: URLSearchParams, pageSize = MAX_KEYS): ServiceResponse {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const startAfter = query.get('start-after') ?? '';
  const encoded = query.get('encoding-type') === 'url';
  const maxKeys = Math.min(maxKeysOf(query), pageSize);
  const token = query.get('continuation-token');
  const of = queryId(bucket.name, prefix, delimiter, startAfter);
  const position = token === null ? 0 : decodeToken(token, of)?.position;
  if (position === undefined) {
    throw new AwsError('InvalidArgument', 'The continuation token provided is incorrect');
  }

  const { contents, prefixes, next } = page(bucket.objects, { prefix, delimiter, startAfter, position, maxKeys });
  const text = (value: string) => escapeXml(encoded ? urlEncoded(value) : value);
  const element = (name: string, value: string | number) => `<${name}>${value}</${name}>`;
  return s3Xml(
    'ListBucketResult',
    [
      element('Name', bucket.name),
      element('Prefix', text(prefix)),
      delimiter === '' ? '' : element('Delimiter', text(delimiter)),
      encoded ? element('EncodingType', 'url') : '',
      element('MaxKeys', maxKeys),
      element('KeyCount', contents.length + prefixes.length),
      element('IsTruncated', String(next !== undefined)),
      token === null ? '' : element('ContinuationToken', escapeXml(token)),
      next === undefined
        ? ''
        : element('NextContinuationToken', encodeToken({ query: of, position: next, serial: next })),
      ...contents.map(({ key, body, etag, storageClass }) =>
        element(
          'Contents',
          element('Key', text(key)) +
            element('LastModified', LAST_MODIFIED) +
            element('ETag', escapeXml(etag)) +
            element('Size', body.length) +
            element('StorageClass', storageClass),
        ),
      ),
      ...prefixes.map((common) => element('CommonPrefixes', element('Prefix', text(common)))),
    ].join(''),
  );
}

function maxKeysOf(query: URLSearchParams): number {
  const maxKeys = Number(query.get('max-keys') ?? MAX_KEYS);
  if (!Number.isInteger(maxKeys) || maxKeys < 0)
    throw new AwsError('InvalidArgument', 'Provided max-keys not an integer');
  return maxKeys;
}

function page(
  objects: readonly StoredObject[],
  asked: {
    readonly prefix: string;
    readonly delimiter: string;
    readonly startAfter: string;
    readonly position: number;
    readonly maxKeys: number;
  },
): { readonly contents: readonly StoredObject[]; readonly prefixes: readonly string[]; readonly next?: number } {
  const contents: StoredObject[] = [];
  const prefixes: string[] = [];
  for (let index = asked.position; index < objects.length; index += 1) {
    const object = objects[index] as StoredObject;
    const { key } = object;
    if (!key.startsWith(asked.prefix) || key <= asked.startAfter) continue;
    const end = asked.delimiter === '' ? -1 : key.indexOf(asked.delimiter, asked.prefix.length);
    const common = end < 0 ? undefined : key.slice(0, end + asked.delimiter.length);
    if (common !== undefined && common === prefixes.at(-1)) continue;
    if (contents.length + prefixes.length >= asked.maxKeys) return { contents, prefixes, next: index };
    if (common === undefined) contents.push(object);
    else prefixes.push(common);
  }
  return { contents, prefixes };
}

/** As S3 does: slashes stay, a space is a plus. */
function urlEncoded(text: string): string {
  return encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%20', '+').replaceAll("'", '%27');
}
