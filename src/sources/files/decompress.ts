import type { Duplex } from 'node:stream';
import * as zlib from 'node:zlib';
import type { Again } from './before-fault.ts';
import { ByteReader } from './byte-reader.ts';
import { CHUNK_BYTES, outputOf } from './decompressor-output.ts';
import { gunzipMembers } from './gzip-members.ts';
import { NotDecompressible } from './not-decompressible.ts';
import type { OwnedBytes } from './owned-bytes.ts';
import { inUtf8 } from './utf16.ts';
import { splitZstdFrames } from './zstd-frames.ts';

const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** Whoever stores a file as compressed may compress what is so already; more than that is a trap. */
const MOST_LAYERS = 2;

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
 * What the bytes stand for, as UTF-8, told by how they begin: some tools unpack a file and leave its name as it was. Ends the
 * iteration of `chunks` in any case. Throws NotDecompressible after all that could be read.
 *
 * @param owned what comes out lies in its buffers, or in nobody's
 * @param again the same chunks once more, where they are to be had: all that comes before a fault is told then
 */
export async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  owned: OwnedBytes,
  again?: Again,
): AsyncGenerator<Buffer, void, undefined> {
  yield* inUtf8(unpacked(chunks, MOST_LAYERS, owned, again));
}

async function* unpacked(
  chunks: AsyncIterable<Uint8Array>,
  layers: number,
  owned: OwnedBytes,
  again?: Again,
): AsyncGenerator<Buffer, void, undefined> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    const head = await peek(iterator, ZSTD.length);
    const all = prepend(head, iterator);
    const unpack = head.subarray(0, GZIP.length).equals(GZIP)
      ? gunzip
      : head.subarray(0, ZSTD.length).equals(ZSTD)
        ? unzstd
        : undefined;
    if (unpack === undefined) yield* all;
    else if (layers === 0) throw new NotDecompressible(`it is compressed more than ${MOST_LAYERS} times`, 0);
    else yield* unpacked(unpack(all, owned, again), layers - 1, owned);
  } finally {
    await iterator.return?.();
  }
}

async function peek(iterator: AsyncIterator<Uint8Array>, length: number): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < length) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = head.length === 0 ? bufferOf(next.value) : Buffer.concat([head, next.value]);
  }
  return head;
}

async function* prepend(head: Buffer, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  if (head.length > 0) yield head;
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield bufferOf(next.value);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

async function* gunzip(
  chunks: AsyncGenerator<Buffer, void, undefined>,
  owned: OwnedBytes,
  again: Again | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const bytes = new ByteReader(chunks);
  // Where they break off, what has come is told before.
  while (bytes.held.length <= AT_ONCE.stored && (await bytes.more().catch(() => false)));
  const whole = bytes.hasEnded ? gunzipAtOnce(bytes.held) : undefined;
  if (whole === undefined) yield* gunzipMembers(bytes, again);
  else {
    owned.spent(bytes.held);
    owned.own(whole);
    for (let at = 0; at < whole.length; at += CHUNK_BYTES) yield whole.subarray(at, at + CHUNK_BYTES);
  }
}

/** Undefined where too much might come out, and where anything is wrong: what can be read then, its members tell. */
function gunzipAtOnce(bytes: Buffer): Buffer | undefined {
  if (bytes.length < TRAILER_BYTES) return undefined;
  const size = bytes.readUInt32LE(bytes.length - 4);
  if (size > AT_ONCE.decompressed) return undefined;
  // One byte more than comes out, so that no second buffer is begun.
  const options = {
    chunkSize: Math.max(size + 1, LEAST_AT_ONCE),
    maxOutputLength: AT_ONCE.decompressed,
    info: true,
  };
  try {
    // With `info`, which the types do not know.
    const { buffer, engine } = zlib.gunzipSync(bytes, options) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    // It takes zeros for the end, whatever follows them.
    return engine.bytesWritten === bytes.length ? buffer : undefined;
  } catch {
    return undefined;
  }
}

/** A decompressor a frame: Node's own stops after the first one, without an error, where more follow. */
async function* unzstd(chunks: AsyncGenerator<Buffer, void, undefined>): AsyncGenerator<Buffer, void, undefined> {
  // Not in the types of the oldest Node that is supported.
  const { createZstdDecompress } = zlib as { readonly createZstdDecompress?: (options: zlib.ZlibOptions) => Duplex };
  if (createZstdDecompress === undefined) throw new UnknownCompression();
  const bytes = new ByteReader(chunks);
  for await (const frame of splitZstdFrames(bytes)) {
    const decompressor = createZstdDecompress({ chunkSize: CHUNK_BYTES });
    try {
      for await (const piece of frame) yield* outputOf(decompressor, piece);
    } catch (error) {
      throw error instanceof Error && 'code' in error && String(error.code).startsWith('ZSTD_')
        ? new NotDecompressible(error.message, bytes.taken)
        : error;
    } finally {
      decompressor.destroy();
    }
  }
}
