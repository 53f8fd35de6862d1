import { MessageBuilder } from '../message-builder.ts';
import { PayloadReader } from '../payload-reader.ts';

/** https://www.postgresql.org/docs/18/protocol-message-formats.html: a simple query. */
export interface Query {
  readonly text: string;
}

export function decodeQuery(payload: Buffer): Query {
  const reader = new PayloadReader(payload);
  const text = reader.cstring();
  reader.end();
  return { text };
}

export function encodeQuery(message: Query): Buffer {
  return new MessageBuilder('Q').cstring(message.text).finish();
}
