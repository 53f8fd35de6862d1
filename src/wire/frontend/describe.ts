import { MessageBuilder } from '../message-builder.ts';
import { PayloadReader } from '../payload-reader.ts';
import { type Target, readTarget } from './target.ts';

export interface Describe {
  readonly target: Target;
  readonly name: string;
}

export function decodeDescribe(payload: Buffer): Describe {
  const reader = new PayloadReader(payload);
  const target = readTarget(reader);
  const name = reader.cstring();
  reader.end();
  return { target, name };
}

export function encodeDescribe(message: Describe): Buffer {
  return new MessageBuilder('D').int8(message.target.charCodeAt(0)).cstring(message.name).finish();
}
