import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf, MessageReader, type Piece, payloadOf } from './message-reader.ts';

function message(type: string, payload: string | Buffer): Buffer {
  const body = Buffer.from(payload);
  const header = Buffer.alloc(5);
  header.write(type, 0, 'latin1');
  header.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

function drain(reader: MessageReader): Piece[] {
  const pieces: Piece[] = [];
  for (let piece = reader.next(); piece !== undefined; piece = reader.next()) pieces.push(piece);
  return pieces;
}

test('a message that arrives byte by byte comes whole, once, with its last byte', () => {
  const reader = new MessageReader({ want: () => 'whole' });
  const bytes = message('Q', 'select 1\0');
  const seen = [...bytes].map((byte) => {
    reader.push(Buffer.from([byte]));
    return drain(reader);
  });
  expect(seen.slice(0, -1).flat()).toEqual([]);
  const [piece] = seen.at(-1) ?? [];
  expect(piece && payloadOf(piece).toString()).toBe('select 1\0');
});

test('many messages in one chunk come one by one, as views on that chunk', () => {
  const reader = new MessageReader({ want: () => 'whole' });
  const chunk = Buffer.concat([message('P', 'a'), message('B', 'bb'), message('S', '')]);
  reader.push(chunk);
  const pieces = drain(reader);
  expect(pieces.map((piece) => [String.fromCharCode(piece.type), payloadOf(piece).toString()])).toEqual([
    ['P', 'a'],
    ['B', 'bb'],
    ['S', ''],
  ]);
  expect(pieces.every((piece) => piece.chunk === chunk)).toBe(true);
});

test('a message wanted in pieces is handed out as its bytes come, and never held', () => {
  const reader = new MessageReader({ want: () => 'pieces' });
  const bytes = message('d', 'abcdefgh');
  reader.push(bytes.subarray(0, 7));
  expect(drain(reader)).toMatchObject([{ first: true, last: false, start: 0, end: 7, size: 13 }]);
  expect([reader.buffered, reader.midMessage]).toEqual([0, true]);
  reader.push(bytes.subarray(7));
  expect(drain(reader)).toMatchObject([{ first: false, last: true, start: 0, end: 6 }]);
  expect(reader.midMessage).toBe(false);
});

test('after an invalid header everything comes as pieces of it, without end', () => {
  const reader = new MessageReader({ want: () => 'invalid' });
  reader.push(Buffer.concat([message('?', 'xx'), message('Q', 'select 1\0')]));
  reader.push(Buffer.from('more'));
  const pieces = drain(reader);
  expect(pieces.every((piece) => !piece.last)).toBe(true);
  expect(Buffer.concat(pieces.map(bytesOf)).toString('latin1')).toMatch(/xx.*select 1.*more$/su);
});

test('a length that does not even count itself is invalid, whatever is wanted', () => {
  const reader = new MessageReader({ want: () => 'whole' });
  reader.push(Buffer.from([0x51, 0, 0, 0, 3]));
  expect(drain(reader)).toMatchObject([{ first: true, last: false, end: 5 }]);
});

test('a huge length allocates nothing before its bytes arrive', () => {
  const reader = new MessageReader({ want: () => 'whole' });
  reader.push(Buffer.from([0x51, 0x3f, 0xff, 0xff, 0xfe, 0x41]));
  expect(drain(reader)).toEqual([]);
  expect(reader.buffered).toBe(6);
});

test('however a stream is cut, the same messages come out and no byte is lost', () => {
  const messages = fc.array(
    fc.record({ type: fc.constantFrom('P', 'B', 'd', 'S'), payload: fc.uint8Array({ maxLength: 40 }) }),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 1, max: 17 }), { minLength: 1 }), (list, cuts) => {
      const stream = Buffer.concat(list.map(({ type, payload }) => message(type, Buffer.from(payload))));
      const reader = new MessageReader({ want: (type) => (type === 0x64 ? 'pieces' : 'whole') });
      const pieces: Piece[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn += 1) {
        const size = cuts[turn % cuts.length] ?? 1;
        reader.push(stream.subarray(at, at + size));
        at += size;
        pieces.push(...drain(reader));
      }
      expect(Buffer.concat(pieces.map(bytesOf))).toEqual(stream);
      expect(pieces.filter((piece) => piece.first).map((piece) => String.fromCharCode(piece.type))).toEqual(
        list.map(({ type }) => type),
      );
      expect(pieces.filter((piece) => piece.last).length).toBe(list.length);
    }),
  );
});

