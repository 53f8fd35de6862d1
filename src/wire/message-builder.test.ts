import { expect, test } from 'vitest';
import { MessageBuilder } from './message-builder.ts';

test('nothing is lost where a message outgrows its first buffer, whatever crosses the edge', () => {
  for (let filled = 230; filled < 260; filled += 1) {
    const builder = new MessageBuilder('P').bytes(Buffer.alloc(filled, 7));
    const message = builder
      .int16(0x0102)
      .int32(0x03040506)
      .int8(8)
      .bytes(Buffer.from([9, 10]))
      .cstring('x')
      .finish();
    expect(message.readUInt32BE(1)).toBe(message.length - 1);
    expect([...message.subarray(5 + filled)]).toEqual([1, 2, 3, 4, 5, 6, 8, 9, 10, 120, 0]);
  }
});
