import { MessageBuilder } from '../message-builder.ts';
import { PayloadReader } from '../payload-reader.ts';

export interface FieldDescription {
  readonly name: string;
  /** 0: not a table's column. */
  readonly tableOid: number;
  readonly attnum: number;
  readonly typeOid: number;
  /** pg_type.typlen: negative for variable width. */
  readonly typeSize: number;
  readonly typeModifier: number;
  readonly format: number;
}

export interface RowDescription {
  readonly fields: readonly FieldDescription[];
}

/** Name's terminator and the fixed part. */
const SMALLEST_FIELD = 19;

export function decodeRowDescription(payload: Buffer): RowDescription {
  const reader = new PayloadReader(payload);
  const fields: FieldDescription[] = Array.from({ length: reader.count(SMALLEST_FIELD) }, () => ({
    name: reader.cstring(),
    tableOid: reader.uint32(),
    attnum: reader.int16(),
    typeOid: reader.uint32(),
    typeSize: reader.int16(),
    typeModifier: reader.int32(),
    format: reader.int16(),
  }));
  reader.end();
  return { fields };
}

export function encodeRowDescription(message: RowDescription): Buffer {
  const builder = new MessageBuilder('T').int16(message.fields.length);
  for (const field of message.fields) {
    builder.cstring(field.name).int32(field.tableOid).int16(field.attnum).int32(field.typeOid);
    builder.int16(field.typeSize).int32(field.typeModifier).int16(field.format);
  }
  return builder.finish();
}
