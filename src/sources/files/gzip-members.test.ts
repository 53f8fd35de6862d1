import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Again } from './before-fault.ts';
import { ByteReader } from './byte-reader.ts';
import { gunzipMembers } from './gzip-members.ts';
import { NotDecompressible } from './not-decompressible.ts';

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

async function read(
  bytes: Buffer,
  size = bytes.length,
  again?: Again,
): Promise<{ text: string; wrong?: string; at?: number }> {
  const given: Buffer[] = [];
  const text = () => Buffer.concat(given).toString('latin1');
  try {
    for await (const chunk of gunzipMembers(new ByteReader(inChunks(bytes, Math.max(size, 1))), again))
      given.push(chunk);
  } catch (error) {
    if (!(error instanceof NotDecompressible)) throw error;
    return { text: text(), wrong: error.message, at: error.at };
  }
  return { text: text() };
}

const EXTRA = Buffer.from([3, 0, 1, 0, 2]);
const ANY_LENGTH = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(70_000, 300_000));
const PART = fc.oneof(
  fc.record({
    length: ANY_LENGTH,
    level: fc.constantFrom(0, 1, 9),
    extra: fc.boolean(),
    name: fc.boolean(),
    comment: fc.boolean(),
    checked: fc.boolean(),
  }),
  fc.integer({ min: 1, max: 600 }),
);
type Part = typeof PART extends fc.Arbitrary<infer T> ? T : never;

/** A member with these parts of a header, or so many zeros. */
function bytesOf(part: Part): Buffer {
  if (typeof part === 'number') return Buffer.alloc(part);
  const { length, level, extra, name, comment, checked } = part;
  const plain = zlib.gzipSync(text(length), { level });
  const header = Buffer.from(plain.subarray(0, 10));
  header[3] = (checked ? 2 : 0) | (extra ? 4 : 0) | (name ? 8 : 0) | (comment ? 16 : 0);
  const rest = [
    header,
    ...(extra ? [EXTRA] : []),
    ...(name ? [Buffer.from('a.json\0')] : []),
    ...(comment ? [Buffer.from('\0')] : []),
  ];
  const sum = Buffer.alloc(checked ? 2 : 0);
  if (checked) sum.writeUInt16LE(zlib.crc32(Buffer.concat(rest)) & 0xffff);
  return Buffer.concat([...rest, sum, plain.subarray(10)]);
}

function contentOf(part: Part): string {
  return typeof part === 'number' ? '' : text(part.length);
}

function text(length: number): string {
  let [state, all] = [length + 1, ''];
  while (all.length < length) {
    state = (state * 48_271) % 2_147_483_647;
    all += `${state.toString(36)},"eventName":`;
  }
  return all.slice(0, length);
}

const PARTS = fc.array(PART, { minLength: 1, maxLength: 6 }).filter(([one]) => typeof one !== 'number');
const MEMBERS = fc
  .array(PART, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.filter((part) => typeof part !== 'number'))
  .filter(({ length }) => length > 0);
const CHUNK = fc.constantFrom(1, 7, 1_000, 65_536, 1_000_000);

