import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FileBatch, ParseFailure, parseChunks } from './parse-chunks.ts';
import { ParserThreads } from './parser-threads.ts';
import type { Wanted } from './wanted.ts';

const WANTED: Wanted = {
  projection: { paths: [['eventID'], ['userIdentity', 'arn']], text: true },
  needles: [],
  lines: undefined,
};

let threads: ParserThreads;
beforeEach(() => {
  threads = new ParserThreads(1);
});
afterEach(() => threads.close());

async function* chunksOf(bytes: Buffer, size = 10_000): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) {
    // A turn of the event loop, as reading takes it.
    await new Promise((resolve) => setImmediate(resolve));
    yield bytes.subarray(at, at + size);
  }
}

/** All that was found, and how it ended. */
async function collect(batches: AsyncIterable<FileBatch>) {
  const records: unknown[] = [];
  const malformed: unknown[] = [];
  let replaced = 0;
  let failure: unknown;
  try {
    for await (const batch of batches) {
      records.push(...batch.records);
      malformed.push(...batch.malformed.map(({ line, reason, rest }) => ({ line, reason, rest })));
      replaced += batch.replaced;
    }
  } catch (error) {
    failure = error instanceof ParseFailure ? [error.kind, error.line, error.message] : error;
  }
  return { records, malformed, replaced, failure };
}

const event = (index: number) => ({ eventID: String(index), userIdentity: { arn: `arn:${index}` } });
const lines = Array.from({ length: 3_000 }, (_, index) => JSON.stringify(event(index))).join('\n');

test.each<[string, Buffer]>([
  ['nothing', Buffer.alloc(0)],
  ['records one a line', Buffer.from(lines)],
  ['compressed records', gzipSync(lines)],
  ['what is malformed', Buffer.from(`${lines}\n{"eventID":\n{"eventID":x}\n12\n${lines}\n{"eventID"`)],
  ['what is no UTF-8', Buffer.concat([Buffer.from(`${lines}\n{"eventID":"`), Buffer.from([0xff]), Buffer.from('"}')])],
  ['what cannot be decompressed to its end', gzipSync(lines).subarray(0, 9_000)],
  [
    'exported and looked up records',
    Buffer.from(
      `2026-11-21T20:00:00.000Z ${JSON.stringify(event(1))}\n${JSON.stringify({ CloudTrailEvent: JSON.stringify(event(2)) })}`,
    ),
  ],
])('%s come out of a thread as they do without', async (_name, bytes) => {
  const expected = await collect(parseChunks(chunksOf(bytes)));
  expect(await collect(threads.parse(chunksOf(bytes), WANTED))).toEqual(expected);
});

test('records that have no text of their own get one, where it is used', async () => {
  const enveloped = Buffer.from(
    JSON.stringify({ 'detail-type': 'AWS API Call via CloudTrail', detail: { ...event(1), x: 1 } }),
  );
  const { records } = await collect(threads.parse(chunksOf(enveloped), WANTED));
  expect(records).toMatchObject([{ value: event(1), text: JSON.stringify({ ...event(1), x: 1 }) }]);
  const without = await collect(
    threads.parse(chunksOf(enveloped), {
      projection: { paths: [['eventID']], text: false },
      needles: [],
      lines: undefined,
    }),
  );
  expect(without.records).toMatchObject([{ value: { eventID: '1' }, text: undefined }]);
});

test('many files share a thread, each in its own order', async () => {
  const all = await Promise.all(
    Array.from({ length: 5 }, () => collect(threads.parse(chunksOf(Buffer.from(lines)), WANTED))),
  );
  const expected = Array.from({ length: 3_000 }, (_, index) => event(index));
  for (const { records } of all) expect(records.map((one) => (one as { value: unknown }).value)).toEqual(expected);
});

/** Bytes without end, and whether anybody reads them still. */
function endless() {
  const state = { chunks: 0, closed: false };
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        state.chunks += 1;
        yield Buffer.from(`${lines}\n`);
      }
    } finally {
      state.closed = true;
    }
  }
  return { state, chunks: chunks() };
}

test('who takes no more has no more read, and no more than little ahead', async () => {
  const { state, chunks } = endless();
  const batches = threads.parse(chunks, WANTED);
  await batches.next();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(state.chunks).toBeLessThan(12);
  await batches.return();
  expect(state.closed).toBe(true);
});

test('what fails to be read fails as it is', async () => {
  const refusal = new Error('input/output error');
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    yield* chunksOf(Buffer.from(lines));
    throw refusal;
  }
  expect((await collect(threads.parse(chunks(), WANTED))).failure).toBe(refusal);
});

test('a thread that ends fails its files, and none is started after the end', async () => {
  const { state, chunks } = endless();
  const batches = threads.parse(chunks, WANTED);
  await batches.next();
  await threads.close();
  expect((await collect(batches)).failure).toMatchObject({ message: 'the thread that parsed it has ended' });
  expect(state.closed).toBe(true);
  expect((await collect(threads.parse(chunksOf(Buffer.from(lines)), WANTED))).failure).toMatchObject({
    message: 'the threads that parse files are closed',
  });
});
