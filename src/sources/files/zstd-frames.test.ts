import { expect, test } from 'vitest';
import { ByteReader } from './byte-reader.ts';
import { NotDecompressible } from './not-decompressible.ts';
import { splitZstdFrames } from './zstd-frames.ts';

/** RFC 8878: frames of raw and repeated blocks, written by hand. */
function frame(descriptor: number, header: readonly number[], ...blocks: readonly (readonly number[])[]): Buffer {
  const checksum = (descriptor & 4) === 0 ? [] : [1, 2, 3, 4];
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, descriptor, ...header, ...blocks.flat(), ...checksum]);
}

function raw(last: boolean, ...content: readonly number[]): readonly number[] {
  const header = (content.length << 3) | (last ? 1 : 0);
  return [header & 0xff, (header >> 8) & 0xff, header >> 16, ...content];
}

function repeated(last: boolean, times: number): readonly number[] {
  const header = (times << 3) | (1 << 1) | (last ? 1 : 0);
  return [header & 0xff, (header >> 8) & 0xff, header >> 16, 0x78];
}

const FRAMES: readonly Buffer[] = [
  // A single segment with one byte of content size.
  frame(0x20, [3], raw(true, 1, 2, 3)),
  // A window, no content size; blocks that look like frames; a checksum.
  frame(0x04, [0x58], raw(false, 0x28, 0xb5, 0x2f, 0xfd), repeated(false, 70_000), raw(true)),
  // Content sizes of 2, 4 and 8 bytes; dictionary ids of 1, 2 and 4.
  frame(0x41, [0x58, 9, 0, 0], raw(true, 1)),
  frame(0x82, [0x58, 9, 9, 0, 0, 0, 0], raw(true, 1)),
  frame(0xe3, [9, 9, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0], raw(true, 1)),
];
const SKIPPABLE = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 0xaa, 0xbb]);

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

async function split(bytes: Buffer, size: number): Promise<readonly Buffer[]> {
  const frames: Buffer[] = [];
  for await (const frameBytes of splitZstdFrames(new ByteReader(inChunks(bytes, size)))) {
    const parts: Buffer[] = [];
    for await (const part of frameBytes) parts.push(part);
    frames.push(Buffer.concat(parts));
  }
  return frames;
}

test.each([1, 7, 100_000])(
  'finds each frame, and leaves out what is to be skipped, in chunks of %s bytes',
  async (size) => {
    const bytes = Buffer.concat([SKIPPABLE, ...FRAMES.flatMap((one) => [one, SKIPPABLE])]);
    expect(await split(bytes, size)).toEqual(FRAMES);
  },
);

test('a file that ends within a frame, or goes on as something else, fails', async () => {
  const [first = Buffer.alloc(0)] = FRAMES;
  await expect(split(first.subarray(0, -1), 5)).rejects.toThrow(NotDecompressible);
  await expect(split(Buffer.concat([first, Buffer.from('garbage')]), 5)).rejects.toThrow(NotDecompressible);
  await expect(split(Buffer.concat([first, Buffer.from([0x28])]), 5)).rejects.toThrow(NotDecompressible);
});
