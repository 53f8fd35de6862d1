import { MessageBuilder } from '../message-builder.ts';
import { PayloadReader } from '../payload-reader.ts';

export interface CommandComplete {
  /** SELECT 5, INSERT 0 1, BEGIN, … */
  readonly tag: string;
}

export function decodeCommandComplete(payload: Buffer): CommandComplete {
  const reader = new PayloadReader(payload);
  const tag = reader.cstring();
  reader.end();
  return { tag };
}

export function encodeCommandComplete(message: CommandComplete): Buffer {
  return new MessageBuilder('C').cstring(message.tag).finish();
}