test('gives what all members hold, whatever their headers, the zeros between them, and the chunks', async () => {
  await fc.assert(
    fc.asyncProperty(PARTS, CHUNK, async (parts, size) => {
      const bytes = Buffer.concat(parts.map(bytesOf));
      // So many chunks take their time.
      const chunk = bytes.length > 5_000 ? Math.max(size, 1_000) : size;
      expect((await read(bytes, chunk)).text === parts.map(contentOf).join('')).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('of members that are cut off it gives as much as there is, and fails', async () => {
  await fc.assert(
    fc.asyncProperty(MEMBERS, fc.nat(), async (members, cut) => {
      const bytes = Buffer.concat(members.map(bytesOf));
      const length = 1 + (cut % (bytes.length - 1));
      const found = await read(bytes.subarray(0, length));
      let [end, before] = [0, ''];
      for (const member of members) {
        if (end + bytesOf(member).length > length) break;
        end += bytesOf(member).length;
        before += contentOf(member);
      }
      expect(members.map(contentOf).join('').startsWith(found.text)).toBe(true);
      expect(found.text.startsWith(before)).toBe(true);
      expect(found.wrong === undefined).toBe(end === length);
    }),
    { numRuns: 50 },
  );
});

test('what is given of a file with a wrong byte is what zlib makes of it, or comes with a failure', async () => {
  await fc.assert(
    fc.asyncProperty(MEMBERS, fc.nat(), fc.integer({ min: 1, max: 255 }), async (members, place, change) => {
      const bytes = Buffer.concat(members.map(bytesOf));
      const at = place % bytes.length;
      bytes[at] = (bytes[at] as number) ^ change;
      const found = await read(bytes);
      if (found.wrong === undefined) expect([found.text, undefined]).toContain(unzipped(bytes));
    }),
    { numRuns: 100 },
  );
});

/** The checksum of a header says nothing of the data, which has its own. */
function unzipped(bytes: Buffer): string | undefined {
  try {
    return zlib.gunzipSync(bytes).toString('latin1');
  } catch (error) {
    if ((error as Error).message === 'header crc mismatch') return undefined;
    throw error;
  }
}

const first = text(100_000);
const second = text(50_000);
const members = [zlib.gzipSync(first), zlib.gzipSync(second)] as const;
const [one, two] = members;

test.each<[string, Buffer, object]>([
  [
    'a wrong checksum in the last member',
    Buffer.concat([one, two.subarray(0, -8), Buffer.alloc(4), two.subarray(-4)]),
    { text: first + second, wrong: 'incorrect data check', at: one.length + two.length - 8 },
  ],
  [
    'a wrong size in the last member',
    Buffer.concat([one, two.subarray(0, -1), Buffer.of(9)]),
    { text: first + second, wrong: 'incorrect data check' },
  ],
  [
    'garbage behind a good member',
    Buffer.concat([one, Buffer.from('garbage')]),
    { text: first, wrong: 'incorrect header of another member', at: one.length },
  ],
  [
    'garbage behind zeros',
    Buffer.concat([one, Buffer.alloc(512), Buffer.from('g')]),
    { text: first, wrong: 'incorrect header of another member', at: one.length + 512 },
  ],
  [
    'no trailer',
    Buffer.concat([one, two.subarray(0, -8)]),
    { text: first + second, wrong: 'unexpected end of file', at: one.length + two.length - 8 },
  ],
  [
    'a header that ends early',
    Buffer.concat([one, two.subarray(0, 5)]),
    { text: first, wrong: 'unexpected end of file', at: one.length + 5 },
  ],
  ['zeros at the end', Buffer.concat([one, Buffer.alloc(1_000)]), { text: first }],
  ['members without a byte', Buffer.concat([zlib.gzipSync(''), one, zlib.gzipSync('')]), { text: first }],
])('%s: nothing before the fault is lost', async (_name, bytes, expected) => {
  for (const size of [1_000, 10_000_000]) expect(await read(bytes, size)).toMatchObject(expected);
});

test('of a member that is held as a whole, all that stands before a fault is given', async () => {
  const bytes = Buffer.from(zlib.gzipSync(first, { level: 0 }));
  // The second stored block's length does not agree with its complement.
  const block = 10 + 5 + bytes.readUInt16LE(11);
  bytes[block + 3] = (bytes[block + 3] as number) ^ 1;
  const { text: given, wrong, at } = await read(bytes);
  expect({ wrong, at, given: given.length }).toEqual({
    wrong: 'invalid stored block lengths',
    at: block + 4,
    given: block - 15,
  });
  expect(first.startsWith(given)).toBe(true);
});

/** Its `length` first bytes come out, or some more: then the length of a stored block does not agree with its complement. */
function brokenBehind(
  length: number,
  plain: Buffer,
): { readonly bytes: Buffer; readonly at: number; readonly given: number } {
  const bytes = Buffer.from(plain);
  let at = 10;
  let given = 0;
  while (given < length) {
    given += bytes.readUInt16LE(at + 1);
    at += 5 + bytes.readUInt16LE(at + 1);
  }
  bytes[at + 3] = (bytes[at + 3] as number) ^ 1;
  return { bytes, at: at + 4, given };
}

describe('of a member of which only a part is held', () => {
  const long = text(900_000);
  const plain = zlib.gzipSync(long, { level: 0 });
  const broken = brokenBehind(600_000, plain);
  const bytes = Buffer.concat([one, broken.bytes]);
  const size = 30_000;

  test('all that stands before a fault is given, where its bytes can be had once more', async () => {
    const { text: given, ...fault } = await read(bytes, size, () => inChunks(bytes, 7_777));
    expect(fault).toEqual({ wrong: 'invalid stored block lengths', at: one.length + broken.at });
    expect(given === first + long.slice(0, broken.given)).toBe(true);
    expect((await read(bytes, size)).text.length).toBeLessThan(given.length);
  });

  test('a byte that is wrong in compressed data is found as in what is held as a whole', async () => {
    const other = Buffer.concat([one, zlib.gzipSync(long)]);
    const place = one.length + Math.floor((other.length - one.length) * 0.7);
    other.fill(0xff, place, place + 40);
    const found = await read(other, size, () => inChunks(other, 7_777));
    expect(found).toEqual(await read(other));
    expect(found.wrong).toBeDefined();
  });

  test.each<[string, Again]>([
    ['cannot be read any more', () => failing()],
    ['has become shorter', () => inChunks(bytes.subarray(0, 50_000), size)],
    ['is whole now', () => inChunks(Buffer.concat([one, plain]), size)],
  ])('a file that %s has the same fault, and gives as much as it did', async (_what, other) => {
    expect(await read(bytes, size, other)).toEqual(await read(bytes, size));
  });
});

// eslint-disable-next-line require-yield -- it fails before
async function* failing(): AsyncGenerator<Buffer, void, undefined> {
  await Promise.resolve();
  throw new Error('ENOENT');
}
