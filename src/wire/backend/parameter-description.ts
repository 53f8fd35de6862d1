import { MessageBuilder } from '../message-builder.ts';
import { PayloadReader } from '../payload-reader.ts';

export interface ParameterDescription {
  /** OIDs. */
  readonly types: readonly number[];
}

export function decodeParameterDescription(payload: Buffer): ParameterDescription {
  const reader = new PayloadReader(payload);
  const types = Array.from({ length: reader.count(4) }, () => reader.uint32());
  reader.end();
  return { types };
}

export function encodeParameterDescription(message: ParameterDescription): Buffer {
  const builder = new MessageBuilder('t').int16(message.types.length);
  for (const oid of message.types) builder.int32(oid);
  return builder.finish();
}
