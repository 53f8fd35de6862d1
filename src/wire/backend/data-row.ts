import { MessageBuilder } from '../message-builder.ts';
import { PayloadReader } from '../payload-reader.ts';

export interface DataRow {
  readonly values: readonly (Buffer | null)[];
}

export function decodeDataRow(payload: Buffer): DataRow {
  const reader = new PayloadReader(payload);
  const values = Array.from({ length: reader.count(4) }, () => {
    const length = reader.int32();
    return length === -1 ? null : reader.bytes(length);
  });
  reader.end();
  return { values };
}

export function encodeDataRow(message: DataRow): Buffer {
  const builder = new MessageBuilder('D').int16(message.values.length);
  for (const value of message.values) {
    if (value === null) builder.int32(-1);
    else builder.int32(value.length).bytes(value);
  }
  return builder.finish();
}
