import { type Duplex, Readable, pipeline } from 'node:stream';
import * as zlib from 'node:zlib';
import { splitZstdFrames } from './zstd-frames.ts';

const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** Each costs a turn of the event loop: by Node's own size, 16 KiB, decompressing takes four times as long. */
const CHUNK_BYTES = 256 * 1024;

/** The runtime has no decompressor for it. */
export class UnknownCompression extends Error {}

/**
 * What the bytes stand for, told by how they begin: some tools unpack a file and leave its name as it was. Ends the
 * iteration of `chunks` in any case.
 */
export async function* decompress(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    const head = await peek(iterator, ZSTD.length);
    const all = prepend(head, iterator);
    if (head.subarray(0, GZIP.length).equals(GZIP)) yield* through(zlib.createGunzip({ chunkSize: CHUNK_BYTES }), all);
    else if (head.subarray(0, ZSTD.length).equals(ZSTD)) yield* unzstd(all);
    else yield* all;
  } finally {
    await iterator.return?.();
  }
}

async function peek(iterator: AsyncIterator<Uint8Array>, length: number): Promise<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < length) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  return head;
}

async function* prepend(head: Buffer, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  if (head.length > 0) yield head;
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
    yield Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length);
  }
}

async function* through(stream: Duplex, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const piped = pipeline(Readable.from(chunks, { objectMode: false }), stream, () => undefined);
  try {
    // Errors of either end come out here.
    for await (const chunk of piped) yield chunk as Buffer;
  } finally {
    piped.destroy();
  }
}

/** A decompressor a frame: Node's own stops after the first one, without an error, where more follow. */
async function* unzstd(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  // Not in the types of the oldest Node that is supported.
  const { createZstdDecompress } = zlib as { readonly createZstdDecompress?: (options: zlib.ZlibOptions) => Duplex };
  if (createZstdDecompress === undefined) throw new UnknownCompression();
  for await (const frame of splitZstdFrames(chunks))
    yield* through(createZstdDecompress({ chunkSize: CHUNK_BYTES }), frame);
}