test('of any bytes, however they are cut, none is lost or held twice, and each call hands some out or ends', () => {
  const wants = ['whole', 'pieces', 'invalid'] as const;
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 12 }), fc.nat(2), (chunks, turn) => {
      const reader = new MessageReader({
        want: (type, size) => (size > 0x1000 ? 'invalid' : (wants[(type + turn) % 2] ?? 'whole')),
        runs: new Set([0x44]),
      });
      const seen: Buffer[] = [];
      let pushed = 0;
      for (const chunk of chunks) {
        reader.push(Buffer.from(chunk));
        pushed += chunk.length;
        for (let piece = reader.next(); piece !== undefined; piece = reader.next()) {
          expect(piece.end).toBeGreaterThan(piece.start);
          seen.push(bytesOf(piece));
        }
        expect(Buffer.concat(seen).length + reader.buffered).toBe(pushed);
      }
      expect(Buffer.concat([...seen, reader.takeRest()])).toEqual(Buffer.concat(chunks));
    }),
  );
});

test('what has arrived can be looked at before it is handed out, the last message by its header', () => {
  const reader = new MessageReader({ want: () => 'whole' });
  const next = reader.lookAhead();
  const seen = (look: () => number | undefined) => {
    let types = '';
    for (let type = look(); type !== undefined && type !== 0; type = look()) types += String.fromCharCode(type);
    return types;
  };
  const bytes = Buffer.concat([message('P', 'a'), message('B', 'b'.repeat(300)), message('S', '')]);
  reader.push(bytes.subarray(0, 4));
  expect(seen(next)).toBe('');
  reader.push(bytes.subarray(4, 20));
  expect(seen(next)).toBe('PB');
  reader.push(bytes.subarray(20));
  expect(seen(next)).toBe('S');
  expect(seen(reader.lookAhead())).toBe('PBS');
  reader.next();
  expect(seen(reader.lookAhead())).toBe('BS');
  reader.push(Buffer.from('Q\0\0\0\x03'));
  const invalid = reader.lookAhead();
  expect([seen(invalid), invalid(), invalid()]).toEqual(['BS', 0, 0]);
});

test('bytes that come one by one while a message waits are held in few buffers, and handed out as they came', () => {
  const reader = new MessageReader({ want: () => 'whole' });
  const bytes = Buffer.concat([message('P', 'p'.repeat(40_000)), message('B', 'b'.repeat(3_000)), message('S', '')]);
  const waiting = bytes.subarray(0, 40_000);
  const large = bytes.subarray(41_000, 42_000);
  for (const byte of waiting) reader.push(Buffer.from([byte]));
  reader.push(bytes.subarray(40_000, 40_100));
  for (const byte of bytes.subarray(40_100, 41_000)) reader.push(Buffer.from([byte]));
  reader.push(large);
  for (const byte of bytes.subarray(42_000)) reader.push(Buffer.from([byte]));
  expect(reader.buffered).toBe(bytes.length);
  const pieces = drain(reader);
  expect(Buffer.concat(pieces.map(bytesOf))).toEqual(bytes);
  expect(pieces.length).toBe(3);
});

test('nothing after what cannot be a message is another message: all comes as pieces of the one', () => {
  const reader = new MessageReader({ want: () => 'whole' });
  reader.push(Buffer.concat([message('S', ''), Buffer.from('Q\0\0\0\x03')]));
  expect(drain(reader).map(({ first, last, size }) => [first, last, size])).toEqual([
    [true, true, 5],
    [true, false, Infinity],
  ]);
  reader.push(message('Q', 'select 1\0'));
  expect(drain(reader).map(({ first, last, size }) => [first, last, size])).toEqual([[false, false, Infinity]]);
});

test('of a type that may come in runs all that stand whole side by side come as one piece', () => {
  const reader = new MessageReader({ want: () => 'pieces', runs: new Set(['D'.charCodeAt(0)]) });
  const rows = ['a', 'bb', '', 'ccc'].map((text) => message('D', text));
  const chunk = Buffer.concat([message('T', 'x'), ...rows, message('C', 'y')]);
  fc.assert(
    fc.property(fc.array(fc.nat(chunk.length), { maxLength: 3 }), (cuts) => {
      const places = [0, ...cuts.sort((left, right) => left - right), chunk.length];
      const pieces: Piece[] = [];
      for (const [index, place] of places.entries()) {
        reader.push(chunk.subarray(place, places[index + 1] ?? place));
        pieces.push(...drain(reader));
      }
      expect(Buffer.concat(pieces.map(bytesOf))).toEqual(chunk);
      const types = pieces.filter((piece) => piece.last).map((piece) => String.fromCharCode(piece.type));
      expect(types.join('').replace(/D+/u, 'D')).toBe('TDC');
      expect(reader.midMessage).toBe(false);
    }),
  );
  reader.push(chunk);
  expect(drain(reader).map(({ end, start }) => end - start)).toEqual([6, 26, 6]);
});
