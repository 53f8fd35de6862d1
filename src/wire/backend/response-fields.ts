import type { MessageBuilder } from '../message-builder.ts';
import { PayloadReader } from '../payload-reader.ts';

/** By letter, in the order of the message: https://www.postgresql.org/docs/18/protocol-error-fields.html */
export type ResponseFields = ReadonlyMap<string, string>;

export function readFields(payload: Buffer): ResponseFields {
  const reader = new PayloadReader(payload);
  const fields = new Map<string, string>();
  for (;;) {
    const letter = reader.int8();
    if (letter === 0) break;
    fields.set(String.fromCharCode(letter), reader.cstring());
  }
  reader.end();
  return fields;
}

export function writeFields(builder: MessageBuilder, fields: ResponseFields): Buffer {
  for (const [letter, value] of fields) builder.int8(letter.charCodeAt(0)).cstring(value);
  return builder.int8(0).finish();
}
