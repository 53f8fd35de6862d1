import type { ListRequest, ObjectPage, ObjectPart, ReadRequest } from '../../object-store.ts';
import { onFirstUse } from './on-first-use.ts';
import { type ClientOptions, sdkConfiguration } from './options.ts';

/** Throws SyntaxError where an answer is not what the API says. */
export interface S3 {
  listObjects(request: ListRequest, signal: AbortSignal): Promise<ObjectPage>;
  getObject(request: ReadRequest, signal: AbortSignal): Promise<ObjectPart>;
  destroy(): void;
}

export function s3Client(options: ClientOptions): S3 {
  const sdk = onFirstUse(async () => {
    const { S3Client, ...commands } = await import('@aws-sdk/client-s3');
    const client = new S3Client({
      ...sdkConfiguration(options),
      // Servers that stand in for S3 rarely have a host name for each bucket.
      forcePathStyle: options.endpointUrl !== undefined,
      // A part's checksum is not its object's; what is compressed carries its own.
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    return { client, ...commands };
  });
  return {
    listObjects: async ({ bucket, prefix, byFolder, after }, signal) => {
      const { client, ListObjectsV2Command } = await sdk.get();
      const answer = await client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          // XML cannot hold every key.
          EncodingType: 'url',
          ...(byFolder && { Delimiter: '/' }),
          ...(after !== undefined && { ContinuationToken: after }),
        }),
        { abortSignal: signal },
      );
      // A proxy's page would be read as a list of nothing.
      if (answer.KeyCount === undefined) throw new SyntaxError('no list of keys');
      return {
        objects: (answer.Contents ?? []).map(({ Key, Size }) => ({ key: decoded(Key), size: Size ?? 0 })),
        folders: (answer.CommonPrefixes ?? []).map(({ Prefix }) => decoded(Prefix)),
        next: answer.IsTruncated === true ? nextOf(answer.NextContinuationToken) : undefined,
      };
    },
    getObject: async ({ bucket, key, from, before, etag }, signal) => {
      const { client, GetObjectCommand } = await sdk.get();
      const answer = await client.send(
        new GetObjectCommand({
          Bucket: bucket,
          Key: key,
          Range: `bytes=${from}-${before - 1}`,
          ...(etag !== undefined && { IfMatch: etag }),
        }),
        { abortSignal: signal },
      );
      const bytes = await collect(answer.Body as AsyncIterable<Uint8Array>);
      const total = totalOf(answer.ContentRange, from, bytes.length);
      return { bytes, total, etag: answer.ETag };
    },
    destroy: () => sdk.ifUsed(({ client }) => client.destroy()),
  };
}

function decoded(text: string | undefined): string {
  if (text === undefined) throw new SyntaxError('an object without a key');
  return decodeURIComponent(text.replaceAll('+', ' '));
}

function nextOf(token: string | undefined): string {
  if (token === undefined) throw new SyntaxError('a truncated list that does not say how it goes on');
  return token;
}

/** `bytes 0-1048575/2097152`; a server without ranges answers with all of it, once. */
function totalOf(range: string | undefined, from: number, length: number): number {
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(range ?? '') ?? [];
  if (range === undefined && from === 0) return length;
  if (total === undefined || Number(first) !== from || length === 0) throw new SyntaxError('another range');
  return Number(total);
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
