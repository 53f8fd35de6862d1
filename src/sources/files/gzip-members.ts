import * as zlib from 'node:zlib';
import { type Again, outputBefore } from './before-fault.ts';
import type { ByteReader } from './byte-reader.ts';
import { CHUNK_BYTES, outputOf } from './decompressor-output.ts';
import { ENDS_EARLY, NotDecompressible } from './not-decompressible.ts';

/** Members of the gzip format, RFC 1952. */
const MAGIC = 0x8b1f;
const MAGIC_BYTES = 2;
const DEFLATED = 8;
const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
const FLAG = { crc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;

/** As they are stored. Behind one so small the next one is decompressed in one piece: a stream costs more than such a member does. */
const SMALL_MEMBER = 64 * 1024;
/** What one call may give: of a member, and of one that is broken. */
const MOST_AT_ONCE = 8 * 1024 * 1024;
const MOST_SOUND = 64 * 1024 * 1024;

/**
 * The bytes of all members, one after the other: zeros may stand between them and behind the last one. Node's own reader
 * takes zeros for the file's end, and gives nothing of what came out last before a fault. Throws NotDecompressible, after all
 * that could be read.
 *
 * @param again where what `bytes` reads can be read once more; without it up to 256 KiB before a fault are lost in a member of which only a
 *   part is held
 */
export async function* gunzipMembers(bytes: ByteReader, again?: Again): AsyncGenerator<Buffer, void, undefined> {
  let isSmall = false;
  for (let count = 0; ; count += 1) {
    if (count > 0) await skipZeros(bytes);
    if (await bytes.atEnd()) return;
    const from = bytes.taken;
    await skipHeader(bytes, count);
    const sum = { crc: 0, size: 0 };
    for await (const chunk of (isSmall ? inflateAtOnce(bytes) : undefined) ?? inflate(bytes, again)) {
      sum.crc = zlib.crc32(chunk, sum.crc);
      sum.size = (sum.size + chunk.length) >>> 0;
      yield chunk;
    }
    const trailer = await bytes.peek(TRAILER_BYTES);
    if (trailer.readUInt32LE(0) !== sum.crc || trailer.readUInt32LE(4) !== sum.size) {
      throw new NotDecompressible('incorrect data check', bytes.taken);
    }
    bytes.advance(TRAILER_BYTES);
    isSmall = bytes.taken - from < SMALL_MEMBER;
  }
}

async function skipZeros(bytes: ByteReader): Promise<void> {
  while (!(await bytes.atEnd())) {
    const zeros = bytes.held.findIndex((byte) => byte !== 0);
    bytes.advance(zeros < 0 ? bytes.held.length : zeros);
    if (zeros >= 0) return;
  }
}

async function skipHeader(bytes: ByteReader, members: number): Promise<void> {
  const at = bytes.taken;
  const wrong = (reason: string) => new NotDecompressible(members === 0 ? reason : `${reason} of another member`, at);
  while (bytes.held.length < MAGIC_BYTES && (await bytes.more()));
  if (bytes.held.length < MAGIC_BYTES || bytes.held.readUInt16LE() !== MAGIC) throw wrong('incorrect header');
  const header = await bytes.peek(HEADER_BYTES);
  const flags = header[3] as number;
  if (header[2] !== DEFLATED || (flags & FLAG.reserved) !== 0) throw wrong('unknown header');
  bytes.advance(HEADER_BYTES);
  if ((flags & FLAG.extra) !== 0) await bytes.skip(2 + (await bytes.peek(2)).readUInt16LE());
  if ((flags & FLAG.name) !== 0) await skipText(bytes);
  if ((flags & FLAG.comment) !== 0) await skipText(bytes);
  if ((flags & FLAG.crc) !== 0) await bytes.skip(2);
}

/** Up to behind its zero. */
async function skipText(bytes: ByteReader): Promise<void> {
  for (;;) {
    await bytes.peek(1);
    const end = bytes.held.indexOf(0);
    bytes.advance(end < 0 ? bytes.held.length : end + 1);
    if (end >= 0) return;
  }
}

/** A member's data to its end, as it comes. Where that is, what the decompressor leaves of a piece tells: a trailer follows. */
async function* inflate(bytes: ByteReader, again: Again | undefined): AsyncGenerator<Buffer, void, undefined> {
  const inflater = zlib.createInflateRaw({ chunkSize: CHUNK_BYTES });
  const data = bytes.taken;
  let before = 0;
  try {
    for (let isFirst = true; ; isFirst = false) {
      if (await bytes.atEnd()) throw new NotDecompressible(ENDS_EARLY, bytes.taken);
      const piece = bytes.held;
      const written = inflater.bytesWritten;
      let given = before;
      try {
        for await (const chunk of outputOf(inflater, piece)) {
          given += chunk.length;
          yield chunk;
        }
      } catch (error) {
        if (!isFirst) {
          const fault = { data, from: bytes.taken, to: bytes.taken + piece.length, given };
          const at = again && (yield* asFarAsCan(outputBefore(fault, again)));
          throw new NotDecompressible(reasonOf(error), at ?? bytes.taken);
        }
        // Of a member that is held as a whole, each byte before the fault can be had.
        const sound = soundBytes(piece);
        yield inflated(piece.subarray(0, sound), MOST_SOUND)?.buffer.subarray(given) ?? Buffer.alloc(0);
        throw new NotDecompressible(reasonOf(error), bytes.taken + sound);
      }
      before = given;
      const used = inflater.bytesWritten - written;
      bytes.advance(used);
      if (used < piece.length) return;
    }
  } finally {
    inflater.destroy();
  }
}

/** The file may have become another one, or unreadable: what is wrong with it is known all the same. */
async function* asFarAsCan<T>(
  output: AsyncGenerator<Buffer, T, undefined>,
): AsyncGenerator<Buffer, T | undefined, undefined> {
  try {
    return yield* output;
  } catch {
    return undefined;
  }
}

/** The same of a member that lies, with its trailer, in what is held; undefined where it does not, or is broken. */
function inflateAtOnce(bytes: ByteReader): readonly Buffer[] | undefined {
  const whole = inflated(bytes.held, MOST_AT_ONCE);
  if (whole === undefined || whole.used + TRAILER_BYTES > bytes.held.length) return undefined;
  bytes.advance(whole.used);
  return [whole.buffer];
}

/** How many of the first bytes can be inflated. */
function soundBytes(bytes: Buffer): number {
  let [sound, broken] = [0, bytes.length];
  while (broken - sound > 1) {
    const middle = (sound + broken) >>> 1;
    if (inflated(bytes.subarray(0, middle), MOST_SOUND) === undefined) broken = middle;
    else sound = middle;
  }
  return sound;
}

/** What can be told by these bytes, and how many of them that takes; undefined where one of them is wrong, or too much comes out. */
function inflated(bytes: Buffer, most: number): { readonly buffer: Buffer; readonly used: number } | undefined {
  const options = {
    chunkSize: CHUNK_BYTES,
    finishFlush: zlib.constants.Z_SYNC_FLUSH,
    maxOutputLength: most,
    info: true,
  };
  try {
    // With `info`, which the types do not know.
    const { buffer, engine } = zlib.inflateRawSync(bytes, options) as unknown as Inflated;
    return { buffer, used: engine.bytesWritten };
  } catch {
    return undefined;
  }
}

interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
