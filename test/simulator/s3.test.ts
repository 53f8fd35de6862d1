import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { s3Client } from './clients.ts';

let simulator: Simulator;

const record = (eventID: string, eventTime: string, awsRegion: string, recipientAccountId: string) => ({
  eventID,
  eventTime,
  awsRegion,
  recipientAccountId,
});

beforeAll(async () => {
  simulator = await startSimulator({
    s3: { pageSize: 3 },
    world: {
      accounts: [
        {
          accountId: '111122223333',
          accessKeyIds: ['AKIAOWNER'],
          regions: [{ name: 'us-east-1' }, { name: 'eu-west-1' }],
          buckets: [
            {
              name: 'plain',
              region: 'us-east-1',
              objects: [
                { key: 'a/1.json', text: '0123456789' },
                { key: 'a/b/2.json', text: '{}' },
                { key: 'a/b/3 & +é.json', text: '{}' },
                { key: 'c.json', text: '', storageClass: 'STANDARD_IA' },
                { key: 'old.json', text: '{}', storageClass: 'GLACIER' },
              ],
            },
            {
              name: 'trail',
              region: 'eu-west-1',
              trails: [
                {
                  prefix: 'org',
                  organizationId: 'o-abcdefghij',
                  delivery: { maxDelayMs: 0 },
                  records: [
                    record('1', '2026-11-20T23:58:00Z', 'us-east-1', '111122223333'),
                    record('2', '2026-11-20T23:57:00Z', 'us-east-1', '111122223333'),
                    record('3', '2026-11-20T23:57:00Z', 'eu-west-1', '444455556666'),
                  ],
                },
              ],
            },
          ],
        },
        { accountId: '444455556666', accessKeyIds: ['AKIAOTHER'], regions: [{ name: 'us-east-1' }] },
      ],
    },
  });
});
afterAll(() => simulator.close());

const client = (options: { readonly region?: string; readonly accessKeyId?: string } = {}) =>
  s3Client(simulator.url, { accessKeyId: 'AKIAOWNER', ...options });

async function text(key: string, more: { readonly Range?: string; readonly IfMatch?: string } = {}): Promise<string> {
  const answer = await client().send(new GetObjectCommand({ Bucket: 'plain', Key: key, ...more }));
  return (await answer.Body?.transformToString()) ?? '';
}

it('lists pages of keys in the order of their bytes', async () => {
  const first = await client().send(new ListObjectsV2Command({ Bucket: 'plain' }));
  const second = await client().send(
    new ListObjectsV2Command({ Bucket: 'plain', ContinuationToken: first.NextContinuationToken }),
  );
  expect([first.IsTruncated, second.IsTruncated]).toEqual([true, false]);
  const keys = [...(first.Contents ?? []), ...(second.Contents ?? [])].map(({ Key, Size }) => [Key, Size]);
  expect(keys).toEqual([
    ['a/1.json', 10],
    ['a/b/2.json', 2],
    ['a/b/3 & +é.json', 2],
    ['c.json', 0],
    ['old.json', 2],
  ]);
});

it('lists folders where a delimiter says what parts them, and encodes keys when asked', async () => {
  const folders = await client().send(new ListObjectsV2Command({ Bucket: 'plain', Prefix: 'a/', Delimiter: '/' }));
  expect(folders.Contents?.map(({ Key }) => Key)).toEqual(['a/1.json']);
  expect(folders.CommonPrefixes).toEqual([{ Prefix: 'a/b/' }]);
  const encoded = await client().send(
    new ListObjectsV2Command({ Bucket: 'plain', Prefix: 'a/b/3', EncodingType: 'url' }),
  );
  expect(encoded.Contents?.map(({ Key }) => Key)).toEqual(['a/b/3+%26+%2B%C3%A9.json']);
});

