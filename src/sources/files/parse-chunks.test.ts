import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Needles } from '../needles.ts';
import { parseChunks, ParseFailure, prepare } from './parse-chunks.ts';

/** The records of a file that is cut off, and the line after which. */
async function readOf(file: Buffer, needles: readonly Needles[]): Promise<{ ids: unknown[]; line: number }> {
  const ids: unknown[] = [];
  try {
    for await (const { records } of parseChunks(Readable.from([file]), prepare({ needles, lines: undefined }))) {
      for (const { value } of records) if (value['eventName'] === 'CreateUser') ids.push(value['eventID']);
    }
  } catch (error) {
    if (error instanceof ParseFailure) return { ids, line: error.line };
    throw error;
  }
  throw new Error('nothing was wrong');
}

test.each(['\r\n', '\n', ' '])(
  'a file that is cut off gives as much where records are passed over: %j',
  async (end) => {
    const records = Array.from({ length: 100 }, (_, index) =>
      JSON.stringify({ eventVersion: '1', eventName: index % 9 === 0 ? 'CreateUser' : 'ListUsers', eventID: index }),
    );
    const whole = gzipSync(records.map((record) => record + end).join(''));
    const file = whole.subarray(0, whole.length - 8);
    const all = await readOf(file, []);
    expect(all.ids.length).toBeGreaterThan(5);
    expect(await readOf(file, [['CreateUser']])).toEqual(all);
  },
);

test('of a small compressed file that breaks off, what came is told', async () => {
  const text = Array.from({ length: 1_000 }, (_, index) => JSON.stringify({ eventID: index })).join('\n');
  const file = gzipSync(text);
  let count = 0;
  const reading = (async () => {
    for await (const { records } of parseChunks(breakingOff(file.subarray(0, file.length / 2))))
      count += records.length;
  })();
  await expect(reading).rejects.toThrow('it broke off');
  expect(count).toBeGreaterThan(100);
});

async function* breakingOff(bytes: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
  await Promise.reject(new Error('it broke off'));
}
