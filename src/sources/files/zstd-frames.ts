import type { ByteReader } from './byte-reader.ts';
import { NotDecompressible } from './not-decompressible.ts';

/** Frames of the Zstandard format, RFC 8878, section 3.1. */

/** Bytes of a frame's header behind its descriptor, by the descriptor's flags. */
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const FRAME = 0xfd2fb528;
/** 16 of them, for what is not to be decompressed. */
const SKIPPABLE_FRAME = 0x184d2a50;
const RLE_BLOCK = 1;

/** Each frame's bytes, to be read to its end before the next one is asked for; skippable frames are left out. */
export async function* splitZstdFrames(
  bytes: ByteReader,
): AsyncGenerator<AsyncGenerator<Buffer, void, undefined>, void, undefined> {
  while (!(await bytes.atEnd())) {
    const magic = (await bytes.peek(4)).readUInt32LE();
    if (magic >>> 4 === SKIPPABLE_FRAME >>> 4) {
      const size = (await bytes.peek(8)).readUInt32LE(4);
      await bytes.skip(8 + size);
    } else if (magic === FRAME) {
      yield frameOf(bytes);
    } else throw new NotDecompressible('no frame begins where one has ended', bytes.taken);
  }
}

async function* frameOf(bytes: ByteReader): AsyncGenerator<Buffer, void, undefined> {
  const descriptor = (await bytes.peek(5))[4] ?? 0;
  const singleSegment = (descriptor & 0x20) !== 0;
  const contentSize = CONTENT_SIZE_BYTES[(descriptor >> 6) as 0 | 1 | 2 | 3] || (singleSegment ? 1 : 0);
  const dictionaryId = DICTIONARY_ID_BYTES[(descriptor & 3) as 0 | 1 | 2 | 3];
  yield* bytes.take(5 + (singleSegment ? 0 : 1) + dictionaryId + contentSize);
  for (let last = false; !last;) {
    const header = (await bytes.peek(3)).readUIntLE(0, 3);
    last = (header & 1) === 1;
    const isRle = ((header >> 1) & 3) === RLE_BLOCK;
    yield* bytes.take(3 + (isRle ? 1 : header >> 3));
  }
  if ((descriptor & 4) !== 0) yield* bytes.take(4);
}
