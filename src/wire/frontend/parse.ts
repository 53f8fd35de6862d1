import { MessageBuilder } from '../message-builder.ts';
import { PayloadReader } from '../payload-reader.ts';

export interface Parse {
  /** Empty: the unnamed statement. */
  readonly statement: string;
  readonly text: string;
  /** OIDs; 0 leaves a type to PostgreSQL, and there may be fewer than parameters. */
  readonly parameterTypes: readonly number[];
}

export function decodeParse(payload: Buffer): Parse {
  const reader = new PayloadReader(payload);
  const statement = reader.cstring();
  const text = reader.cstring();
  const parameterTypes = Array.from({ length: reader.count(4) }, () => reader.uint32());
  reader.end();
  return { statement, text, parameterTypes };
}

export function encodeParse(message: Parse): Buffer {
  const builder = new MessageBuilder('P').cstring(message.statement).cstring(message.text);
  builder.int16(message.parameterTypes.length);
  for (const oid of message.parameterTypes) builder.int32(oid);
  return builder.finish();
}
