/** By the mark that a file begins with. PowerShell's `>` writes UTF-16. */
const LITTLE_ENDIAN = [0xff, 0xfe] as const;
const BIG_ENDIAN = [0xfe, 0xff] as const;

/** No byte of UTF-8: stands for what is no character, and is counted as such with its record. */
const NO_CHARACTER = Buffer.of(0xff);
const LONE_SURROGATE = /\p{Surrogate}/gu;

/** Text in UTF-16 as UTF-8, without its mark; what does not begin with one as it is. */
export async function* inUtf8(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let order: 'little' | 'big' | 'none' | undefined;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (order === 'none') {
      yield chunk;
      continue;
    }
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (order === undefined) {
      if (bytes.length < LITTLE_ENDIAN.length && isMark(bytes)) {
        rest = bytes;
        continue;
      }
      order = orderOf(bytes);
      if (order === 'none') {
        yield bytes;
        continue;
      }
      bytes = bytes.subarray(LITTLE_ENDIAN.length);
    }
    const end = wholeCharacters(bytes, order);
    rest = bytes.subarray(end);
    yield utf8Of(bytes.subarray(0, end), order);
  }
  if (rest.length === 0) return;
  if (order === undefined) yield rest;
  else if (order !== 'none') yield rest.length === 1 ? NO_CHARACTER : utf8Of(rest, order);
}

/** One byte of a chunk may be the first one of a mark. */
function isMark(bytes: Buffer): boolean {
  return bytes.length === 0 || bytes[0] === LITTLE_ENDIAN[0] || bytes[0] === BIG_ENDIAN[0];
}

function orderOf([first, second]: Buffer): 'little' | 'big' | 'none' {
  if (first === LITTLE_ENDIAN[0] && second === LITTLE_ENDIAN[1]) return 'little';
  return first === BIG_ENDIAN[0] && second === BIG_ENDIAN[1] ? 'big' : 'none';
}

/** Up to where neither a unit nor a pair of surrogates is cut in two. */
function wholeCharacters(bytes: Buffer, order: 'little' | 'big'): number {
  const end = bytes.length - (bytes.length % 2);
  if (end === 0) return 0;
  const high = bytes[order === 'little' ? end - 1 : end - 2] as number;
  return high >= 0xd8 && high <= 0xdb ? end - 2 : end;
}

function utf8Of(bytes: Buffer, order: 'little' | 'big'): Buffer {
  const text = (order === 'little' ? bytes : Buffer.from(bytes).swap16()).toString('utf16le');
  if (text.isWellFormed()) return Buffer.from(text);
  const parts = text.split(LONE_SURROGATE).flatMap((part) => [NO_CHARACTER, Buffer.from(part)]);
  return Buffer.concat(parts.slice(1));
}
