import { MessageBuilder } from '../message-builder.ts';
import { PayloadReader } from '../payload-reader.ts';
import { type Target, readTarget } from './target.ts';

export interface Close {
  readonly target: Target;
  readonly name: string;
}

export function decodeClose(payload: Buffer): Close {
  const reader = new PayloadReader(payload);
  const target = readTarget(reader);
  const name = reader.cstring();
  reader.end();
  return { target, name };
}

export function encodeClose(message: Close): Buffer {
  return new MessageBuilder('C').int8(message.target.charCodeAt(0)).cstring(message.name).finish();
}
