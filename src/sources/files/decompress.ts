import { type Duplex, Readable, pipeline } from 'node:stream';
import * as zlib from 'node:zlib';
import type { OwnedBytes } from './owned-bytes.ts';
import { splitZstdFrames } from './zstd-frames.ts';

const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** Each costs a turn of the event loop: by Node's own size, 16 KiB, decompressing takes four times as long. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Files that are decompressed in one piece, by their size and by what their last bytes say of that of what comes out (RFC 1952,
 * ISIZE): nothing is waited for then, which takes as long again as decompressing does. CloudTrail's own are of that size.
 */
const AT_ONCE = { stored: 1024 * 1024, decompressed: 8 * 1024 * 1024 };
const TRAILER_BYTES = 8;
/** What the last bytes say may be too little. */
const LEAST_AT_ONCE = 16 * 1024;

/** The runtime has no decompressor for it. */
export class UnknownCompression extends Error {}

/**
 * What the bytes stand for, told by how they begin: some tools unpack a file and leave its name as it was. Ends the
 * iteration of `chunks` in any case.
 *
 * @param owned what comes out lies in its buffers, or in nobody's
 */
export async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  owned: OwnedBytes,
): AsyncGenerator<Buffer, void, undefined> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    const head = await peek(iterator, ZSTD.length);
    const all = prepend(head, iterator);
    if (head.subarray(0, GZIP.length).equals(GZIP)) yield* gunzip(all, owned);
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

async function* gunzip(
  chunks: AsyncGenerator<Buffer, void, undefined>,
  owned: OwnedBytes,
): AsyncGenerator<Buffer, void, undefined> {
  const head: Buffer[] = [];
  let stored = 0;
  let ended = false;
  while (!ended && stored <= AT_ONCE.stored) {
    const next = await chunks.next();
    if (next.done === true) ended = true;
    else {
      head.push(next.value);
      stored += next.value.length;
    }
  }
  const whole = ended ? gunzipAtOnce(head) : undefined;
  if (whole === undefined) yield* through(zlib.createGunzip({ chunkSize: CHUNK_BYTES }), following(head, chunks));
  else {
    owned.own(whole);
    for (let at = 0; at < whole.length; at += CHUNK_BYTES) yield whole.subarray(at, at + CHUNK_BYTES);
  }
}

/** Undefined where too much might come out, and where it fails: what can be read up to there, a stream gives. */
function gunzipAtOnce(parts: readonly Buffer[]): Buffer | undefined {
  const bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  if (bytes.length < TRAILER_BYTES) return undefined;
  const size = bytes.readUInt32LE(bytes.length - 4);
  if (size > AT_ONCE.decompressed) return undefined;
  try {
    // One byte more than comes out, so that no second buffer is begun.
    return zlib.gunzipSync(bytes, {
      chunkSize: Math.max(size + 1, LEAST_AT_ONCE),
      maxOutputLength: AT_ONCE.decompressed,
    });
  } catch {
    return undefined;
  }
}

async function* following(
  head: readonly Buffer[],
  rest: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  yield* head;
  yield* rest;
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
