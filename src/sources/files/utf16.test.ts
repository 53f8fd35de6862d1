import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inUtf8 } from './utf16.ts';

async function read(bytes: Buffer, size: number): Promise<Buffer> {
  async function* chunks(): AsyncGenerator<Buffer, void, undefined> {
    for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
  }
  const all: Buffer[] = [];
  for await (const chunk of inUtf8(chunks())) all.push(chunk);
  return Buffer.concat(all);
}

test('text in UTF-16 is read as what it says, whatever the order of its bytes and the chunks', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'grapheme' }),
      fc.boolean(),
      fc.integer({ min: 1, max: 9 }),
      async (text, isBig, size) => {
        const bytes = Buffer.from(`\uFEFF${text}`, 'utf16le');
        expect((await read(isBig ? bytes.swap16() : bytes, size)).toString()).toBe(text);
      },
    ),
  );
});

test('what has no such mark is left as it is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 9 }), fc.integer({ min: 1, max: 4 }), async (array, size) => {
      const bytes = Buffer.from(array);
      const isMarked =
        bytes.subarray(0, 2).equals(Buffer.of(0xff, 0xfe)) || bytes.subarray(0, 2).equals(Buffer.of(0xfe, 0xff));
      if (!isMarked) expect(await read(bytes, size)).toEqual(bytes);
    }),
  );
});

test.each([
  ['half a pair', [0x41, 0, 0x00, 0xd8, 0x42, 0], 'A\uFFFDB'],
  ['half a pair at the end', [0x41, 0, 0x00, 0xd8], 'A\uFFFD'],
  ['half a unit at the end', [0x41, 0, 0x42], 'A\uFFFD'],
])('%s becomes a byte that is no UTF-8', async (_name, units, expected) => {
  const bytes = Buffer.from([0xff, 0xfe, ...units]);
  for (const size of [1, 2, 3, 100]) {
    const found = await read(bytes, size);
    expect([found.toString(), found.includes(0xff)]).toEqual([expected, true]);
  }
});
