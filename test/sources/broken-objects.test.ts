import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { filesSource } from '../../src/sources/files/source.ts';
import type { ObjectPart, ObjectStore, ReadRequest } from '../../src/sources/object-store.ts';
import { SourceError } from '../../src/sources/source.ts';
import { allPages, column, scanRequest, testContext } from '../support/source-harness.ts';

/** Objects of a bucket that change, go, or break off while they are read: the statement fails, or says what is missing. */

const event = (eventID: string) => ({ eventVersion: '1.08', eventName: 'CreateUser', eventID });
const lines = (...ids: readonly string[]) => ids.map((id) => `${JSON.stringify(event(id))}\n`).join('');
/** More than a part, one event a megabyte. */
const LARGE = ['a', 'b', 'c'].map((id) => `${JSON.stringify({ ...event(id), x: 'x'.repeat(1_000_000) })}\n`).join('');

type Answer = (request: ReadRequest) => ObjectPart;

const whole =
  (content: string | Buffer, etag: string | undefined = '"1"'): Answer =>
  ({ from, before }) => {
    const bytes = Buffer.from(content);
    return { bytes: bytes.subarray(from, before), total: bytes.length, etag };
  };
const refused =
  (message: string): Answer =>
  ({ key }) => {
    throw new SourceError('unreachable', 'evidence', `${key} ${message}`, {});
  };
/** The first part as it is, the others by another answer. */
const thenAs =
  (first: Answer, others: Answer): Answer =>
  (request) =>
    request.from === 0 ? first(request) : others(request);

async function read(answer: Answer, partial: boolean, size = 1, copied = false) {
  const store: ObjectStore = {
    list: () =>
      Promise.resolve({
        objects: [
          { key: 'good.jsonl', size: 1 },
          { key: 'x.jsonl', size },
        ],
        folders: [],
        next: undefined,
      }),
    read: (request) =>
      new Promise((resolve) => resolve((request.key === 'x.jsonl' ? answer : whole(lines('good')))(request))),
  };
  const source = filesSource([{ name: 'evidence', paths: ['s3://b/'], deliverySlackMs: 'none' }], () => store);
  const context = testContext({ partial });
  try {
    const request = scanRequest([], { table: 'cloudtrail_file_event', columns: [column('event_id', 'eventID')] });
    const pages = await allPages(source, { ...request, copied }, context);
    const ids = pages.flatMap((page) => [
      ...page.records.map(({ value }) => String((value as { eventID?: unknown }).eventID)),
      ...(page.copied === undefined ? [] : Buffer.from(page.copied.bytes).toString().trimEnd().split('\n')),
    ]);
    return { ids: ids.sort().join(' '), said: context.notices.map(({ message }) => message) };
  } catch (error) {
    return { ids: 'fails', said: [(error as Error).message] };
  } finally {
    await source.close();
  }
}

const file = (message: string) =>
  `1 files of cloudtrail_file_event could not be read, or not to their end; the first: ${message}`;

test.each<[string, Answer, string, string]>([
  ['was deleted after it was listed', refused('was deleted'), 'x.jsonl was deleted', 'good'],
  [
    'is replaced between two parts, where nobody says by which',
    thenAs(whole(LARGE, undefined), whole(`${LARGE}${lines('d')}`, undefined)),
    's3://b/x.jsonl was replaced while it was read',
    'a good',
  ],
  [
    'is replaced by a shorter one',
    thenAs(whole(LARGE, undefined), ({ etag }) => ({ bytes: Buffer.alloc(0), total: LARGE.length, etag })),
    's3://b/x.jsonl ends before its end',
    'a good',
  ],
  ['breaks off in its second part', thenAs(whole(LARGE), refused('breaks off')), 'x.jsonl breaks off', 'a good'],
  [
    'was uploaded in part',
    whole(gzipSync(lines('a', 'b')).subarray(0, -8)),
    `s3://b/x.jsonl, after line 3: it cannot be decompressed: unexpected end of file, at byte ${gzipSync(lines('a', 'b')).length - 8}`,
    'a b good',
  ],
])('an object that %s', async (_name, answer, message, ids) => {
  expect(await read(answer, false)).toEqual({ ids: 'fails', said: [message] });
  expect(await read(answer, true)).toEqual({ ids, said: [file(message)] });
});

test.each([false, true])(
  'what came before an object breaks off is there, however it is read (copied: %s)',
  async (copied) => {
    const content = lines(...Array.from({ length: 30_000 }, (_, index) => String(index)));
    for (const part of [100_000, 2 ** 20]) {
      const cut: Answer = (request) =>
        request.from < 900_000
          ? whole(content)({ ...request, before: request.from + part })
          : refused('breaks off')(request);
      const before = content.slice(0, part * Math.ceil(900_000 / part)).split('\n').length - 1;
      expect((await read(cut, true, 1, copied)).ids.split(' ').length).toBe(before + 1);
    }
  },
);

test('an object that comes in smaller parts than asked for is read to its end, and one that was replaced before it was read as it is', async () => {
  const slow: Answer = (request) => whole(LARGE)({ ...request, before: request.from + 300_000 });
  expect(await read(slow, false)).toEqual({ ids: 'a b c good', said: [] });
  expect(await read(whole(lines('a', 'b')), false, 10_000)).toEqual({ ids: 'a b good', said: [] });
});
