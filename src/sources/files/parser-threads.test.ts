import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FileRun, type RunPiece, parseRun } from './file-run.ts';
import { exactJson } from '../exact-number.ts';
import { type FileRecord, ParseFailure } from './parse-chunks.ts';
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

const object = (chunks: AsyncIterable<Uint8Array>): FileRun => ({ kind: 'object', chunks, place: {} });
const alone = (chunks: AsyncIterable<Uint8Array>) =>
  parseRun([{ chunks, place: {}, again: undefined }], { ...WANTED, lines: undefined });

/** All that was found, and how it ended. */
async function collect(pieces: AsyncIterable<RunPiece>) {
  const records: unknown[] = [];
  const malformed: unknown[] = [];
  const failures: unknown[] = [];
  let replaced = 0;
  let ended = 0;
  let failure: unknown;
  try {
    for await (const piece of pieces) {
      for (const { file, ...found } of piece.found) {
        records.push(...found.records.map((record) => [file, record]));
        malformed.push(...found.malformed.map(({ line, reason, rest }) => ({ file, line, reason, rest })));
        if (found.failure instanceof ParseFailure) failures.push([file, found.failure.kind, found.failure.message]);
        else if (found.failure !== undefined) failures.push([file, found.failure.message]);
      }
      replaced += piece.replaced;
      ended += piece.ended;
    }
  } catch (error) {
    failure = error;
  }
  return { records, malformed, failures, replaced, ended, failure };
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
  const expected = await collect(alone(chunksOf(bytes)));
  expect(await collect(threads.parse(object(chunksOf(bytes)), WANTED))).toEqual(expected);
});

test('records that have no text of their own get one, where it is used', async () => {
  const enveloped = Buffer.from(
    JSON.stringify({ 'detail-type': 'AWS API Call via CloudTrail', detail: { ...event(1), x: 1 } }),
  );
  const { records } = await collect(threads.parse(object(chunksOf(enveloped)), WANTED));
  expect(records).toMatchObject([[0, { value: event(1), text: JSON.stringify({ ...event(1), x: 1 }) }]]);
  const without = await collect(
    threads.parse(object(chunksOf(enveloped)), {
      projection: { paths: [['eventID']], text: false },
      needles: [],
      lines: undefined,
    }),
  );
  expect(without.records).toMatchObject([[0, { value: { eventID: '1' }, text: undefined }]]);
});

test('a record that is nested too deeply is malformed, and ends no thread', async () => {
  const depth = 100_000;
  const deep = `{"eventID":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  const bytes = Buffer.from(`${JSON.stringify(event(1))}\n${deep}\n${JSON.stringify(event(2))}`);
  const found = await collect(threads.parse(object(chunksOf(bytes)), WANTED));
  expect(found.records).toMatchObject([
    [0, { value: event(1) }],
    [0, { value: event(2) }],
  ]);
  expect(found.malformed).toEqual([{ file: 0, line: 2, reason: 'the record is nested too deeply', rest: false }]);
  expect(found.failure).toBeUndefined();
});

test('numbers that no double holds come out of a thread as they were written', async () => {
  const text = '{"eventID":12345678901234567,"userIdentity":{"arn":[1.50,{"a":-0.0}]},"x":1e400}';
  const { records } = await collect(threads.parse(object(chunksOf(Buffer.from(text))), WANTED));
  const [[, record] = []] = records as [number, FileRecord][];
  expect(exactJson(record?.value)).toBe('{"eventID":12345678901234567,"userIdentity":{"arn":[1.50,{"a":-0.0}]}}');
});

test('files of this machine are read as one job, and one that cannot be read ends alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'trailhound-'));
  try {
    const contents = [
      lines,
      undefined,
      gzipSync(lines),
      gzipSync(lines).subarray(0, 9_000),
      '',
      '{"eventID":\n',
      lines,
    ];
    const files = contents.map((content, index) => ({ path: join(folder, `${index}.json`), place: {} }));
    for (const [index, content] of contents.entries()) {
      if (content !== undefined) await writeFile(files[index]!.path, content);
    }
    const found = await collect(threads.parse({ kind: 'local', files }, WANTED));
    const expected = contents.filter((content) => content !== undefined);
    const apart = await Promise.all(expected.map((content) => collect(alone(chunksOf(Buffer.from(content))))));
    const numbered = apart.map(({ records }) => records.map((record) => (record as [number, unknown])[1]));
    expect(found.records).toEqual([0, 2, 3, 4, 5, 6].flatMap((file, at) => numbered[at]!.map((one) => [file, one])));
    expect(found.malformed).toEqual([{ file: 5, line: 1, reason: 'the file ends within a record', rest: true }]);
    expect(found.failures).toEqual([
      [1, expect.stringContaining('ENOENT')],
      [3, 'corrupt', 'unexpected end of file, at byte 9000'],
    ]);
    expect([found.ended, found.failure]).toEqual([7, undefined]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('many files share a thread, each in its own order', async () => {
  const all = await Promise.all(
    Array.from({ length: 5 }, () => collect(threads.parse(object(chunksOf(Buffer.from(lines))), WANTED))),
  );
  const expected = Array.from({ length: 3_000 }, (_, index) => event(index));
  for (const { records } of all)
    expect(records.map((one) => (one as [number, { value: unknown }])[1].value)).toEqual(expected);
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
  const batches = threads.parse(object(chunks), WANTED);
  await batches.next();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(state.chunks).toBeLessThan(12);
  await batches.return();
  expect(state.closed).toBe(true);
});

test('what breaks off gives what came before, and fails as it does', async () => {
  const refusal = new Error('input/output error');
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    yield* chunksOf(Buffer.from(lines));
    throw refusal;
  }
  const { records, failures } = await collect(threads.parse(object(chunks()), WANTED));
  expect([records.length, failures]).toEqual([3_000, [[0, refusal.message]]]);
});

test('a thread that ends fails its files, and none is started after the end', async () => {
  const { state, chunks } = endless();
  const batches = threads.parse(object(chunks), WANTED);
  await batches.next();
  await threads.close();
  expect((await collect(batches)).failure).toMatchObject({ message: 'the thread that parsed it has ended' });
  expect(state.closed).toBe(true);
  expect((await collect(threads.parse(object(chunksOf(Buffer.from(lines))), WANTED))).failure).toMatchObject({
    message: 'the threads that parse files are closed',
  });
});