it('gives objects, parts of them, and says how they have changed', async () => {
  expect(await text('a/1.json')).toBe('0123456789');
  expect(await text('a/1.json', { Range: 'bytes=8-99' })).toBe('89');
  expect(await text('a/b/3 & +é.json')).toBe('{}');
  await expect(text('a/1.json', { Range: 'bytes=10-11' })).rejects.toMatchObject({ name: 'InvalidRange' });
  await expect(text('a/1.json', { IfMatch: '"other"' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
  await expect(text('old.json')).rejects.toMatchObject({ name: 'InvalidObjectState' });
  await expect(text('none')).rejects.toMatchObject({ name: 'NoSuchKey' });
});

it('knows buckets by host name, too', async () => {
  const { port } = new URL(simulator.url);
  const status = await new Promise((resolve, reject) => {
    const headers = {
      host: `plain.s3.us-east-1.amazonaws.com`,
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIAOWNER/20261121/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0',
    };
    request({ port, path: '/a/1.json', headers }, ({ statusCode }) => resolve(statusCode))
      .on('error', reject)
      .end();
  });
  expect(status).toBe(200);
});

it('sends who asks in another region to that of the bucket, and refuses others', async () => {
  const list = new ListObjectsV2Command({ Bucket: 'trail' });
  await expect(client().send(list)).rejects.toMatchObject({
    name: 'PermanentRedirect',
    $response: { headers: { 'x-amz-bucket-region': 'eu-west-1' } },
  });
  await expect(client({ accessKeyId: 'AKIAOTHER' }).send(list)).rejects.toMatchObject({ name: 'AccessDenied' });
  await expect(client().send(new ListObjectsV2Command({ Bucket: 'none' }))).rejects.toMatchObject({
    name: 'NoSuchBucket',
  });
  await expect(client().send(new PutObjectCommand({ Bucket: 'plain', Key: 'x', Body: 'x' }))).rejects.toMatchObject({
    name: 'MethodNotAllowed',
  });
});

it('delivers a trail as CloudTrail names its files, digests beside', async () => {
  const s3 = client({ region: 'eu-west-1' });
  const first = await s3.send(new ListObjectsV2Command({ Bucket: 'trail', Prefix: 'org/AWSLogs/o-abcdefghij/' }));
  const second = await s3.send(
    new ListObjectsV2Command({
      Bucket: 'trail',
      Prefix: 'org/AWSLogs/o-abcdefghij/',
      StartAfter: first.Contents?.at(-1)?.Key,
    }),
  );
  const keys = [...(first.Contents ?? []), ...(second.Contents ?? [])].map(({ Key = '' }) => Key);
  expect(keys.map((key) => key.replace(/Z_[A-Za-z0-9]{16}\.json/, 'Z_….json'))).toEqual([
    'org/AWSLogs/o-abcdefghij/111122223333/CloudTrail-Digest/us-east-1/2026/11/21/111122223333_CloudTrail-Digest_us-east-1_trail-0_eu-west-1_20261121T000000Z.json.gz',
    'org/AWSLogs/o-abcdefghij/111122223333/CloudTrail/us-east-1/2026/11/21/111122223333_CloudTrail_us-east-1_20261121T0000Z_….json.gz',
    'org/AWSLogs/o-abcdefghij/444455556666/CloudTrail-Digest/eu-west-1/2026/11/21/444455556666_CloudTrail-Digest_eu-west-1_trail-0_eu-west-1_20261121T000000Z.json.gz',
    'org/AWSLogs/o-abcdefghij/444455556666/CloudTrail/eu-west-1/2026/11/21/444455556666_CloudTrail_eu-west-1_20261121T0000Z_….json.gz',
  ]);
  const body = await s3.send(new GetObjectCommand({ Bucket: 'trail', Key: keys[1] }));
  const { Records } = JSON.parse(gunzipSync((await body.Body?.transformToByteArray()) ?? '').toString()) as {
    readonly Records: readonly { readonly eventID: string }[];
  };
  expect(Records.map(({ eventID }) => eventID)).toEqual(['1', '2']);
});
